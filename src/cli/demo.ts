import type { Clock } from '../base/clock.ts';
import { systemClock } from '../base/clock.ts';
import { systemRandom } from '../base/random.ts';
import type { Command, Given } from './command.ts';
import { oneOf, UsageError } from './command.ts';
import { unlessAborted, untilStopped } from './demo/abort.ts';
import { burst, BUSINESS_LOGIC_MS } from './demo/burst.ts';
import type { DemoDatabase, Route } from './demo/database.ts';
import type { DemoEngine } from './demo/engines.ts';
import { chooseEngine, engineNames } from './demo/engines.ts';
import { figuresOf } from './demo/figures.ts';
import type { Progress } from './demo/progress.ts';
import { Bars, canDraw, Lines, paint, silence } from './demo/progress.ts';
import { startProxy } from './demo/proxy.ts';
import type { Result, Results } from './demo/report.ts';
import { comparison, conclusion, connectionCommands } from './demo/report.ts';
import { serverFlags } from './demo/sqlserver/options.ts';
import type { Io } from './io.ts';
import { table } from './table.ts';

const INVOCATIONS = { standard: 500, most: 5_000 } as const;
/** Wider text is harder to read. */
const WIDEST = 80;
/** What shells say of a program that Ctrl-C has ended. */
const INTERRUPTED = 130;

export const demoCommand: Command = {
  summary:
    'Show what a proxy is for: many function invocations at once, first straight at a small database ' +
    'server, which is thrown away afterwards, or at a SQL Server of yours, then through Sluice.',
  flags: [
    {
      name: 'engine',
      value: 'NAME',
      what: `Which database: ${oneOf(engineNames)}. Default: ${engineNames[0]}`,
    },
    {
      name: 'invocations',
      value: 'NUMBER',
      what: `How many, 1 to ${INVOCATIONS.most}. Default: ${INVOCATIONS.standard}`,
    },
    { name: 'keep', what: 'Leave the proxy running, and say how to connect to it, until Ctrl-C.' },
    { name: 'json', what: 'Print the figures as one JSON object, and nothing else.' },
    ...serverFlags,
  ],
  run: (given, io) => {
    const options = readOptions(given, io.env);
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
  readonly engine: DemoEngine;
  readonly invocations: number;
  readonly keep: boolean;
  readonly json: boolean;
}

interface Stage extends Options {
  readonly io: Io;
  readonly signal: AbortSignal;
  readonly clock: Clock;
}

function readOptions(given: Given, env: Io['env']): Options {
  const { standard, most } = INVOCATIONS;
  const [keep, json] = [given.has('keep'), given.has('json')];
  if (keep && json) throw new UsageError('--keep and --json do not go together');
  const text = given.get('invocations') ?? String(standard);
  const invocations = /^\d{1,6}$/.test(text) ? Number(text) : 0;
  if (invocations < 1 || invocations > most)
    throw new UsageError(`--invocations must be a number from 1 to ${most}`);
  const engine = chooseEngine(given, env);
  return { engine, invocations, keep, json };
}

/** The whole story. All that it starts has ended when it returns, however it does. */
async function tell(stage: Stage): Promise<number> {
  const { engine, io, signal, clock, json, invocations, keep } = stage;
  const say = (text: string): void => (json ? undefined : io.out(text));
  await using cleanup = new AsyncDisposableStack();
  say(engine.opening);
  const surroundings = { clock, random: systemRandom, env: io.env, signal, say };
  const database = cleanup.use(await engine.start(surroundings));
  signal.throwIfAborted();
  say(
    `It is ${database.origin}.\n\n` +
      `${invocations} function invocations at once: each connects${withTls(database)}, reads a row, waits\n` +
      `${BUSINESS_LOGIC_MS / 1_000} s for another service, writes a row, and closes its connection.${engine.remark}\n`,
  );
  const progress = showProgress(stage);
  cleanup.defer(() => progress.end());
  const run = async (opening: Promise<Route>): Promise<Result> => {
    await using route = await opening;
    const work = measure(route, { invocations, clock, database, progress });
    return await unlessAborted(signal, Promise.race([work, route.ended]));
  };
  const direct = await run(database.directRoute());
  await unlessAborted(signal, database.untilAlone());
  const proxy = cleanup.use(await startProxy(database, engine, surroundings));
  const proxied = await run(database.proxiedRoute(proxy));
  progress.end();
  say(report({ direct, proxied }, io));
  if (json) io.out(JSON.stringify({ direct: direct.figures, proxied: proxied.figures }));
  if (keep) {
    say(`\n${connectionCommands(engine.client, proxy, database)}`);
    await untilToldToStop(signal, proxy.ended);
  }
  return proxied.figures.failed === 0 ? 0 : 1;
}

/** Where the database has none, it is the proxy alone that is reached by it. */
function withTls({ tls }: DemoDatabase): string {
  return tls.mode === 'disable' ? '' : ' with TLS';
}

function showProgress({ io, json, invocations, clock }: Stage): Progress {
  if (json) return silence;
  return canDraw(io) ? new Bars(io, invocations, clock) : new Lines(io, invocations);
}

interface Measurement {
  readonly invocations: number;
  readonly clock: Clock;
  readonly database: DemoDatabase;
  readonly progress: Progress;
}

/** Lets all invocations take this route. Rejects where the database does not hold what they say they wrote. */
async function measure(
  route: Route,
  { invocations, clock, database, progress }: Measurement,
): Promise<Result> {
  const { name } = route;
  const [outcome, peak] = await database.peakDuring(name, () =>
    burst(route, invocations, clock, (...counts) => progress.update(name, ...counts)),
  );
  const rows = await database.rowsOf(name);
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
