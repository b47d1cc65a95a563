import { concat, EMPTY, u8 } from '../../src/base/bytes.ts';
import { seededRandom } from '../../src/base/random.ts';
import { SecretText } from '../../src/base/secret-text.ts';
import type { MysqlGate } from '../../src/engine/mysql/enter.ts';
import { enter } from '../../src/engine/mysql/enter.ts';
import type { MysqlPrincipal } from '../../src/engine/mysql/principal.ts';
import { Principals } from '../../src/engine/mysql/principal.ts';
import { Target } from '../../src/engine/mysql/target.ts';
import { byte, int16, int32, lenencInt, lenencString } from '../../src/wire/mysql/build.ts';
import { capability } from '../../src/wire/mysql/capabilities.ts';
import { columnType } from '../../src/wire/mysql/column-types.ts';
import { command } from '../../src/wire/mysql/commands.ts';
import { eof, EOF_HEADER } from '../../src/wire/mysql/eof.ts';
import { error } from '../../src/wire/mysql/err.ts';
import { packet } from '../../src/wire/mysql/framing.ts';
import type { Handshake } from '../../src/wire/mysql/handshake.ts';
import { handshake, readClientHeader } from '../../src/wire/mysql/handshake.ts';
import { ok } from '../../src/wire/mysql/ok.ts';
import type { SessionChange } from '../../src/wire/mysql/session-track.ts';
import { sessionState } from '../../src/wire/mysql/session-track.ts';
import { serverStatus } from '../../src/wire/mysql/status-flags.ts';
import type { Peer } from '../support/rehearse.ts';
import { greetingFor, packetsIn, SECRET } from './mysql-visit.ts';

// A server of MySQL's or MariaDB's that lets us in, and answers what it is asked.

/** What a server says to a command, payload by payload; `flags` are what both sides can do. */
export type Answerer = (asked: string, flags: number) => readonly Uint8Array[] | undefined;

export interface ServerScript {
  readonly isMariaDb?: boolean;
  readonly handshake?: Partial<Handshake>;
  /** What it says after each answer of ours, the OK included; an OK at once by default. */
  readonly auth?: readonly AuthTurn[];
  readonly answers?: Answerer;
  /** What both sides can do, where they have agreed already. */
  readonly flags?: number;
}

export type AuthTurn = (heard: Uint8Array) => Uint8Array | readonly Uint8Array[];

/** With the payloads of all that it was told. */
export interface ScriptedMysql {
  readonly peer: Extract<Peer, (heard: Uint8Array) => unknown>;
  readonly told: Uint8Array[];
  /** The commands among them, such as `3 SELECT 1`. */
  readonly asked: string[];
}

export function mysqlServer(script: ServerScript = {}): ScriptedMysql {
  const { isMariaDb = false, auth = [() => okay()], answers } = script;
  const told: Uint8Array[] = [];
  const asked: string[] = [];
  const left = [...auth];
  let isFirst = true;
  let flags = script.flags ?? 0;
  const peer = (heard: Uint8Array): Uint8Array | undefined => {
    if (isFirst) {
      isFirst = false;
      return packet(0, handshake({ ...greetingFor(isMariaDb), ...script.handshake }));
    }
    const packets = packetsIn(heard);
    const last = packets.at(-1);
    if (last === undefined) return undefined;
    told.push(...packets.map(({ payload }) => payload.slice()));
    const next = left.shift();
    if (next !== undefined) {
      if (flags === 0) flags = readClientHeader(last.payload).capabilities.flags;
      const said = next(last.payload);
      const payloads = said instanceof Uint8Array ? [said] : said;
      return concat(payloads.map((one, at) => packet(last.number + 1 + at, one)));
    }
    return concat(
      packets.map(({ payload }) => {
        const said = commandLine(payload, flags);
        asked.push(said);
        const reply = answers?.(said, flags) ?? usual(said, flags, isMariaDb);
        return concat(reply.map((one, at) => packet(at + 1, one)));
      }),
    );
  };
  return { peer, told, asked };
}

function commandLine(payload: Uint8Array, flags: number): string {
  const isQuery = u8(payload, 0) === command.query;
  const skipped = isQuery && (flags & capability.queryAttributes) !== 0 ? 3 : 1;
  const rest = Buffer.from(payload.subarray(skipped));
  const isText = isQuery || u8(payload, 0) === command.initDb;
  return `${u8(payload, 0)} ${isText ? rest.toString() : rest.toString('hex')}`.trim();
}

