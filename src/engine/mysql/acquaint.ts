import type { Conversation } from '../../core/conversation.ts';
import type { Fault } from '../../core/fault.ts';
import { use } from './enter.ts';
import type { MysqlMemory } from './memory.ts';
import type { MysqlPrincipal } from './principal.ts';
import { refusedBy } from './refusal.ts';
import type { Target } from './target.ts';

/** Whether it is known that the database lets this user into the schema that it wants. */
export function isAcquainted(target: Target, { user, schema }: MysqlPrincipal): boolean {
  return schema === undefined || target.schemaOf(user, schema) !== undefined;
}

/** Goes into the schema, and stays there: whoever has the connection next goes elsewhere. Returns the database's error. */
export function* acquaint(
  memory: MysqlMemory,
  target: Target,
  { user, schema }: MysqlPrincipal,
): Conversation<Fault | undefined> {
  const error = schema === undefined ? undefined : yield* use(memory, target, user, schema);
  return error === undefined ? undefined : refusedBy(error).fault;
}
