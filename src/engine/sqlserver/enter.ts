import type { Conversation } from '../../core/conversation.ts';
import type { Gate } from '../../core/engine.ts';
import { envChange } from '../../wire/tds/tokens.ts';
import { batch } from './ask.ts';
import { encryptsColumns, knock } from './login.ts';
import { SqlServerMemory } from './memory.ts';
import type { SqlServerPrincipal } from './principal.ts';
import { Inquiry } from './question.ts';
import { refusedBy } from './refusal.ts';
import { intern, SessionState } from './state.ts';
import type { Target } from './target.ts';
import { productOf } from './target.ts';

/** Logs in to a database and asks how its sessions begin. Throws a `FaultError` with the database's own errors where it says no. */
export function* enter(
  gate: Gate<SqlServerPrincipal>,
  target: Target,
): Conversation<SqlServerMemory> {
  const { spid, welcome, packetBytes } = yield* knock(gate, target);
  const memory = new SqlServerMemory({
    spid,
    gate,
    target,
    tdsVersion: welcome.ack.version,
    packetBytes,
    welcome,
    hasColumnEncryption: encryptsColumns(welcome.features),
    beginning: NOTHING,
    state: SessionState.fresh(welcome.database),
  });
  target.meet(welcome.ack);
  if (target.tellsTransactions === undefined) yield* meet(memory, target);
  yield* takeStock(memory);
  return memory;
}

const NOTHING = intern(new Map());
const NO_CONTEXT = '0x';

const MEETING = 'SELECT @@VERSION; BEGIN TRANSACTION; COMMIT TRANSACTION';

/** What is the same for all connections: what the server is, and whether it tells of transactions that statements begin. */
function* meet(memory: SqlServerMemory, target: Target): Conversation<void> {
  const { sets, errors, envChanges, inTransaction } = yield* batch(memory, MEETING);
  if (errors.length > 0) throw refusedBy(errors, memory.tdsVersion);
  target.product = productOf(String(sets[0]?.rows[0]?.[0] ?? ''));
  target.tellsTransactions =
    inTransaction || envChanges.some(({ type }) => type === envChange.beginTransaction);
  memory.inTransaction = false;
}

/** What settings are now is what sessions begin with. */
export function* takeStock(memory: SqlServerMemory): Conversation<void> {
  const inquiry = new Inquiry(memory.target.tellsTransactions === false);
  for (let question = inquiry.next(); question !== undefined; question = inquiry.next())
    inquiry.answered(question, yield* batch(memory, question.sql));
  // A reset of Babelfish's leaves it, and nothing makes it NULL again: it becomes empty, and is nobody else's.
  if (memory.target.tellsTransactions === false) inquiry.values.set('context_info', NO_CONTEXT);
  memory.beginning = intern(inquiry.values);
  memory.state = SessionState.fresh(inquiry.database ?? memory.welcome.database);
}
