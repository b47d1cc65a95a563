import type { AnyLife, Plan } from './script.ts';

/**
 * The smallest plan that can be found in time and still fails. `fails` plays a plan; it may fail at one time and not at
 * another, as the network is real, so that the result need not be the smallest there is.
 */
export async function shrink<Life extends AnyLife>(
  plan: Plan<Life>,
  fails: (plan: Plan<Life>) => Promise<boolean>,
  isLate: () => boolean,
): Promise<Plan<Life>> {
  for (const smaller of smallerThan(plan)) {
    if (isLate()) return plan;
    if (await fails(smaller)) return await shrink(smaller, fails, isLate);
  }
  return plan;
}

export function stepsIn(plan: Plan): number {
  return plan.sessions.flat().reduce((sum, { steps }) => sum + steps.length, 0);
}

/** The coarse cuts come first. */
function* smallerThan<Life extends AnyLife>(plan: Plan<Life>): Generator<Plan<Life>> {
  const { sessions } = plan;
  if (plan.weather.length > 0) yield { ...plan, weather: [] };
  for (const [at, lives] of sessions.entries()) {
    if (lives.length > 0) yield withSession(plan, at, []);
  }
  for (const [at, lives] of sessions.entries()) {
    for (const part of parts(lives)) yield withSession(plan, at, part);
  }
  for (const [at, lives] of sessions.entries()) {
    for (const [number, life] of lives.entries()) {
      for (const steps of parts(life.steps))
        yield withSession(plan, at, lives.with(number, { ...life, steps }));
    }
  }
}

/** Sessions keep their place, so that whoever is left keeps its names. */
function withSession<Life extends AnyLife>(
  plan: Plan<Life>,
  at: number,
  lives: readonly Life[],
): Plan<Life> {
  return { ...plan, sessions: plan.sessions.with(at, lives) };
}

/** The list without a half of it, without a quarter, … without one of its entries. */
function* parts<T>(list: readonly T[]): Generator<readonly T[]> {
  for (
    let size = Math.ceil(list.length / 2);
    size > 0;
    size = size === 1 ? 0 : Math.ceil(size / 2)
  ) {
    for (let from = 0; from < list.length; from += size)
      yield list.filter((_, at) => at < from || at >= from + size);
  }
}
