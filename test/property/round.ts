import { Chance } from '../support/chance.ts';
import type { SluiceOptions } from '../support/sluice.ts';
import { Actor } from './actor.ts';
import { Counts } from './counts.ts';
import { Chronicle, History } from './history.ts';
import type { Plan, Weather } from './plan.ts';
import { Proxy } from './proxy.ts';
import { Stage } from './stage.ts';
import type { Life } from './steps.ts';
import { Turns } from './turns.ts';
import type { World } from './world.ts';

export type Outcome =
  | { readonly kind: 'passed'; readonly counts: Counts }
  | {
      readonly kind: 'failed';
      readonly counts: Counts;
      readonly problem: Error;
      /** The last things that happened. */
      readonly told: readonly string[];
    };

/** Does all that the plan says, with a Sluice of its own. */
export async function playRound(
  world: World,
  plan: Plan,
  options: SluiceOptions = {},
): Promise<Outcome> {
  const proxy = await Proxy.open(world, plan.connections, options);
  const round = new Round(plan, new Stage(world, proxy, new Counts()));
  try {
    await round.play();
    return { kind: 'passed', counts: round.counts };
  } catch (problem) {
    const found = problem instanceof Error ? problem : new Error(String(problem));
    for (const { reason, detail } of proxy.sluice.logs('serverDiscarded'))
      if (reason !== 'evicted')
        round.chronicle.note('Sluice', `discarded: ${JSON.stringify({ reason, detail })}`);
    return {
      kind: 'failed',
      problem: found,
      told: round.chronicle.told(/^session \d+/.exec(found.message)?.[0] ?? 'nobody'),
      counts: round.counts,
    };
  } finally {
    await proxy.sluice.stop('SIGKILL');
  }
}

class Round {
  readonly chronicle = new Chronicle();
  readonly #plan: Plan;
  readonly #stage: Stage;
  readonly #turns: Turns | undefined;
  readonly #weather: Weather[];
  /** Nothing has gone wrong yet. */
  #fine = true;
  #steps = 0;
  /** One thing of the weather after the other. */
  #storm: Promise<void> = Promise.resolve();
  readonly #cleaning: Promise<void>[] = [];

  constructor(plan: Plan, stage: Stage) {
    this.#plan = plan;
    this.#stage = stage;
    this.#turns = plan.order === 'turns' ? new Turns(new Chance(plan.seed)) : undefined;
    this.#weather = [...plan.weather];
  }

  get counts(): Counts {
    return this.#stage.counts;
  }

  /** Rejects with the first thing that went wrong, when all has come to rest. */
  async play(): Promise<void> {
    const problems: unknown[] = [];
    const sessions = this.#plan.sessions.map(async (lives, session) => {
      try {
        for (const [life, one] of lives.entries())
          if (this.#fine) await this.#live(one, session, life);
      } catch (problem) {
        if (this.#fine) problems.push(blame(problem, session));
        this.#fine = false;
        this.#stage.clear();
      } finally {
        this.#turns?.over(session);
      }
    });
    await Promise.all(sessions);
    await this.#storm.catch((problem: unknown) => problems.push(problem));
    if (problems.length > 0) throw problems[0];
    await Promise.all(this.#cleaning);
    await this.#stage.proxy.expectClean();
    await this.#countReasons();
  }

  async #live(life: Life, session: number, number: number): Promise<void> {
    const { world, counts } = this.#stage;
    await world.prepare(life);
    const history = new History(this.chronicle, `session ${session}, life ${number}`);
    const actor = await Actor.enter(this.#stage, life, history);
    counts.add('sessions');
    await actor?.live(async () => {
      this.#blow();
      await this.#turns?.next(session);
      if (!this.#fine) throw new Error('another session has failed');
    });
    const cleaning = world.clean(life);
    cleaning.catch(() => {}); // met at the end
    this.#cleaning.push(cleaning);
  }

  /** One more step: lets come what the weather brings by now. */
  #blow(): void {
    this.#steps += 1;
    for (;;) {
      const [next] = this.#weather;
      if (next === undefined || next.afterSteps > this.#steps) return;
      this.#weather.shift();
      this.#storm = this.#bringAfter(this.#storm, next);
      this.#storm.catch(() => {}); // met at the end
    }
  }

  async #bringAfter(before: Promise<void>, next: Weather): Promise<void> {
    await before;
    await this.#bring(next);
  }

  async #bring({ what, which }: Weather): Promise<void> {
    if (!this.#fine) return;
    const { proxy, counts } = this.#stage;
    this.chronicle.note('from outside', what);
    switch (what) {
      case 'terminate':
        return await this.#stage.terminate(which);
      case 'reload':
        counts.add('reloads');
        return await proxy.reload();
      case 'resize':
        counts.add('changed pool sizes');
        return await proxy.resize(which);
      case 'rotate':
        counts.add('rotated passwords');
        return await proxy.rotate(which);
    }
  }

  async #countReasons(): Promise<void> {
    for (const name of ['pins_total', 'discards_total'] as const) {
      for (const [reason, count] of await this.#stage.proxy.byReason(name))
        this.counts.add(`${name === 'pins_total' ? 'pins' : 'discards'}: ${reason}`, count);
    }
  }
}

function blame(problem: unknown, session: number): Error {
  const { name, message } = problem instanceof Error ? problem : new Error(String(problem));
  return new Error(`session ${session}: ${name}: ${message}`, { cause: problem });
}
