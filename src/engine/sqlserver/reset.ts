import { Violation } from '../../base/assert.ts';
import type { Conversation } from '../../core/conversation.ts';
import { wait } from '../../core/conversation.ts';
import type { Capacity } from '../../core/engine.ts';
import { FaultError } from '../../core/fault.ts';
import type { PinReason } from '../../core/pin.ts';
import type { Results } from '../../wire/tds/results.ts';
import { batch } from './ask.ts';
import { takeStock } from './enter.ts';
import type { SqlServerMemory } from './memory.ts';
import { refusedBy } from './refusal.ts';
import { SessionState } from './state.ts';

/** A reset does not get rid of an application role, and fails where somebody is impersonated. */
const OUTLASTING: readonly PinReason[] = ['hiddenState', 'globalTransaction'];

const OUTLASTING_IN_BABELFISH: readonly PinReason[] = [...OUTLASTING, 'sessionContext'];

/** What others may wait for, or run into: it goes at once, whether or not somebody takes the connection. */
const PRESSING: readonly PinReason[] = ['sessionLock', 'temporaryObject', 'cursor'];

/**
 * Back to what the connection was after login, by the bit of the next request's first packet: a request of its own only where a
 * transaction or something that others may run into is to go. Undefined where a reset would not do.
 */
export function reset(
  memory: SqlServerMemory,
  pins: ReadonlySet<PinReason>,
): Conversation<void> | undefined {
  const isBabelfish = memory.target.tellsTransactions === false;
  const outlasting = isBabelfish ? OUTLASTING_IN_BABELFISH : OUTLASTING;
  const mayHave = (reason: PinReason): boolean =>
    pins.has(reason) || memory.suspected.includes(reason);
  if (outlasting.some(mayHave)) return undefined;
  const isPressing = memory.inTransaction || PRESSING.some(mayHave);
  return isPressing ? resetNow(memory) : resetLater(memory);
}

/** There is nothing to say yet. */
function* resetLater(memory: SqlServerMemory): Conversation<void> {
  yield* wait(() => memory.reset());
  memory.stay = 0;
}

/** The isolation level does not go with the rest (trap TD-03), so that it is brought back by the same request. */
function* resetNow(memory: SqlServerMemory): Conversation<void> {
  // A reset of Babelfish's ends a transaction, but still counts it.
  if (memory.target.tellsTransactions !== true)
    yield* asked(memory, 'IF @@TRANCOUNT > 0 ROLLBACK TRANSACTION');
  memory.reset();
  const fresh = SessionState.fresh(memory.welcome.database);
  const way = fresh.wayFrom(memory.state, memory.beginning) ?? 'SELECT 1';
  yield* asked(memory, way);
  if (memory.inTransaction) throw new Violation('a transaction is open after a reset');
  memory.state = fresh;
  memory.stay = 0;
}

export function* ping(memory: SqlServerMemory): Conversation<void> {
  yield* asked(memory, 'SELECT 1');
}

/** The most that there can be, whatever the configuration says. */
const MOST_CONNECTIONS = 32_767;

/** `user connections` is 0 where there is no limit. */
export function* measure(memory: SqlServerMemory): Conversation<Capacity> {
  const { sets } = yield* asked(memory, 'SELECT @@MAX_CONNECTIONS');
  const granted = Number(sets[0]?.rows[0]?.[0]);
  if (!Number.isInteger(granted) || granted < 0)
    throw new Violation('the database did not tell how many connections it allows');
  return {
    connections: granted === 0 ? MOST_CONNECTIONS : granted,
    product: memory.target.product,
  };
}

/** The target group's InitQuery, once per connection. What it sets belongs to the connection's first state. */
export function* initialise(memory: SqlServerMemory, statements: string): Conversation<void> {
  const before = memory.beginning;
  const { sets } = yield* asked(memory, statements);
  if (sets.length > 0) throw unfit('returns rows');
  if (yield* leftTransaction(memory)) throw unfit('leaves a transaction open');
  yield* takeStock(memory);
  memory.undoneByReset = [...before].filter(
    ([name, value]) => memory.beginning.get(name) !== value,
  );
}

/** Not every server tells. */
function* leftTransaction(memory: SqlServerMemory): Conversation<boolean> {
  if (memory.target.tellsTransactions === true) return memory.inTransaction;
  const { sets } = yield* asked(memory, 'SELECT @@TRANCOUNT');
  return Number(sets[0]?.rows[0]?.[0]) > 0;
}

function* asked(memory: SqlServerMemory, sql: string): Conversation<Results> {
  const results = yield* batch(memory, sql);
  if (results.errors.length > 0) throw refusedBy(results.errors, memory.tdsVersion);
  return results;
}

function unfit(why: string): FaultError {
  const detail = `the init query ${why}`;
  return new FaultError({ name: 'databaseRefused', refusal: 'later', detail });
}
