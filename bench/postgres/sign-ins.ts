import type { Finish } from '../support/finishes.ts';
import type { Line } from '../support/line.ts';
import type { Figures, Measurement } from '../support/span.ts';
import { figuresOf, observe } from '../support/span.ts';
import { signIn } from './client.ts';

/**
 * Lets clients sign in, run one statement and leave, again and again, many times faster than pgbench can: they derive their key
 * only once. A transaction is all of that.
 */
export async function measureSignIns(
  clients: number,
  line: Line,
  measurement: Measurement,
): Promise<Figures> {
  const over = new AbortController();
  const finishes: Finish[] = [];
  const comeAndGo = async (_: unknown, client: number): Promise<void> => {
    while (!over.signal.aborted) {
      const began = performance.now();
      const visitor = await signIn(line);
      await visitor.query('SELECT 1');
      await visitor.end();
      const latencyMicros = (performance.now() - began) * 1000;
      finishes.push({ client, latencyMicros, atMicros: Date.now() * 1000 });
    }
  };
  const coming = Promise.all(Array.from({ length: clients }, comeAndGo));
  try {
    // Nobody leaves for good before the time is over, unless something fails.
    const failed = coming.then(() => Promise.reject(new Error('the clients have left')));
    const span = await Promise.race([observe(measurement), failed]);
    return figuresOf(finishes, span, false);
  } finally {
    over.abort();
    await coming.catch(() => {});
  }
}
