import type { Clock } from '../base/clock.ts';
import { systemClock } from '../base/clock.ts';
import { systemRandom } from '../base/random.ts';
import type { Command, Given } from './command.ts';
import { UsageError } from './command.ts';
import { unlessAborted, untilStopped } from './demo/abort.ts';
import { burst, BUSINESS_LOGIC_MS } from './demo/burst.ts';
import type { Connection } from './demo/connection.ts';
import type { DemoDatabase } from './demo/database.ts';
import { MAX_CONNECTIONS, startDatabase } from './demo/database.ts';
import { figuresOf } from './demo/figures.ts';
import { openObserver, peakDuring, rowsOf, untilAlone } from './demo/observe.ts';
import type { Progress } from './demo/progress.ts';
import { Bars, canDraw, Lines, paint, silence } from './demo/progress.ts';
import { startProxy } from './demo/proxy.ts';
import type { Result, Results } from './demo/report.ts';
import { comparison, conclusion, connectionCommands } from './demo/report.ts';
import type { Route } from './demo/routes.ts';
import { directRoute, proxiedRoute } from './demo/routes.ts';
import type { Io } from './io.ts';
import { table } from './table.ts';

const INVOCATIONS = { standard: 500, most: 5_000 } as const;
/** Wider text is harder to read. */
const WIDEST = 80;
/** What shells say of a program that Ctrl-C has ended. */
const INTERRUPTED = 130;

export const demoCommand: Command = {
  summary:
    'Show what a proxy is for: many function invocations at once, first straight at a small PostgreSQL ' +
    'server, which is thrown away afterwards, then through Sluice.',
  flags: [
    {
      name: 'invocations',
      value: 'NUMBER',
      what: `How many, 1 to ${INVOCATIONS.most}. Default: ${INVOCATIONS.standard}`,
    },
    { name: 'keep', what: 'Leave the proxy running, and say how to connect to it, until Ctrl-C.' },
    { name: 'json', what: 'Print the figures as one JSON object, and nothing else.' },
  ],
  run: (given, io) => {
    const options = readOptions(given);
    return untilStopped(async (signal) => {
      try {
        return await tell({ ...options, io, signal, clock: systemClock });
      } catch (problem) {
        if (signal.aborted) return INTERRUPTED;
        throw problem;
      }
    });
  },
};

interface Options {
  readonly invocations: number;
  readonly keep: boolean;
  readonly json: boolean;
}

interface Stage extends Options {
  readonly io: Io;
  readonly signal: AbortSignal;
  readonly clock: Clock;
}

function readOptions(given: Given): Options {
  const { standard, most } = INVOCATIONS;
  const [keep, json] = [given.has('keep'), given.has('json')];
  if (keep && json) throw new UsageError('--keep and --json do not go together');
  const text = given.get('invocations') ?? String(standard);
  const invocations = /^\d{1,6}$/.test(text) ? Number(text) : 0;
  if (invocations < 1 || invocations > most)
    throw new UsageError(`--invocations must be a number from 1 to ${most}`);
  return { invocations, keep, json };
}

/** The whole story. All that it starts has ended when it returns, however it does. */
async function tell(stage: Stage): Promise<number> {
  const { io, signal, clock, json, invocations, keep } = stage;
  const say = (text: string): void => (json ? undefined : io.out(text));
  await using cleanup = new AsyncDisposableStack();
  say(
    `Starting a PostgreSQL server with max_connections = ${MAX_CONNECTIONS}: what Amazon RDS grants\n` +
      'a database instance with 1 GB of memory.',
  );
  const database = cleanup.use(await startDatabase(systemRandom));
  signal.throwIfAborted();
  const observer = cleanup.use(await openObserver(database));
  say(
    `${invocations} function invocations at once: each connects with TLS, reads a row, computes\n` +
      `for ${BUSINESS_LOGIC_MS} ms, writes a row, and closes its connection.\n`,
  );
  const progress = showProgress(stage);
  cleanup.defer(() => progress.end());
  const run = (route: Route): Promise<Result> =>
    unlessAborted(signal, measure(route, { invocations, clock, database, observer, progress }));
  const direct = await run(directRoute(database));
  await unlessAborted(signal, untilAlone(observer, clock));
  const proxy = cleanup.use(await startProxy(database, { signal, clock, random: systemRandom }));
  const proxied = await run(proxiedRoute(proxy, database));
  progress.end();
  say(report({ direct, proxied }, io));
  if (json) io.out(JSON.stringify({ direct: direct.figures, proxied: proxied.figures }));
  if (keep) {
    say(`\n${connectionCommands(proxy, database)}`);
    await untilToldToStop(signal, proxy.ended);
  }
  return proxied.figures.failed === 0 ? 0 : 1;
}

function showProgress({ io, json, invocations, clock }: Stage): Progress {
  if (json) return silence;
  return canDraw(io) ? new Bars(io, invocations, clock) : new Lines(io, invocations);
}

interface Measurement {
  readonly invocations: number;
  readonly clock: Clock;
  readonly database: DemoDatabase;
  readonly observer: Connection;
  readonly progress: Progress;
}

/** Lets all invocations take this route. Rejects where the database does not hold what they say they wrote. */
async function measure(
  route: Route,
  { invocations, clock, database, observer, progress }: Measurement,
): Promise<Result> {
  const { name } = route;
  const [outcome, peak] = await peakDuring(name, database, observer, () =>
    burst(route, invocations, clock, (...counts) => progress.update(name, ...counts)),
  );
  const rows = await rowsOf(name, observer);
  const succeeded = outcome.latenciesMs.length;
  if (rows !== succeeded)
    throw new Error(`${succeeded} invocations succeeded, but ${rows} rows were written`);
  return { figures: figuresOf(outcome, peak), errors: outcome.errors };
}

function report(results: Results, io: Io): string {
  const columns = Math.min(io.columns, WIDEST);
  const [heading = '', ...lines] = comparison(results, columns).split('\n');
  const sentence = table([[conclusion(results)]], columns);
  return ['', paint(io, 'bold', heading), ...lines, '', sentence].join('\n');
}

async function untilToldToStop(signal: AbortSignal, proxyEnded: Promise<never>): Promise<void> {
  try {
    await unlessAborted(signal, proxyEnded);
  } catch (problem) {
    if (!signal.aborted) throw problem;
  }
}
