import { Violation } from '../../base/assert.ts';
import { utf8 } from '../../base/bytes.ts';
import type { Conversation } from '../../core/conversation.ts';
import type { Capacity } from '../../core/engine.ts';
import { FaultError } from '../../core/fault.ts';
import type { PinReason } from '../../core/pin.ts';
import { ask, hearOut } from './ask.ts';
import { auditQuery, readAudit } from './audit.ts';
import { Classifier } from './classifier.ts';
import type { PostgresMemory } from './memory.ts';

/** DISCARD ALL does not unload a library or forget a random seed, and nobody knows what hidden state is. */
const BEYOND_RESET: readonly PinReason[] = ['library', 'hiddenState'];

/** Back to what the connection was after login; undefined where only closing it helps. */
export function reset(
  memory: PostgresMemory,
  pins: ReadonlySet<PinReason>,
): Conversation<void> | undefined {
  if (BEYOND_RESET.some((reason) => pins.has(reason))) return undefined;
  return talkReset(memory);
}

function* talkReset(memory: PostgresMemory): Conversation<void> {
  yield* hearOut(memory);
  const statements = memory.status === 'I' ? ['DISCARD ALL'] : ['ROLLBACK', 'DISCARD ALL'];
  yield* ask(memory, ...statements);
  if (memory.status !== 'I') throw new Violation('a transaction is open after a reset');
  memory.wipe();
}

/** An empty query: the cheapest answer a database can give. */
export function* ping(memory: PostgresMemory): Conversation<void> {
  const before = memory.parameters;
  yield* ask(memory, '');
  memory.unnamed = undefined;
  // What it reports now is a new configuration, and no session's doing.
  for (const [name, value] of memory.parameters) {
    if (before.get(name) !== value) memory.rebase(name, value);
  }
}

/** The settings that say how many connections ordinary users may have; the second list came with PostgreSQL 16. */
const CAPACITY_QUERY = `select current_setting('max_connections')::int
  - current_setting('superuser_reserved_connections')::int
  - coalesce(current_setting('reserved_connections', true)::int, 0) as connections,
  current_setting('server_version') as version`;

export function* measure(memory: PostgresMemory): Conversation<Capacity> {
  const rows = yield* ask(memory, CAPACITY_QUERY);
  const connections = Number(rows[0]?.get('connections'));
  if (!Number.isInteger(connections) || connections < 1) {
    throw new Violation('the database did not tell how many connections it allows');
  }
  return { connections, product: `PostgreSQL ${rows[0]?.get('version') ?? ''}` };
}

/** The target group's InitQuery, once per connection. What it sets belongs to the connection's first state. */
export function* initialise(memory: PostgresMemory, statements: string): Conversation<void> {
  yield* ask(memory, statements);
  if (memory.status !== 'I') {
    throw new FaultError({
      name: 'databaseRefused',
      refusal: 'later',
      detail: 'the init query leaves a transaction open',
    });
  }
  yield* takeStock(memory, statements);
}

/** What they have set is what sessions begin with. */
function* takeStock(memory: PostgresMemory, statements: string): Conversation<void> {
  const bytes = utf8(statements);
  const { touches } = new Classifier().classify(bytes, 0, bytes.length);
  const questions = {
    settings: [...new Set(touches.map(({ name }) => name))],
    madeUp: new Set<string>(),
    allKnown: true,
    reasons: [],
    mayBeEmpty: new Set<string>(),
    inHex: memory.parameters.get('client_encoding') !== 'UTF8',
  };
  const rows = yield* ask(memory, auditQuery(questions));
  const login = memory.initial.get('session_authorization') ?? '';
  const { settings } = readAudit(questions, rows[0]?.values ?? [], login);
  memory.state = memory.state.with(settings);
  memory.beginning = memory.state;
  memory.greeting = memory.parameters;
}
