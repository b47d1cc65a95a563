import { Chance } from '../support/chance.ts';
import type { Counts } from './counts.ts';
import { Chronicle, History } from './history.ts';
import type { AnyLife, Plan, Weather } from './script.ts';
import type { AnyWorld, Stage } from './stage.ts';
import { Turns } from './turns.ts';

export type Outcome =
  | { readonly kind: 'passed'; readonly counts: Counts }
  | {
      readonly kind: 'failed';
      readonly counts: Counts;
      readonly problem: Error;
      /** The last things that happened. */
      readonly told: readonly string[];
    };

/** Somebody who has signed in both ways. */
export interface AnyActor {
  /** Does all steps, each when it is its turn. */
  live(turn: () => Promise<void>): Promise<void>;
}

/** What is played for lives of one protocol. */
export interface Troupe<Life, World extends AnyWorld> {
  readonly stage: Stage<World>;
  /** Makes what belongs to one life. A round that failed may have left something. */
  prepare(life: Life): Promise<void>;
  /** Undefined where the connection was ended from outside before it was one. */
  enter(life: Life, history: History): Promise<AnyActor | undefined>;
  clean(life: Life): Promise<void>;
}

/** Does all that the plan says, with a Sluice of its own. */
export async function playRound<Life extends AnyLife, World extends AnyWorld>(
  plan: Plan<Life>,
  troupe: Troupe<Life, World>,
): Promise<Outcome> {
  const { proxy } = troupe.stage;
  const round = new Round(plan, troupe);
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

class Round<Life extends AnyLife, World extends AnyWorld> {
  readonly chronicle = new Chronicle();
  readonly #plan: Plan<Life>;
  readonly #troupe: Troupe<Life, World>;
  readonly #stage: Stage<World>;
  readonly #turns: Turns | undefined;
  readonly #weather: Weather[];
  /** Nothing has gone wrong yet. */
  #fine = true;
  #steps = 0;
  /** One thing of the weather after the other. */
  #storm: Promise<void> = Promise.resolve();
  readonly #cleaning: Promise<void>[] = [];

  constructor(plan: Plan<Life>, troupe: Troupe<Life, World>) {
    this.#plan = plan;
    this.#troupe = troupe;
    this.#stage = troupe.stage;
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
    const { counts } = this.#stage;
    await this.#troupe.prepare(life);
    const history = new History(this.chronicle, `session ${session}, life ${number}`);
    const actor = await this.#troupe.enter(life, history);
    counts.add('sessions');
    await actor?.live(async () => {
      this.#blow();
      await this.#turns?.next(session);
      if (!this.#fine) throw new Error('another session has failed');
    });
    const cleaning = this.#troupe.clean(life);
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
