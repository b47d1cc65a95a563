import { availableParallelism } from 'node:os';
import type { Load } from '../cases.ts';
import type { Finish } from '../finishes.ts';
import type { Line } from '../line.ts';
import type { Figures, Measurement } from '../span.ts';
import { figuresOf, observe } from '../span.ts';
import type { Order } from './order.ts';
import { loginOf } from './order.ts';
import { readRecords } from './records.ts';

/** A pooler that lets clients wait for so long has failed. */
const LATE_MS = 30_000;

/**
 * Puts the load on the line and measures what is finished and what the pooler uses. Rejects where a client fails.
 * @param program of the generators: see `generate.ts`
 */
export async function measureGenerated(
  program: string,
  load: Load,
  line: Line,
  measurement: Measurement,
): Promise<Figures> {
  const over = new AbortController();
  const signal = AbortSignal.any([measurement.signal, over.signal]);
  const generators = shares(load.clients).map((clients) =>
    start(program, { login: loginOf(line), load: { ...load, clients } }, signal),
  );
  try {
    const failed = Promise.race(generators.map(({ failed }) => failed));
    const inTime = async <T>(work: Promise<T>, what: string): Promise<T> => {
      const late = Promise.withResolvers<never>();
      const timer = setTimeout(() => late.reject(new Error(what)), LATE_MS);
      try {
        return await Promise.race([work, failed, late.promise]);
      } finally {
        clearTimeout(timer);
      }
    };
    await inTime(Promise.all(generators.map(({ ready }) => ready)), 'the clients cannot sign in');
    const span = await Promise.race([observe({ ...measurement, signal }), failed]);
    for (const { stop } of generators) stop();
    const records = await inTime(
      Promise.all(generators.map(({ finishes }) => finishes)),
      'the clients do not come to an end',
    );
    return figuresOf(renumbered(records), span, false);
  } finally {
    over.abort();
    await Promise.all(generators.map(({ gone }) => gone));
  }
}

/** How many clients each process has: one process cannot make use of more than one processor. */
function shares(clients: number): readonly number[] {
  const processes = Math.max(1, Math.min(clients, Math.floor(availableParallelism() / 2)));
  return Array.from({ length: processes }, (_, at) => Math.floor((clients + at) / processes));
}

/** Each process counts its clients from 0. */
function renumbered(records: readonly (readonly Finish[])[]): readonly Finish[] {
  return records.flatMap((finishes, at) =>
    finishes.map(({ client, latencyMicros, atMicros }) => {
      return { client: client * records.length + at, latencyMicros, atMicros };
    }),
  );
}

interface Generator {
  readonly ready: Promise<void>;
  readonly finishes: Promise<readonly Finish[]>;
  /** Rejects where it fails; never resolves. */
  readonly failed: Promise<never>;
  /** Whichever way it has ended. */
  readonly gone: Promise<unknown>;
  stop(): void;
}

function start(program: string, order: Order<Load>, signal: AbortSignal): Generator {
  const child = Bun.spawn([process.execPath, program], {
    env: { PATH: process.env['PATH'] ?? '' },
    stdin: 'pipe',
    stdout: 'pipe',
    stderr: 'pipe',
    signal,
    killSignal: 'SIGKILL',
  });
  void child.stdin.write(`${JSON.stringify(order)}\n`);
  void child.stdin.flush();
  const ready = Promise.withResolvers<void>();
  const read = async (): Promise<readonly Finish[]> => {
    const chunks: Uint8Array[] = [];
    for await (const chunk of child.stdout) {
      ready.resolve();
      chunks.push(chunk);
    }
    return readRecords(Buffer.concat(chunks).subarray(1));
  };
  const finishes = read();
  const failed = async (): Promise<never> => {
    const [said, code] = await Promise.all([new Response(child.stderr).text(), child.exited]);
    if (code === 0) return await new Promise(() => {});
    throw new Error(`a client failed: ${said.trim() || String(child.signalCode ?? code)}`);
  };
  return {
    ...{ ready: ready.promise, finishes, failed: failed(), gone: child.exited },
    stop: () => void child.stdin.end(),
  };
}