/** What sessions begin with, unless a test says otherwise. */
const start: Readonly<Record<string, string | null>> = {
  'CONNECTION_ID()': '4711',
  '@@session.session_track_system_variables': 'autocommit,time_zone',
  '@@session.session_track_schema': '1',
  '@@session.character_set_client': 'latin1',
  '@@session.character_set_results': null,
  '@@session.character_set_connection': 'latin1',
  '@@session.collation_connection': 'latin1_swedish_ci',
  '@@session.wait_timeout': '28800',
  '@@session.sql_mode': "IT'S_STRICT",
  '@@session.autocommit': '1',
  '@@session.time_zone': 'SYSTEM',
  '@@session.max_allowed_packet': '67108864',
  '@@session.transaction_isolation': 'REPEATABLE-READ',
  '@@session.transaction_read_only': '0',
  '@@session.tx_isolation': 'REPEATABLE-READ',
  '@@session.tx_read_only': '0',
  '@@global.max_connections': '151',
  '@@session.max_user_connections': '0',
  '@@lock_wait_timeout': '7',
};

function usual(asked: string, flags: number, isMariaDb: boolean): readonly Uint8Array[] {
  const [, columns] = /^3 SELECT (@@.*|CONNECTION_ID\(\).*)$/.exec(asked) ?? [];
  if (columns !== undefined) {
    const names = columns.split(', ');
    return resultSet(names, [names.map((name) => start[name] ?? null)], flags);
  }
  if (asked.includes('variables_metadata'))
    return resultSet(['variable_name'], [['sql_mode'], ['statement_id'], ['time_zone']], flags);
  const [, schema] = /^2 (.*)$/.exec(asked) ?? [];
  if (schema === undefined) return [okay()];
  if (schema === 'nope') return [refusal(1049, "Unknown database 'nope'")];
  return [okay({ changes: [{ kind: 'schema', name: isMariaDb ? schema : schema.toLowerCase() }] })];
}

export function okay(
  said: { readonly status?: number; readonly changes?: readonly SessionChange[] } = {},
): Uint8Array {
  const { status = 2, changes = [] } = said;
  const changed = changes.length === 0 ? 0 : serverStatus.sessionStateChanged;
  return ok(
    {
      affectedRows: 0n,
      lastInsertId: 0n,
      status: status | changed,
      warnings: 0,
      info: '',
      sessionState: sessionState(changes),
    },
    capability.sessionTrack,
  );
}

export function refusal(code: number, message: string, sqlState = '42000'): Uint8Array {
  return error({ code, sqlState, message }, capability.protocol41);
}

/** Values that look like numbers are numbers. */
export function resultSet(
  names: readonly string[],
  rows: readonly (readonly (string | null)[])[],
  flags: number,
  status = 2,
): readonly Uint8Array[] {
  const definitions = names.map((name, at) => {
    const isNumber = rows.some((row) => /^\d+$/.test(row[at] ?? ''));
    const texts = ['def', '', '', '', name, ''].map(lenencString);
    const type = isNumber ? columnType.longlong : columnType.varString;
    const tail = [byte(12), int16(63), int32(20), byte(type), int16(0), byte(0), int16(0)];
    return concat([...texts, ...tail]);
  });
  const values = rows.map((row) =>
    concat(row.map((value) => (value === null ? byte(0xfb) : lenencString(value)))),
  );
  const hasOk = (flags & capability.deprecateEof) !== 0;
  const metadata = (flags & capability.optionalResultsetMetadata) === 0 ? EMPTY : byte(1);
  const end = hasOk ? ok({ ...NOTHING, status }, flags, EOF_HEADER) : eof({ warnings: 0, status });
  return [
    concat([lenencInt(names.length), metadata]),
    ...definitions,
    ...(hasOk ? [] : [eof({ warnings: 0, status })]),
    ...values,
    end,
  ];
}

const NOTHING = {
  affectedRows: 0n,
  lastInsertId: 0n,
  warnings: 0,
  info: '',
  sessionState: EMPTY,
};

export function principal(said: Partial<Parameters<Principals['of']>[0]> = {}): MysqlPrincipal {
  return new Principals().of({
    user: 'alice',
    schema: undefined,
    capabilities: { flags: capability.deprecateEof | capability.foundRows, extensions: 0 },
    collation: 8,
    zstdLevel: undefined,
    ...said,
  });
}

export function gateFor(setting: Partial<MysqlGate> = {}): MysqlGate {
  const random = seededRandom(3);
  return {
    who: principal(),
    password: new SecretText(SECRET),
    tlsMode: 'disable',
    channelBinding: 'disable',
    lessons: new Set(),
    allowCleartext: false,
    random: (count) => random.bytes(count),
    ...setting,
  };
}

/** We log in. */
export function entering(setting: Partial<MysqlGate> = {}, target = new Target()) {
  return enter(gateFor(setting), target);
}
