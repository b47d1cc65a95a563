import { must } from '../../src/base/assert.ts';
import { concat, ucs2 } from '../../src/base/bytes.ts';
import type { RelayOptions } from '../../src/core/engine.ts';
import { SecretText } from '../../src/base/secret-text.ts';
import { SqlServerMemory } from '../../src/engine/sqlserver/memory.ts';
import { overhear } from '../../src/engine/sqlserver/overhear.ts';
import type { SqlServerPrincipal } from '../../src/engine/sqlserver/principal.ts';
import { watcher } from '../../src/engine/sqlserver/principal.ts';
import { SqlServerRelay } from '../../src/engine/sqlserver/relay.ts';
import { intern, SessionState } from '../../src/engine/sqlserver/state.ts';
import { Target } from '../../src/engine/sqlserver/target.ts';
import type { SettingName } from '../../src/engine/sqlserver/sql/effects.ts';
import { transactionAt } from '../../src/wire/tds/headers.ts';
import { HEADER_BYTES, packetBytes, packetStatus, packetType } from '../../src/wire/tds/packets.ts';
import { readResults } from '../../src/wire/tds/results.ts';
import { RpcParameters } from '../../src/wire/tds/rpc-parameters.ts';
import { procedure, readRpcHead } from '../../src/wire/tds/rpc.ts';
import { sqlAt } from '../../src/wire/tds/sql-batch.ts';
import { TokenWalker } from '../../src/wire/tds/token-walker.ts';
import { envChange, readError } from '../../src/wire/tds/tokens.ts';
import { tdsVersion } from '../../src/wire/tds/versions.ts';
import { RelayRig } from './relay-rig.ts';

export const VERSION = tdsVersion.v74;

const usualOptions: RelayOptions = {
  pinning: 'minimal',
  maxPreparedStatements: 200,
  ignoreSetsForPinning: false,
};

const usualBeginning: ReadonlyMap<SettingName, string> = new Map<SettingName, string>([
  ['ansi_nulls', 'ON'],
  ['ansi_padding', 'ON'],
  ['ansi_warnings', 'ON'],
  ['ansi_null_dflt_on', 'ON'],
  ['ansi_null_dflt_off', 'OFF'],
  ['arithabort', 'OFF'],
  ['arithignore', 'OFF'],
  ['concat_null_yields_null', 'ON'],
  ['cursor_close_on_commit', 'OFF'],
  ['implicit_transactions', 'OFF'],
  ['nocount', 'OFF'],
  ['numeric_roundabort', 'OFF'],
  ['quoted_identifier', 'ON'],
  ['xact_abort', 'OFF'],
  ['datefirst', '7'],
  ['dateformat', 'mdy'],
  ['isolation level', 'READ COMMITTED'],
  ['language', 'us_english'],
  ['lock_timeout', '-1'],
  ['textsize', '4096'],
]);

/** A client like most, in the database `app`, who shares no habits with others. */
export function aClient(packetBytes = 4096): SqlServerPrincipal {
  return { ...watcher('app', 'app'), packetBytes, habits: new Set() };
}

/** A connection for such clients, as `enter` leaves it. */
export function aMemory(
  parts: { who?: SqlServerPrincipal; target?: Target; packetBytes?: number } = {},
): SqlServerMemory {
  const { who = aClient(), target = new Target(), packetBytes = 4096 } = parts;
  target.tellsTransactions ??= true;
  return new SqlServerMemory({
    spid: 51,
    gate: {
      who,
      password: new SecretText('secret'),
      tlsMode: 'disable',
      channelBinding: 'disable',
      lessons: new Set(),
      allowCleartext: true,
      random: (count) => new Uint8Array(count),
    },
    target,
    tdsVersion: VERSION,
    packetBytes,
    welcome: {
      ack: {
        version: VERSION,
        program: 'Microsoft SQL Server',
        productVersion: Uint8Array.of(16, 0, 0, 0),
      },
      tokens: new Uint8Array(0),
      features: [],
      database: 'app',
      language: 'us_english',
      collation: undefined,
    },
    hasColumnEncryption: false,
    beginning: intern(usualBeginning),
    state: SessionState.fresh('app'),
  });
}

