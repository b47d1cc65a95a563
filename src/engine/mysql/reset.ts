import { must, Violation } from '../../base/assert.ts';
import type { Conversation } from '../../core/conversation.ts';
import type { Capacity } from '../../core/engine.ts';
import { FaultError } from '../../core/fault.ts';
import type { PinReason } from '../../core/pin.ts';
import { byte, int16 } from '../../wire/mysql/build.ts';
import { concat } from '../../base/bytes.ts';
import { capability } from '../../wire/mysql/capabilities.ts';
import { command } from '../../wire/mysql/commands.ts';
import { serverStatus } from '../../wire/mysql/status-flags.ts';
import { ask, query } from './ask.ts';
import type { MysqlMemory } from './memory.ts';
import { refusedBy } from './refusal.ts';
import {
  beginningQuery,
  findTracked,
  readBeginning,
  readVariables,
  reportQuery,
  VARIABLES_QUERY,
} from './setup.ts';
import type { Target } from './target.ts';
import { productOf } from './target.ts';

/** From these versions on, a server resets a session when it is told to. */
const RESETS = { mysql: 50_703, mariadb: 100_204 } as const;

/** A reset keeps the role that was SET, and MariaDB loses a prepared global transaction, with all its locks. */
const OUTLASTING: readonly PinReason[] = ['hiddenState', 'globalTransaction'];

/** Back to what the connection was after login; undefined where the server cannot, or what ties the session to it would outlast it. */
export function reset(
  memory: MysqlMemory,
  target: Target,
  pins: ReadonlySet<PinReason>,
): Conversation<void> | undefined {
  const { isMariaDb, version } = memory.target;
  if (OUTLASTING.some((reason) => pins.has(reason))) return undefined;
  // A reset leaves the schema as it is, into which a session may have gone that has left in a transaction.
  if ((memory.state.schema !== undefined) !== memory.isInSchema) return undefined;
  return version < (isMariaDb ? RESETS.mariadb : RESETS.mysql)
    ? undefined
    : talkReset(memory, target);
}

/** The schema stays; MySQL, unlike MariaDB, does not return to the character set of the handshake (trap MY-25). */
function* talkReset(memory: MysqlMemory, target: Target): Conversation<void> {
  const { capabilities } = memory;
  const tracked = yield* findTracked(memory, target, memory.target);
  const restoring = reportQuery(tracked, memory.beginning);
  const answers = yield* ask(
    memory,
    byte(command.resetConnection),
    query(restoring ?? 'DO 0', capabilities),
    query(beginningQuery(memory.target), capabilities),
  );
  for (const { error } of answers) if (error !== undefined) throw refusedBy(error);
  if ((memory.status & serverStatus.inTransaction) !== 0)
    throw new Violation('a transaction is open after a reset');
  memory.begin(readBeginning(memory.target, must(answers[2], NO_ANSWER), tracked));
}

export function* ping(memory: MysqlMemory): Conversation<void> {
  const [answer] = yield* ask(memory, byte(command.ping));
  if (answer?.error !== undefined) throw refusedBy(answer.error);
}

const CAPACITY_QUERY = 'SELECT @@global.max_connections, @@session.max_user_connections';

/** One connection more is kept for administrators, beside those that it grants. A user may be granted less. */
export function* measure(memory: MysqlMemory): Conversation<Capacity> {
  const [answer] = yield* ask(memory, query(CAPACITY_QUERY, memory.capabilities));
  if (answer?.error !== undefined) throw refusedBy(answer.error);
  const [all, mine] = (answer?.rows[0] ?? []).map(Number);
  if (all === undefined || !Number.isInteger(all) || all < 1) {
    throw new Violation('the database did not tell how many connections it allows');
  }
  const connections = mine !== undefined && mine > 0 ? Math.min(all, mine) : all;
  return { connections, product: productOf(memory.target) };
}

/** COM_SET_OPTION's words for several statements in one query. */
const several = { on: 0, off: 1 } as const;

/** The target group's InitQuery, once per connection. What it sets belongs to the connection's first state (trap MY-53). */
export function* initialise(
  memory: MysqlMemory,
  target: Target,
  statements: string,
): Conversation<void> {
  const { capabilities } = memory;
  const isAllowed = (capabilities.flags & capability.multiStatements) !== 0;
  const [before, , answer] = yield* ask(
    memory,
    query(VARIABLES_QUERY, capabilities),
    option(several.on),
    query(statements, capabilities),
    ...(isAllowed ? [] : [option(several.off)]),
  );
  const { error, resultSets, changes } = must(answer, NO_ANSWER);
  if (error !== undefined) throw refusedBy(error);
  if (resultSets > 0) throw unfit('returns rows');
  if ((memory.status & serverStatus.inTransaction) !== 0) throw unfit('leaves a transaction open');
  for (const change of changes)
    if (change.kind === 'schema') memory.state = memory.state.in(change.name || undefined);
  yield* takeStock(memory, target, readVariables(must(before, NO_ANSWER)));
}

const NO_ANSWER = 'an answer is missing';

function option(word: number): Uint8Array {
  return concat([byte(command.setOption), int16(word)]);
}

function unfit(why: string): FaultError {
  const detail = `the init query ${why}`;
  return new FaultError({ name: 'databaseRefused', refusal: 'later', detail });
}

/**
 * What the statements have set is what sessions begin with. It is not always reported (MariaDB keeps `SET @@name = …` to itself),
 * and they may have had us told of less.
 */
function* takeStock(
  memory: MysqlMemory,
  target: Target,
  before: ReadonlyMap<string, string>,
): Conversation<void> {
  const { capabilities } = memory;
  const tracked = yield* findTracked(memory, target, memory.target);
  const [, all] = yield* ask(
    memory,
    query(reportQuery(tracked) ?? 'DO 0', capabilities),
    query(VARIABLES_QUERY, capabilities),
  );
  const after = readVariables(must(all, NO_ANSWER));
  const changed = [...after].filter(([name, value]) => before.get(name) !== value);
  const names = changed.map(([name]) => name).filter((name) => !MOVING.includes(name));
  const [begun] = yield* ask(memory, query(beginningQuery(memory.target, names), capabilities));
  memory.begin(readBeginning(memory.target, must(begun, NO_ANSWER), tracked, names));
}

/** Variables that change by themselves, or tell of the statement before. */
const MOVING: readonly string[] = [
  'error_count',
  'identity',
  'insert_id',
  'last_gtid',
  'last_insert_id',
  'rand_seed1',
  'rand_seed2',
  'statement_id',
  'timestamp',
  'warning_count',
];
