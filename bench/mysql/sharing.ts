import type { Line } from '../support/line.ts';
import type { Visitor } from '../support/visitor.ts';
import { signIn, visit } from './visit.ts';

/** How many connections the database has for so many clients of a pooler's, who have run a statement each and wait now. */
export async function connectionsWith(
  clients: number,
  pooler: Line,
  database: Line,
): Promise<number> {
  const watch = await signIn(database);
  const visitors: Visitor[] = [];
  try {
    const before = await watch.number(CONNECTIONS);
    for (let left = clients; left > 0; left -= 1) {
      const visitor = await visit(pooler);
      visitors.push(visitor);
      await visitor.ask();
    }
    return (await watch.number(CONNECTIONS)) - before;
  } finally {
    for (const visitor of visitors) visitor.destroy();
    await watch.quit();
  }
}

const CONNECTIONS = 'SELECT COUNT(*) FROM information_schema.processlist';
