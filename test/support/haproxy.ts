import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const PROGRAM = '/usr/sbin/haproxy';
const DEADLINE_MS = 10_000;
const POLL_MS = 20;

/** Ends when it is told to, or when the test process is gone, however that went: its standard input ends then. */
const KEEPER = '"$1" -db -f "$2" & read -r word; kill "$!"; wait';

/** A real HAProxy in front of something. */
export interface Haproxy {
  /** Stops it and returns what it has written. */
  stop(): Promise<string>;
}

/** Runs HAProxy by these lines, and waits until it listens at all of `ports` of 127.0.0.1. */
export async function startHaproxy(lines: string, ports: readonly number[]): Promise<Haproxy> {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-haproxy-'));
  const path = join(directory, 'haproxy.cfg');
  await writeFile(path, lines);
  const child = Bun.spawn(['/bin/sh', '-c', KEEPER, 'keeper', PROGRAM, path], {
    stdin: 'pipe',
    stdout: 'pipe',
    stderr: 'pipe',
  });
  const written = Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  const haproxy: Haproxy = {
    async stop() {
      await child.stdin.end();
      await child.exited;
      await rm(directory, { recursive: true });
      return (await written).join('');
    },
  };
  try {
    for (const port of ports) await untilListening(port);
    return haproxy;
  } catch (problem) {
    throw new Error(await haproxy.stop(), { cause: problem });
  }
}

async function untilListening(port: number): Promise<void> {
  const deadline = performance.now() + DEADLINE_MS;
  for (;;) {
    try {
      const socket = await Bun.connect({ hostname: '127.0.0.1', port, socket: { data() {} } });
      socket.end();
      return;
    } catch (problem) {
      if (performance.now() > deadline) throw problem;
      await Bun.sleep(POLL_MS);
    }
  }
}
