import { concat, EMPTY, utf8 } from '../../src/base/bytes.ts';
import { byte, int16, int32 } from '../../src/wire/mysql/build.ts';
import { capability } from '../../src/wire/mysql/capabilities.ts';
import { comQuery } from '../../src/wire/mysql/com-query.ts';
import { command } from '../../src/wire/mysql/commands.ts';
import { eof } from '../../src/wire/mysql/eof.ts';
import { following, packet, packetCount } from '../../src/wire/mysql/framing.ts';
import { ok } from '../../src/wire/mysql/ok.ts';
import type { SessionChange } from '../../src/wire/mysql/session-track.ts';
import { sessionState } from '../../src/wire/mysql/session-track.ts';
import { serverStatus } from '../../src/wire/mysql/status-flags.ts';
import { prepared, stmtClose, stmtPrepare, stmtReset } from '../../src/wire/mysql/stmt.ts';
import { MODERN, OLD } from './mysql-rig.ts';
import { refusal, resultSet } from './mysql-server.ts';

/** One side speaks, all that it says at a time; then the other answers. */
export interface Turn {
  readonly side: 'client' | 'server';
  readonly bytes: Uint8Array;
}

export function client(...packets: readonly Uint8Array[]): Turn {
  return { side: 'client', bytes: concat(packets) };
}

export function server(...packets: readonly Uint8Array[]): Turn {
  return { side: 'server', bytes: concat(packets) };
}

// What clients say: whole commands.

const say = (...parts: readonly Uint8Array[]): Uint8Array => packet(0, ...parts);

export const query = (sql: string, flags = MODERN): Uint8Array => say(comQuery(utf8(sql), flags));
export const simple = (code: number, ...rest: readonly Uint8Array[]): Uint8Array =>
  say(byte(code), ...rest);
export const ping = (): Uint8Array => simple(command.ping);
export const quit = (): Uint8Array => simple(command.quit);
export const initDb = (schema: string): Uint8Array => simple(command.initDb, utf8(schema));
export const resetConnection = (): Uint8Array => simple(command.resetConnection);
export const changeUser = (user = 'alice', schema = 'app'): Uint8Array =>
  simple(command.changeUser, utf8(`${user}\0`), byte(0), utf8(`${schema}\0`), int16(45), byte(0));
export const prepare = (sql: string): Uint8Array => say(stmtPrepare(utf8(sql)));
export const closeStatement = (id: number): Uint8Array => say(stmtClose(id));
export const resetStatement = (id: number): Uint8Array => say(stmtReset(id));
export const fetchRows = (id: number, rows: number): Uint8Array =>
  simple(command.stmtFetch, int32(id), int32(rows));
export const longData = (id: number, parameter: number, data: string): Uint8Array =>
  simple(command.stmtSendLongData, int32(id), int16(parameter), utf8(data));

export interface ExecuteParts {
  /** As many parameters as values; all of them texts. */
  readonly values?: readonly string[];
  /** Whether it says of which types they are. */
  readonly hasTypes?: boolean;
  readonly cursor?: boolean;
  /** The value has come in parts. */
  readonly isLong?: boolean;
}

const VAR_STRING = 253;

export function execute(id: number, parts: ExecuteParts = {}): Uint8Array {
  const { values = [], hasTypes = true, cursor = false, isLong = false } = parts;
  const types = hasTypes ? values.map(() => int16(VAR_STRING)) : [];
  const bound = [
    new Uint8Array((values.length + 7) >> 3),
    byte(hasTypes ? 1 : 0),
    ...types,
    ...(isLong ? [] : values.flatMap((value) => [byte(value.length), utf8(value)])),
  ];
  const header = [int32(id), byte(cursor ? 1 : 0), int32(1)];
  return simple(command.stmtExecute, ...header, ...(values.length === 0 ? [] : bound));
}

// What databases say: whole replies, whose first packet has the number 1 unless another one is given.

export function reply(...payloads: readonly Uint8Array[]): Uint8Array {
  return replyFrom(1, ...payloads);
}

export function replyFrom(sequence: number, ...payloads: readonly Uint8Array[]): Uint8Array {
  let next = sequence;
  return concat(
    payloads.map((payload) => {
      const bytes = packet(next, payload);
      next = following(next, packetCount(payload.length));
      return bytes;
    }),
  );
}

export interface OkParts {
  readonly status?: number;
  readonly rows?: number;
  readonly id?: number;
  readonly warnings?: number;
  readonly info?: string;
  readonly changes?: readonly SessionChange[];
}

