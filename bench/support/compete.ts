import type { Stage } from '../stage.ts';
import type { Ground } from './contest.ts';
import { Contest } from './contest.ts';
import type { Line } from './line.ts';
import type { Machine } from './machine.ts';
import type { Options } from './options.ts';
import { POOL_SIZE } from './pooler.ts';
import type { IdleReport, ResultReport } from './report.ts';
import { idleClientBytes, toJson } from './report.ts';
import { tables } from './tables.ts';
import type { Target } from './targets.ts';
import { judge } from './targets.ts';

/** What a report begins with. */
interface Entry {
  readonly engine: string;
  readonly machine: Machine;
  readonly versions: Readonly<Record<string, string>>;
  readonly targets: readonly Target[];
}

/** Measures all chosen cases and reports. Returns the exit code. */
export async function compete<Database extends Line>(
  { engine, machine, versions, targets }: Entry,
  ground: Ground<Database>,
  options: Options,
  stage: Stage,
): Promise<number> {
  const named = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  stage.say(`${named.join(', ')}; ${machine.processors} processors, ${machine.model}`);
  const { rounds, seconds, json } = options;
  const contest = new Contest(ground, options, stage);
  const cases = await contest.load(options.cases.filter((one) => one.kind === 'load'));
  const idle: IdleReport[] = [];
  const results: ResultReport[] = [];
  for (const one of options.cases) {
    if (one.kind === 'idle') idle.push(await contest.idle(one));
    if (one.kind === 'result') results.push(await contest.result(one));
  }
  const measured = {
    ...{ engine, rounds, seconds, poolSize: POOL_SIZE, machine, versions, cases, idle, results },
    ...{ idleClientBytes: idleClientBytes(idle), failures: contest.failures },
  };
  const report = { ...measured, targets: judge(targets, measured) };
  const titles = new Map(ground.poolers.map(({ key, title }) => [key, title]));
  stage.out(json ? toJson(report) : tables(report, titles, stage.columns));
  return report.failures.length === 0 ? 0 : 1;
}
