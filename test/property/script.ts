import { Chance } from '../support/chance.ts';

/** What happens to all, after so many steps of anybody's. */
export interface Weather {
  readonly afterSteps: number;
  readonly what: 'terminate' | 'reload' | 'resize' | 'rotate';
  /** Which connection, which size, which user: taken modulo how many there are. */
  readonly which: number;
}

/** A client from its sign-in to its end, of whatever protocol. */
export interface AnyLife {
  readonly login: unknown;
  /** Names of its own: of its schemas, its channel, its lock. */
  readonly name: string;
  /** A text that nobody else may ever see. */
  readonly token: string;
  readonly steps: readonly unknown[];
}

/** All that a round will do: a seed says it, and a failing one can be made smaller. */
export interface Plan<Life extends AnyLife = AnyLife> {
  readonly seed: number;
  readonly connections: number;
  /** One session after another by the order of a seed, or all at once. */
  readonly order: 'turns' | 'free';
  /** The lives of each session, one after the other. */
  readonly sessions: readonly (readonly Life[])[];
  readonly weather: readonly Weather[];
}

export interface PlanSize {
  /** By default the seed says how many. */
  readonly sessions?: number | undefined;
  readonly connections?: number | undefined;
  readonly order?: 'turns' | 'free' | undefined;
  readonly lives: number;
  readonly steps: number;
}

/** Who writes the lives. */
export interface Author<Login, Life> {
  readonly login: (chance: Chance) => Login;
  readonly life: (chance: Chance, parts: LifeParts<Login>) => Life;
}

export interface LifeParts<Login> {
  readonly name: string;
  readonly lock: number;
  /** One of these signs in. */
  readonly logins: readonly Login[];
  /** At most so many. */
  readonly steps: number;
}

const kinds: readonly [Weather['what'], ...Weather['what'][]] = [
  'terminate',
  'terminate',
  'reload',
  'resize',
  'rotate',
];

export function drawPlan<Login, Life extends AnyLife>(
  seed: number,
  size: PlanSize,
  author: Author<Login, Life>,
): Plan<Life> {
  const chance = new Chance(seed);
  // Drawn also where they are given: the rest must not depend on it.
  const drawn = [chance.between(3, 8), chance.between(1, 3)] as const;
  const drawnOrder = chance.percent(30) ? 'turns' : 'free';
  const { sessions = drawn[0], connections = drawn[1], order = drawnOrder } = size;
  const logins = Array.from({ length: chance.between(1, 4) }, () => author.login(chance));
  const steps = sessions * size.lives * size.steps;
  const weather = Array.from({ length: chance.below(Math.ceil(steps / 150) + 1) }, () => ({
    afterSteps: chance.below(steps),
    what: chance.pick(kinds),
    which: chance.below(1_000),
  }));
  return {
    seed,
    connections,
    order,
    sessions: Array.from({ length: sessions }, (_, session) =>
      Array.from({ length: size.lives }, (_, life) => {
        const name = `n${session}_${life}`;
        const lock = 1_000 * (session + 1) + life;
        return author.life(chance.fork(lock), { name, lock, logins, steps: size.steps });
      }),
    ),
    weather: weather.sort((a, b) => a.afterSteps - b.afterSteps),
  };
}

/** A text that is no part of any other life's. */
export function drawToken(chance: Chance, name: string): string {
  return `tok_${name}_${chance.below(1_679_616).toString(36)}_kot`;
}
