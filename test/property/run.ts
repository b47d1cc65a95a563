// `bun test/property/run.ts --seed S --minutes M`: sessions do random things, through Sluice and at the same time directly,
// until the time is over or the two differ. Says then how to see it again, and tries to make it smaller.
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Counts } from './counts.ts';
import { tellFailure, tellPlan } from './report.ts';
import type { AnyLife, Plan, PlanSize } from './script.ts';
import { shrink, stepsIn } from './shrink.ts';
import { mysqlReleases } from '../support/mysql.ts';
import { openMysql, openPostgres, openSqlServer } from './theatres.ts';
import type { Manner, ServerAddress } from './sqlserver/world.ts';
import type { Theatre } from './theatres.ts';

const PROGRESS_MS = 10_000;
/** A smaller plan has so many chances to fail. */
const ATTEMPTS = 2;

const { values } = parseArgs({
  options: {
    /** The first round's; each round has the next one. By default any. */
    seed: { type: 'string' },
    minutes: { type: 'string', default: '1' },
    /** As many, instead of minutes. */
    rounds: { type: 'string' },
    /** By default the seed says how many sessions there are at a time, and how many connections they share. */
    sessions: { type: 'string' },
    connections: { type: 'string' },
    /** `turns` or `free`; by default the seed says which. */
    order: { type: 'string' },
    /** How many lives each session has, and how many steps at most a life has. */
    lives: { type: 'string', default: '6' },
    steps: { type: 'string', default: '40' },
    /** `postgres`, `mysql`, `mariadb-11.8`, `mariadb-10.11` or `sqlserver`. */
    engine: { type: 'string', default: 'postgres' },
    /** SQL Server: `host:port` of a server that may be filled with databases, and who may do that; by default a server of our own. */
    server: { type: 'string' },
    user: { type: 'string', default: 'sa' },
    password: { type: 'string', default: '' },
    /** What our own server is like: `sqlserver` or `babelfish`. */
    manner: { type: 'string', default: 'sqlserver' },
    /** PostgreSQL 18 or 14. */
    version: { type: 'string', default: '18' },
    /** For how many minutes a failing plan is made smaller. */
    shrink: { type: 'string', default: '2' },
    /** Another Sluice: to try whether this test finds what is wrong with it. */
    program: { type: 'string' },
  },
});

const number = (text: string | undefined): number | undefined =>
  text === undefined ? undefined : Number(text);
const size: PlanSize = {
  sessions: number(values.sessions),
  connections: number(values.connections),
  order: values.order === 'turns' || values.order === 'free' ? values.order : undefined,
  lives: Number(values.lives),
  steps: Number(values.steps),
};
const options = values.program === undefined ? {} : { program: values.program };
const firstSeed = number(values.seed) ?? Math.floor(Math.random() * 1e9);
const counts = new Counts();

process.chdir(fileURLToPath(new URL('../..', import.meta.url)));
process.exitCode = await main();

async function main(): Promise<number> {
  const release = mysqlReleases.find((one) => one === values.engine);
  if (release !== undefined) return await playAll(await openMysql(release));
  if (values.engine === 'sqlserver') return await playAll(await openSqlServer(given(), manner()));
  if (values.engine !== 'postgres') throw new Error(`there is no engine ${values.engine}`);
  return await playAll(await openPostgres(values.version === '14' ? 14 : 18));
}

function given(): ServerAddress | undefined {
  const { server, user, password } = values;
  if (server === undefined) return undefined;
  const [host = '', port = '1433'] = server.split(':');
  return { host, port: Number(port), user, password };
}

function manner(): Manner {
  return values.manner === 'babelfish' ? 'babelfish' : 'sqlserver';
}

async function playAll<Life extends AnyLife>(theatre: Theatre<Life>): Promise<number> {
  try {
    return await playRounds(theatre);
  } finally {
    await theatre.close();
  }
}

async function playRounds<Life extends AnyLife>(theatre: Theatre<Life>): Promise<number> {
  const started = performance.now();
  const until = values.rounds === undefined ? started + Number(values.minutes) * 60_000 : Infinity;
  const rounds = number(values.rounds) ?? Infinity;
  let saidAt = started;
  console.log(`${theatre.title}, seed ${firstSeed} and those that follow`);
  for (let round = 0; round < rounds && performance.now() < until; round += 1) {
    const plan = theatre.makePlan(firstSeed + round, size);
    const outcome = await theatre.play(plan, options);
    counts.add('rounds');
    counts.addAll(outcome.counts);
    if (outcome.kind === 'failed') {
      const requests = counts.of('requests compared');
      console.log(`\n${tellFailure(plan, outcome, { size, server: theatre.words })}`);
      console.log(`\nSeed ${plan.seed} failed, after ${requests} requests of this run.`);
      await tellSmaller(theatre, plan);
      return 1;
    }
    if (performance.now() - saidAt > PROGRESS_MS) {
      saidAt = performance.now();
      const minutes = ((saidAt - started) / 60_000).toFixed(1);
      const [done, requests] = [counts.of('rounds'), counts.of('requests compared')];
      console.log(`${minutes} min: ${done} rounds, ${requests} requests, up to seed ${plan.seed}`);
    }
  }
  console.log(counts.lines().join('\n'));
  return 0;
}

async function tellSmaller<Life extends AnyLife>(
  theatre: Theatre<Life>,
  plan: Plan<Life>,
): Promise<void> {
  const until = performance.now() + Number(values.shrink) * 60_000;
  const smaller = await shrink(
    plan,
    async (candidate) => await failsOften(theatre, candidate),
    () => performance.now() > until,
  );
  if (smaller === plan) return;
  console.log(`\nThis is enough, ${stepsIn(smaller)} steps of ${stepsIn(plan)}:`);
  console.log(tellPlan(smaller, (step) => theatre.tellStep(step)));
}

async function failsOften<Life extends AnyLife>(
  theatre: Theatre<Life>,
  plan: Plan<Life>,
): Promise<boolean> {
  for (let left = ATTEMPTS; left > 0; left -= 1) {
    if ((await theatre.play(plan, options)).kind === 'failed') return true;
  }
  return false;
}
