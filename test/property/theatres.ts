import { fileURLToPath } from 'node:url';
import type { MysqlRelease } from '../../src/cli/embedded-mysql-install.ts';
import type { SluiceOptions } from '../support/sluice.ts';
import { Actor } from './actor.ts';
import { Counts } from './counts.ts';
import type { History } from './history.ts';
import { Actor as MysqlActor } from './mysql/actor.ts';
import { makePlan as makeMysqlPlan } from './mysql/plan.ts';
import { tellStep as tellMysqlStep } from './mysql/steps.ts';
import type { Life as MysqlLife } from './mysql/steps.ts';
import { World as MysqlWorld } from './mysql/world.ts';
import { makePlan } from './plan.ts';
import { Proxy } from './proxy.ts';
import type { Front } from './proxy.ts';
import { playRound } from './round.ts';
import type { AnyActor, Outcome, Troupe } from './round.ts';
import type { AnyLife, Plan, PlanSize } from './script.ts';
import { Actor as SqlServerActor } from './sqlserver/actor.ts';
import { makePlan as makeSqlServerPlan } from './sqlserver/plan.ts';
import { tellStep as tellSqlServerStep } from './sqlserver/steps.ts';
import type { Life as SqlServerLife } from './sqlserver/steps.ts';
import { World as SqlServerWorld } from './sqlserver/world.ts';
import type { Manner, ServerAddress } from './sqlserver/world.ts';
import { Stage } from './stage.ts';
import type { AnyWorld } from './stage.ts';
import { tellStep } from './steps.ts';
import type { Life } from './steps.ts';
import { World } from './world.ts';
import type { Version } from './world.ts';

const INSISTENT = fileURLToPath(new URL('../support/insistent.ts', import.meta.url));

/** A server, and what is played with it. */
export interface Theatre<Life extends AnyLife> {
  /** For people. */
  readonly title: string;
  /** The words that choose it. */
  readonly words: string;
  makePlan(seed: number, size: PlanSize): Plan<Life>;
  play(plan: Plan<Life>, options?: SluiceOptions): Promise<Outcome>;
  tellStep(step: Life['steps'][number]): string;
  close(): Promise<void>;
}

export async function openPostgres(version: Version): Promise<Theatre<Life>> {
  const world = await World.open(version);
  return {
    title: `PostgreSQL ${world.server.version}`,
    words: `--version ${version}`,
    makePlan,
    play: async (plan, options) => await playRound(plan, await hire(world, Actor, plan, options)),
    tellStep,
    close: () => world.close(),
  };
}

export async function openMysql(release: MysqlRelease): Promise<Theatre<MysqlLife>> {
  const world = await MysqlWorld.open(release);
  return {
    title: `${world.isMariadb ? '' : 'MySQL '}${world.server.version}`,
    words: `--engine ${release}`,
    makePlan: (seed, size) => makeMysqlPlan(seed, size, world.isMariadb),
    play: async (plan, options) =>
      await playRound(plan, await hire(world, MysqlActor, plan, options)),
    tellStep: tellMysqlStep,
    close: () => world.close(),
  };
}

/** @param given a server that is there already; undefined: the project's own, in this manner */
export async function openSqlServer(
  given: ServerAddress | undefined,
  manner: Manner,
): Promise<Theatre<SqlServerLife>> {
  const world = await SqlServerWorld.open(given, manner);
  const words =
    given === undefined
      ? `--engine sqlserver --manner ${manner}`
      : `--engine sqlserver --server ${given.host}:${given.port} --user ${given.user} --password …`;
  return {
    title: world.title,
    words,
    makePlan: (seed, size) => makeSqlServerPlan(seed, size, given === undefined ? 'all' : 'new'),
    play: async (plan, options) => {
      const troupe = await hire(world, SqlServerActor, plan, options);
      const outcome = await playRound(plan, troupe);
      const complaints = world.complaints();
      if (outcome.kind === 'failed' || complaints.length === 0) return outcome;
      const problem = new Error(`the server complains: ${complaints.join('; ')}`);
      return { kind: 'failed', counts: outcome.counts, problem, told: [] };
    },
    tellStep: tellSqlServerStep,
    close: () => world.close(),
  };
}

interface Home<Life> extends Front, AnyWorld {
  prepare(life: Life): Promise<void>;
  clean(life: Life): Promise<void>;
}

interface Cast<Life, World extends AnyWorld> {
  enter(stage: Stage<World>, life: Life, history: History): Promise<AnyActor | undefined>;
}

/** Those who play a round, with a Sluice of their own. */
async function hire<Life, World extends Home<Life>>(
  world: World,
  cast: Cast<Life, World>,
  { seed, connections }: Plan,
  options: SluiceOptions = {},
): Promise<Troupe<Life, World>> {
  // A single round is not enough to be read for by the ring.
  const usual = seed % 2 === 0 ? {} : { program: INSISTENT };
  const proxy = await Proxy.open(world, connections, { ...usual, ...options });
  const stage = new Stage<World>(world, proxy, new Counts());
  return {
    stage,
    prepare: (life) => world.prepare(life),
    enter: (life, history) => cast.enter(stage, life, history),
    clean: (life) => world.clean(life),
  };
}