/** A relay of SQL Server's between a client and a database in memory. */
export class TdsRig extends RelayRig<SqlServerMemory, SqlServerPrincipal, SqlServerRelay> {
  constructor(
    parts: {
      who?: SqlServerPrincipal;
      memory?: SqlServerMemory;
      options?: Partial<RelayOptions>;
    } = {},
  ) {
    const { who = aClient(), memory = aMemory({ who }), options = {} } = parts;
    super(memory, {
      relay: (sink) => new SqlServerRelay(sink, who, memory, { ...usualOptions, ...options }),
      overhear,
    });
  }

  /** What the database has received since this was last asked, a line for each message. */
  passed(): readonly string[] {
    return messagesIn(this.takePassed()).map(requestLine);
  }

  /** What the client has received since this was last asked, a line for each message: its tokens. */
  heard(): readonly string[] {
    return messagesIn(this.takeHeard()).map(({ payload }) => replyLine(payload));
  }
}

interface Message {
  readonly type: number;
  readonly status: number;
  readonly payload: Uint8Array;
}

/** Throws where the last one has no end. */
export function messagesIn(bytes: Uint8Array): readonly Message[] {
  const messages: Message[] = [];
  let payloads: Uint8Array[] = [];
  let status: number | undefined;
  for (let at = 0; at < bytes.length; at += packetBytes(bytes, at)) {
    const [type = 0, packet = 0] = bytes.subarray(at);
    status ??= packet & ~packetStatus.endOfMessage;
    payloads.push(bytes.slice(at + HEADER_BYTES, at + packetBytes(bytes, at)));
    if ((packet & packetStatus.endOfMessage) === 0) continue;
    messages.push({ type, status, payload: concat(payloads) });
    payloads = [];
    status = undefined;
  }
  if (payloads.length > 0) throw new Error('a message without an end');
  return messages;
}

const names = new Map<number, string>(
  Object.entries(procedure).map(([name, code]) => [code, name]),
);
const types = new Map<number, string>(
  Object.entries(packetType).map(([name, code]) => [code, name]),
);

function requestLine({ type, status, payload }: Message): string {
  const reset = (status & packetStatus.resetConnection) === 0 ? '' : 'reset + ';
  const line = reset + (types.get(type) ?? String(type));
  if (type === packetType.sqlBatch)
    return `${line} ${descriptorIn(payload)}${ucs2(payload, must(sqlAt(payload, 0, payload.length, VERSION), 'no text'), payload.length)}`;
  if (type !== packetType.rpc) return line;
  const head = must(readRpcHead(payload, 0, payload.length, VERSION), 'no call');
  const parameters = new RpcParameters(payload, head.parametersAt, payload.length, VERSION, true);
  const said: string[] = [];
  for (let next = parameters.next(); typeof next !== 'string'; next = parameters.next())
    said.push(next.text() ?? String(next.int() ?? 'NULL'));
  const name = typeof head.procedure === 'number' ? names.get(head.procedure) : head.procedure;
  return `${line} ${descriptorIn(payload)}${name} ${said.join(', ')}`;
}

function descriptorIn(payload: Uint8Array): string {
  const at = transactionAt(payload, 0, payload.length);
  const low = at === undefined ? 0 : (payload[at] ?? 0);
  return low === 0 ? '' : `(${low}) `;
}

/** The tokens of a reply, without its rows' values. */
export function replyLine(payload: Uint8Array): string {
  const lines: string[] = [];
  const walker = new TokenWalker(VERSION, {
    envChange: (type) => lines.push(`env ${envNames.get(type) ?? type}`),
    done: (_, status) => lines.push(status === 0 ? 'done' : `done ${status.toString(16)}`),
    error: (bytes, start, end) => {
      const { number } = readError(bytes, start, end, VERSION);
      lines.push(`error ${number}`);
    },
    other: (kind) => lines.push(`token ${kind.toString(16)}`),
    handle: () => {},
  });
  walker.begin();
  walker.feed(payload, 0, payload.length);
  const { sets, returnValues } = readResults(payload, VERSION);
  const rows = sets.flatMap((set) => set.rows.map((row) => row.join('|')));
  return [
    ...rows.map((row) => `[${row}]`),
    ...returnValues.map((value) => `=${String(value)}`),
    ...lines,
  ].join(' ');
}

const envNames = new Map<number, string>(
  Object.entries(envChange).map(([name, code]) => [code, name]),
);
