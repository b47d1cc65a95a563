import type { Transaction } from '../data/transaction.ts';
import { errors } from '../types/errors.ts';
import type { Context } from './context.ts';
import type { Work } from './wait.ts';
import { ended } from './wait.ts';

/** Waits for another's transaction, unless it waits for this session or the time is up. */
export function* waitFor(holder: Transaction, { engine, session }: Context): Work<void> {
  const { waitingFor } = engine;
  for (let next: number | undefined = holder.spid; next !== undefined; next = waitingFor.get(next))
    if (next === session.spid) throw errors.deadlock(session.spid);
  const limitMs = session.options.lockTimeout;
  if (limitMs === 0) throw errors.lockTimeout();
  waitingFor.set(session.spid, holder.spid);
  try {
    yield ended(holder, limitMs);
  } finally {
    waitingFor.delete(session.spid);
  }
  if (!holder.hasEnded) throw errors.lockTimeout();
}
