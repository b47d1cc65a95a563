import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Load } from '../support/cases.ts';
import { runToEnd } from '../support/command.ts';
import type { Line } from '../support/line.ts';
import type { Figures, Measurement, Span } from '../support/span.ts';
import { figuresOf, observe } from '../support/span.ts';
import { parseLog } from './pgbench-log.ts';

/** What pgbench does. */
export interface PgbenchLoad extends Load {
  readonly mode: 'simple' | 'extended' | 'prepared';
}

/** pgbench takes whole seconds only, and the lead-in has to fit; on a machine that is too busy for that, more is tried. */
const SPARE_SECONDS = [1, 4, 16] as const;
/** A pooler that lets clients wait for each other has failed. */
const LATE_SECONDS = 10;
const POLL_MS = 10;

/** Runs pgbench to its end, with nothing of the user's environment or home. */
export async function pgbench(
  args: readonly string[],
  { host, port, user, database, password, tls }: Line,
  { signal, cwd = tmpdir() }: { readonly signal: AbortSignal; readonly cwd?: string },
): Promise<void> {
  const command = ['pgbench', `--host=${host}`, `--port=${port}`, `--username=${user}`, ...args];
  const env = {
    PATH: process.env['PATH'] ?? '',
    // libpq looks for certificates and services there.
    HOME: cwd,
    PGPASSWORD: password.reveal(),
    // Its own default tries TLS first.
    PGSSLMODE: tls ? 'require' : 'disable',
    PGGSSENCMODE: 'disable',
  };
  await runToEnd([...command, database], { signal, env, cwd });
}

/**
 * Puts the load on the line and measures for `seconds` what is finished and what the pooler uses. Who is still connecting or
 * already leaving is not in it. Rejects where a client of pgbench's fails.
 */
export async function measureLoad(
  load: PgbenchLoad,
  line: Line,
  measurement: Measurement,
): Promise<Figures> {
  for (const spare of SPARE_SECONDS) {
    const directory = await mkdtemp(join(tmpdir(), 'sluice-bench-'));
    try {
      const runSeconds = Math.ceil(measurement.seconds) + spare;
      const span = await observeLoad(load, line, { ...measurement, directory, runSeconds });
      // Of a connection for each transaction, pgbench does not count the time that it takes.
      if (span !== undefined)
        return figuresOf(parseLog(await readLogs(directory)), span, load.reconnect);
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  }
  throw new Error('pgbench ended again and again before it had been measured');
}

interface Run extends Measurement {
  /** For pgbench's log. */
  readonly directory: string;
  /** How long pgbench runs. */
  readonly runSeconds: number;
}

/** Undefined where pgbench ended before the time to be measured was over. */
async function observeLoad(load: PgbenchLoad, line: Line, run: Run): Promise<Span | undefined> {
  const { directory, runSeconds } = run;
  const failed = new AbortController();
  const late = setTimeout(
    () => failed.abort(new Error(`pgbench has not ended ${LATE_SECONDS} s after its time`)),
    (runSeconds + LATE_SECONDS) * 1000,
  );
  try {
    const signal = AbortSignal.any([run.signal, failed.signal]);
    const logging = [`--time=${runSeconds}`, '--log', `--log-prefix=${join(directory, 'log')}`];
    const loaded = pgbench([...argumentsOf(load), ...logging], line, { signal, cwd: directory });
    // Where each transaction connects, nobody has to be waited for, and the log comes late.
    const begun = load.reconnect ? Promise.resolve() : untilLogged(directory, signal);
    const observed = begun.then(() => observe({ ...run, signal }));
    const span = await Promise.race([observed, loaded.then(() => undefined)]);
    await loaded;
    return span;
  } catch (problem) {
    failed.signal.throwIfAborted();
    throw problem;
  } finally {
    clearTimeout(late);
    failed.abort();
  }
}

function argumentsOf({ mode, clients, reconnect }: PgbenchLoad): readonly string[] {
  // While a thread connects it does nothing else, so one that reconnects serves one client.
  const jobs = reconnect ? clients : Math.min(clients, availableParallelism());
  return [
    '--select-only',
    '--no-vacuum',
    `--protocol=${mode}`,
    `--client=${clients}`,
    `--jobs=${jobs}`,
    ...(reconnect ? ['--connect'] : []),
  ];
}

/** The log is written in blocks: there is one as soon as some transactions have been finished. */
async function untilLogged(directory: string, signal: AbortSignal): Promise<void> {
  for (;;) {
    for (const name of await readdir(directory)) {
      if ((await stat(join(directory, name))).size > 0) return;
    }
    await pause(POLL_MS, undefined, { signal });
  }
}

async function readLogs(directory: string): Promise<string> {
  const names = await readdir(directory);
  return (await Promise.all(names.map((name) => readFile(join(directory, name), 'latin1')))).join(
    '',
  );
}