export const IN_TRANSACTION = serverStatus.autocommit | serverStatus.inTransaction;
export const MORE = serverStatus.autocommit | serverStatus.moreResultsExist;

/** The payload of an OK, as databases tell us: with what has changed in the session. */
export function okay(parts: OkParts = {}): Uint8Array {
  const { status = 2, rows = 0, id = 0, warnings = 0, info = '', changes = [] } = parts;
  const changed = changes.length === 0 ? 0 : serverStatus.sessionStateChanged;
  const counts = { affectedRows: BigInt(rows), lastInsertId: BigInt(id), warnings, info };
  const state = { status: status | changed, sessionState: sessionState(changes) };
  return ok({ ...counts, ...state }, capability.sessionTrack);
}

export const done = (parts: OkParts = {}): Uint8Array => reply(okay(parts));
export const failed = (code = 1064, message = 'nonsense'): Uint8Array =>
  reply(refusal(code, message));

export const variable = (name: string, value: string): SessionChange => ({
  kind: 'systemVariable',
  name,
  value,
});
export const schema = (name: string): SessionChange => ({ kind: 'schema', name });

/** Payloads of a result of one column, `a`. */
export function rows(values: readonly string[], status = 2, flags = MODERN): readonly Uint8Array[] {
  return resultSet(
    ['a'],
    values.map((value) => [value]),
    flags | capability.sessionTrack,
    status,
  );
}

export const oneRow = (flags = MODERN): Uint8Array => reply(...rows(['one'], 2, flags));

/** What answers a question of ours: one row. */
export function answer(values: readonly (string | null)[], flags = MODERN, status = 2): Uint8Array {
  const names = values.map((_, at) => `c${at}`);
  return reply(...resultSet(names, [values], flags | capability.sessionTrack, status));
}

/** An answer to a query of ours that has no row. */
export function noRow(columns: number): Uint8Array {
  const names = Array.from({ length: columns }, (_, at) => `c${at}`);
  return reply(...resultSet(names, [], MODERN | capability.sessionTrack, 2));
}

/** Payloads of what a statement is prepared with. */
export function preparedAs(
  statementId: number,
  { parameters = 0, columns = 0, flags = MODERN } = {},
): readonly Uint8Array[] {
  const definition = resultSet(['?'], [], flags)[1] ?? EMPTY;
  const list = (count: number): readonly Uint8Array[] =>
    count === 0
      ? []
      : [
          ...Array.from({ length: count }, () => definition),
          ...((flags & capability.deprecateEof) === 0 ? [eof({ status: 2, warnings: 0 })] : []),
        ];
  const said = { statementId, columns, parameters, warnings: 0, described: true };
  return [prepared(said, flags), ...list(parameters), ...list(columns)];
}

/** A database's request for a file. */
export const wantsFile = (name: string): Uint8Array => concat([byte(0xfb), utf8(name)]);

/** A row of a binary result of one text. */
export const binaryRow = (value: string): Uint8Array =>
  concat([byte(0), byte(0), byte(value.length), utf8(value)]);

/** Payloads of the beginning of a result whose rows the client fetches. */
export function cursor(flags = MODERN): readonly Uint8Array[] {
  const status = serverStatus.autocommit | serverStatus.cursorExists;
  const [count = EMPTY, definition = EMPTY] = resultSet(['a'], [], flags);
  return [count, definition, endOfRows(status, flags)];
}

export function endOfRows(status = 2, flags = MODERN): Uint8Array {
  if ((flags & capability.deprecateEof) === 0) return eof({ status, warnings: 0 });
  const nothing = { affectedRows: 0n, lastInsertId: 0n, warnings: 0, info: '' };
  return ok({ ...nothing, status, sessionState: EMPTY }, flags, 0xfe);
}

/** With a client that hears of rows' ends by an OK, and with one that hears of them by an EOF. */
export const kinds = { modern: MODERN, old: OLD } as const;

