import type { ServerError } from '../../wire/mysql/err.ts';
import { CONNECTION_ID_BASE } from './greet.ts';
import type { Party } from './party.ts';
import type { Kill } from './sql/effects.ts';

/**
 * Stops whom a KILL means. Clients know their connections by numbers of ours, and by those of the database's that they have been on.
 * What is neither is for the database to find (trap MY-30): undefined.
 */
export function stopByNumber(
  { sink, who }: Pick<Party, 'sink' | 'who'>,
  { what, id }: Kill,
): 'own' | 'stopped' | ServerError | undefined {
  if (id === undefined || what === 'queryId' || what === 'user') return undefined;
  if (id === 'own') return 'own';
  const isOurs = id >= CONNECTION_ID_BASE;
  let isOthers = false;
  const isStopped = sink.stop(
    (number, { user }, memory) => {
      const isMeant = isOurs ? number === id - CONNECTION_ID_BASE : memory?.threadId === id;
      isOthers ||= isMeant && user !== who.user;
      return isMeant && user === who.user;
    },
    what === 'query' ? 'request' : 'session',
  );
  if (isStopped) return 'stopped';
  if (isOthers) return notOwner(id);
  return isOurs ? unknownThread(id) : undefined;
}

function unknownThread(id: number): ServerError {
  return { code: 1094, sqlState: 'HY000', message: `Unknown thread id: ${id}` };
}

function notOwner(id: number): ServerError {
  return { code: 1095, sqlState: 'HY000', message: `You are not owner of thread ${id}` };
}
