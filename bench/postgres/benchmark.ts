import { describeMachine } from '../support/machine.ts';
import { runToEnd } from '../support/command.ts';
import { provisionProgram } from '../../test/support/provision.ts';
import type { Benchmark, Stage } from '../stage.ts';
import type { BenchDatabase } from './database.ts';
import { startDatabase } from './database.ts';
import { Contest } from './contest.ts';
import type { Options } from './options.ts';
import { help, readOptions } from './options.ts';
import { pgbouncer } from './poolers/pgbouncer.ts';
import type { Pooler } from './poolers/pooler.ts';
import { POOL_SIZE } from './poolers/pooler.ts';
import { OURS, sluice } from './poolers/sluice.ts';
import type { IdleReport, Report, ResultReport } from './report.ts';
import { idleClientBytes, SLUICE, toJson } from './report.ts';
import { tables } from './tables.ts';

export const postgresBenchmark: Benchmark = {
  name: 'postgres',
  summary: 'Sluice against PgBouncer in front of the same PostgreSQL server.',
  help,
  async run(args, stage) {
    const options = readOptions(args);
    if (options.help) {
      stage.out(help);
      return 0;
    }
    if (process.platform !== 'linux')
      throw new Error('processor time and memory are read from /proc: this needs Linux');
    await provisionProgram('pgbench', stage.say);
    const poolers = await findPoolers(options, stage);
    const machine = describeMachine();
    await using database = await startDatabase(stage.signal);
    const versions = await versionsOf(poolers, database, stage.signal);
    const named = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
    stage.say(`${named.join(', ')}; ${machine.processors} processors, ${machine.model}`);
    const measured = await contest(poolers, database, options, stage);
    const { rounds, seconds } = options;
    const report: Report = {
      ...{ engine: 'postgres', rounds, seconds, poolSize: POOL_SIZE, machine, versions },
      ...measured,
    };
    const titles = new Map(poolers.map(({ key, title }) => [key, title]));
    stage.out(options.json ? toJson(report) : tables(report, titles, stage.columns));
    return report.failures.length === 0 ? 0 : 1;
  },
};

async function findPoolers(
  { pooler, rivals }: Options,
  { say, signal }: Stage,
): Promise<readonly Pooler[]> {
  const found = [
    await sluice(SLUICE, 'Sluice', pooler === undefined ? OURS : shell(pooler), signal),
  ];
  let others = 0;
  for (const rival of rivals) {
    if (rival === 'pgbouncer') {
      found.push(await pgbouncer(say, signal));
      continue;
    }
    others += 1;
    const number = others === 1 ? '' : String(others);
    found.push(await sluice(`other${number}`, `Other${number}`, shell(rival), signal));
  }
  return found;
}

/** A command as it is typed here, to which arguments are added. */
function shell(command: string): readonly string[] {
  return ['/bin/sh', '-c', `cd "$0" && exec ${command} "$@"`, process.cwd()];
}

async function versionsOf(
  poolers: readonly Pooler[],
  database: BenchDatabase,
  signal: AbortSignal,
): Promise<Readonly<Record<string, string>>> {
  const { out } = await runToEnd(['pgbench', '--version'], { signal });
  return {
    ...Object.fromEntries(poolers.map(({ key, version }) => [key, version])),
    bun: Bun.version,
    postgres: database.version,
    pgbench: /\d[\d.]*/.exec(out)?.[0] ?? out.trim(),
  };
}

async function contest(
  poolers: readonly Pooler[],
  database: BenchDatabase,
  options: Options,
  stage: Stage,
): Promise<Pick<Report, 'cases' | 'idle' | 'results' | 'idleClientBytes' | 'failures'>> {
  const contest = new Contest(poolers, database, options, stage);
  const cases = await contest.load(options.cases.filter((one) => one.kind === 'load'));
  const idle: IdleReport[] = [];
  const results: ResultReport[] = [];
  for (const one of options.cases) {
    if (one.kind === 'idle') idle.push(await contest.idle(one));
    if (one.kind === 'result') results.push(await contest.result(one));
  }
  const { failures } = contest;
  return { cases, idle, results, idleClientBytes: idleClientBytes(idle), failures };
}
