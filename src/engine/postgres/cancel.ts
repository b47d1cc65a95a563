import type { Conversation } from '../../core/conversation.ts';
import { readEnd, send } from '../../core/conversation.ts';
import type { TlsMode } from '../../core/engine.ts';
import { cancelRequest } from '../../wire/postgres/startup.ts';
import { agreeOnTls } from './enter.ts';
import type { PostgresMemory } from './memory.ts';

/**
 * On a connection of its own: asks the database to stop what `memory`'s connection does, and waits until the database has
 * closed, which it does once the signal has been sent (trap PG-41). Without a cancel key there is nothing to ask (trap PG-28).
 */
export function* cancel(memory: PostgresMemory, tlsMode: TlsMode): Conversation<void> {
  if (memory.secret.length === 0) return;
  yield* agreeOnTls(tlsMode);
  yield* send(cancelRequest(memory.pid, memory.secret));
  yield* readEnd();
}
