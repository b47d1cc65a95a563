import type { Clock } from '../../base/clock.ts';
import type { Route } from './database.ts';
import type { Outcome } from './figures.ts';

/**
 * How long an invocation waits for another service while its connection waits for it: so long that those of one burst
 * overlap on a slow machine, too.
 */
export const BUSINESS_LOGIC_MS = 2_000;

/**
 * Starts that many invocations at once and waits for all of them; they may fail. `progress` hears how many have
 * succeeded and failed whenever one ends.
 */
export async function burst(
  route: Route,
  invocations: number,
  clock: Clock,
  progress: (succeeded: number, failed: number) => void,
): Promise<Outcome> {
  const latenciesMs: number[] = [];
  const errors: string[] = [];
  const one = async (_: unknown, invocation: number): Promise<void> => {
    const startedMs = clock.nowMs();
    try {
      await route.invoke(invocation);
      latenciesMs.push(clock.nowMs() - startedMs);
    } catch (error) {
      errors.push(error instanceof Error ? error.message : String(error));
    }
    progress(latenciesMs.length, errors.length);
  };
  await Promise.all(Array.from({ length: invocations }, one));
  return { latenciesMs, errors };
}
