import type { Conversation } from '../../core/conversation.ts';
import { send } from '../../core/conversation.ts';
import type { TlsMode } from '../../core/engine.ts';
import { byte } from '../../wire/mysql/build.ts';
import { command } from '../../wire/mysql/commands.ts';
import { readError } from '../../wire/mysql/err.ts';
import { packet } from '../../wire/mysql/framing.ts';
import { ask, query } from './ask.ts';
import { knock } from './enter.ts';
import type { MysqlMemory } from './memory.ts';
import { refusedBy } from './refusal.ts';
import type { Target } from './target.ts';

/** The connection is gone: there is nothing to stop. */
const NO_SUCH_THREAD = 1094;

/**
 * On a connection of its own, as the same user: has the database stop what `memory`'s connection does. When it has answered,
 * the statement has been told; one that comes later is not hit.
 */
export function* cancel(memory: MysqlMemory, target: Target, tlsMode: TlsMode): Conversation<void> {
  const { capabilities } = yield* knock({ ...memory.gate, tlsMode }, target);
  const listener = { capabilities, status: 0 };
  const [answer] = yield* ask(listener, query(`KILL QUERY ${memory.threadId}`, capabilities));
  yield* send(packet(0, byte(command.quit)));
  const error = answer?.error;
  if (error !== undefined && readError(error).code !== NO_SUCH_THREAD) throw refusedBy(error);
}