/** Whole conversations, to be cut and put together in every way. They are of the `flags` that both sides have agreed on. */
export const conversations: Readonly<Record<string, (flags: number) => readonly Turn[]>> = {
  'queries, with and without rows, and errors': (flags) => [
    client(query('select 1')),
    server(oneRow(flags)),
    client(query('insert into t values (1)')),
    server(done({ rows: 1, info: 'Records: 1' })),
    client(query('nonsense')),
    server(failed()),
    client(query('select 2')),
    server(oneRow(flags)),
    client(quit()),
  ],
  'a transaction (MY-40)': (flags) => [
    client(query('begin')),
    server(done({ status: IN_TRANSACTION })),
    client(query('nonsense')),
    server(failed()),
    client(query('select 1')),
    server(reply(...rows(['one'], IN_TRANSACTION, flags))),
    client(query('commit')),
    server(done()),
  ],
  'several results of one query (MY-08)': (flags) => [
    client(query('select 1; update t set a = 1; select 2')),
    server(
      reply(
        ...rows(['one'], MORE, flags),
        okay({ status: MORE, rows: 3 }),
        ...rows(['two'], 2, flags),
      ),
    ),
    client(query('select 1; nonsense')),
    server(reply(...rows(['one'], MORE, flags), refusal(1064, 'nonsense'))),
    client(ping()),
    server(done()),
  ],
  'an error amid rows (MY-04)': (flags) => [
    client(query('select (select 1 union select 2)')),
    server(reply(...rows(['one', 'two'], 2, flags).slice(0, -1), refusal(1242, 'more than 1 row'))),
    client(ping()),
    server(done()),
  ],
  'a file, and one that is refused (MY-10)': () => [
    client(query('load data local infile "x" into table t')),
    server(reply(wantsFile('x'))),
    client(packet(2, utf8('1\n2\n')), packet(3, utf8('3\n')), packet(4)),
    server(replyFrom(5, okay({ rows: 3, info: 'Records: 3' }))),
    client(query('load data local infile "y" into table t')),
    server(reply(wantsFile('y'))),
    client(packet(2)),
    server(replyFrom(3, okay())),
    client(ping()),
    server(done()),
  ],
  'commands that come all at once (MY-69)': (flags) => [
    client(query('select 1'), ping(), query('select 2')),
    server(oneRow(flags)),
    server(done()),
    server(oneRow(flags)),
  ],
  'a prepared statement (MY-60, MY-70)': (flags) => [
    client(prepare('select ?')),
    server(reply(...preparedAs(77, { parameters: 1, columns: 1, flags }))),
    client(execute(1, { values: ['x'] })),
    server(oneRow(flags)),
    client(execute(1, { values: ['y'], hasTypes: false })),
    server(oneRow(flags)),
    client(prepare('nonsense')),
    server(failed()),
    client(execute(9), closeStatement(9), closeStatement(1), execute(1)),
    client(ping()),
    server(done()),
  ],
  'parts of a parameter, and what takes them back (MY-61)': (flags) => [
    client(prepare('insert into t values (?)')),
    server(reply(...preparedAs(5, { parameters: 1, flags }))),
    client(longData(1, 0, 'some text'), longData(1, 0, ' and more')),
    client(execute(1, { values: [''], isLong: true })),
    server(done({ rows: 1 })),
    client(longData(1, 0, 'some text'), resetStatement(1)),
    server(done()),
    client(resetStatement(1)),
  ],
  'a cursor (MY-64)': (flags) => [
    client(prepare('select a from t')),
    server(reply(...preparedAs(6, { columns: 1, flags }))),
    client(execute(1, { cursor: true })),
    server(reply(...cursor(flags))),
    client(fetchRows(1, 1)),
    server(reply(binaryRow('one'), endOfRows(2 | serverStatus.cursorExists, flags))),
    client(fetchRows(1, 1)),
    server(
      reply(
        binaryRow('two'),
        endOfRows(2 | serverStatus.cursorExists | serverStatus.lastRowSent, flags),
      ),
    ),
    client(closeStatement(1)),
  ],
  'a variable, which is asked for (MY-46, MY-05)': (flags) => [
    client(query("set time_zone = '+01:00'")),
    server(done({ changes: [variable('time_zone', '+01:00')] })),
    server(answer(['+01:00'], flags)),
    client(query('set autocommit = 1')),
    server(done({ changes: [variable('autocommit', 'ON')] })),
    server(answer(['1'], flags)),
  ],
  'another schema (MY-51)': () => [
    client(initDb('other')),
    server(done({ changes: [schema('other')] })),
    client(query('use app')),
    server(done({ changes: [schema('app')] })),
  ],
  'other commands': (flags) => [
    client(simple(command.statistics)),
    server(reply(utf8('Uptime: 1'))),
    client(simple(command.setOption, int16(0))),
    server(reply((flags & capability.deprecateEof) === 0 ? endOfRows(2, flags) : okay())),
    client(simple(command.fieldList, utf8('t\0'))),
    server(reply(rows([], 2, flags)[1] ?? EMPTY, endOfRows(2, flags))),
    client(simple(command.binlogDump, int32(4)), simple(99), simple(command.processKill)),
    client(resetConnection()),
    client(ping()),
    server(done()),
  ],
};
