import type { MysqlRelease } from '../../src/cli/embedded-mysql-install.ts';
import type { SluiceOptions } from '../support/sluice.ts';
import { makePlan as makeMysqlPlan } from './mysql/plan.ts';
import { tellStep as tellMysqlStep } from './mysql/steps.ts';
import type { Life as MysqlLife } from './mysql/steps.ts';
import { World as MysqlWorld } from './mysql/world.ts';
import { makePlan } from './plan.ts';
import { playRound } from './round.ts';
import type { Outcome } from './round.ts';
import type { AnyLife, Plan, PlanSize } from './script.ts';
import { tellStep } from './steps.ts';
import type { Life } from './steps.ts';
import { troupeOf } from './troupe.ts';
import { World } from './world.ts';
import type { Version } from './world.ts';

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
    play: async (plan, options) =>
      await playRound(plan, await troupeOf(world, plan.connections, options)),
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
      await playRound(plan, await world.troupe(plan.connections, options)),
    tellStep: tellMysqlStep,
    close: () => world.close(),
  };
}
