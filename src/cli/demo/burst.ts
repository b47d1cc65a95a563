import type { Clock } from '../../base/clock.ts';
import { Connection } from './connection.ts';
import { PRODUCTS } from './database.ts';
import { pause } from './pause.ts';
import type { Outcome } from './figures.ts';
import type { Route } from './routes.ts';

/** What an invocation computes while its connection waits. */
export const BUSINESS_LOGIC_MS = 25;

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
      await handle(route, invocation, clock);
      latenciesMs.push(clock.nowMs() - startedMs);
    } catch (error) {
      errors.push(error instanceof Error ? error.message : String(error));
    }
    progress(latenciesMs.length, errors.length);
  };
  await Promise.all(Array.from({ length: invocations }, one));
  return { latenciesMs, errors };
}

/** What functions do that know nothing of pools: connect, read, think while the connection waits, write, close. */
async function handle(route: Route, invocation: number, clock: Clock): Promise<void> {
  await using connection = await Connection.open(await route.login(invocation));
  const { sql } = connection;
  const product = 1 + (invocation % PRODUCTS);
  await sql`SELECT cents FROM products WHERE id = ${product}`;
  await pause(clock, BUSINESS_LOGIC_MS);
  await sql.begin(async (transaction) => {
    await transaction`
      INSERT INTO orders (route, invocation, cents)
      SELECT ${route.name}, ${invocation}, cents FROM products WHERE id = ${product}`;
  });
}
