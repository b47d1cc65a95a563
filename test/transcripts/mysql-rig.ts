import { must } from '../../src/base/assert.ts';
import { text } from '../../src/base/bytes.ts';
import type { RelayOptions } from '../../src/core/engine.ts';
import type { House } from '../../src/engine/mysql/greet.ts';
import { MysqlMemory } from '../../src/engine/mysql/memory.ts';
import { overhear } from '../../src/engine/mysql/overhear.ts';
import type { MysqlPrincipal } from '../../src/engine/mysql/principal.ts';
import { Principals } from '../../src/engine/mysql/principal.ts';
import { MysqlRelay } from '../../src/engine/mysql/relay.ts';
import { ServerKey } from '../../src/engine/mysql/server-key.ts';
import { SessionState } from '../../src/engine/mysql/state.ts';
import { Target } from '../../src/engine/mysql/target.ts';
import type { Capabilities } from '../../src/wire/mysql/capabilities.ts';
import { capability } from '../../src/wire/mysql/capabilities.ts';
import { command } from '../../src/wire/mysql/commands.ts';
import { isEof, readEof } from '../../src/wire/mysql/eof.ts';
import { readError } from '../../src/wire/mysql/err.ts';
import { readOk } from '../../src/wire/mysql/ok.ts';
import { readSessionChanges } from '../../src/wire/mysql/session-track.ts';
import { freshMemory, greetingFor, packetsIn } from './mysql-visit.ts';
import { RelayRig } from './relay-rig.ts';

export const usualOptions: RelayOptions = {
  pinning: 'minimal',
  maxPreparedStatements: 200,
  ignoreSetsForPinning: false,
};

/** What a client of today and we have agreed on: it hears of changes in its session, and of no EOF. */
export const MODERN =
  capability.longPassword |
  capability.protocol41 |
  capability.transactions |
  capability.secureConnection |
  capability.multiStatements |
  capability.multiResults |
  capability.psMultiResults |
  capability.localFiles |
  capability.pluginAuth |
  capability.connectAttrs |
  capability.sessionTrack |
  capability.deprecateEof;

/** An old one, which hears of rows' ends by EOF and of nothing else. */
export const OLD = MODERN & ~(capability.sessionTrack | capability.deprecateEof);

/** A client with these capabilities, in the schema `app`, who shares no habits with others. */
export function clientWith(
  flags: number,
  extensions = 0,
  isIn: 'app' | 'no schema' = 'app',
  collation = 255,
): MysqlPrincipal {
  const capabilities = { flags, extensions };
  const schema = isIn === 'app' ? 'app' : undefined;
  return new Principals().of({
    user: 'app',
    schema,
    capabilities,
    collation,
    zstdLevel: undefined,
  });
}

export interface MemoryParts {
  readonly who?: MysqlPrincipal;
  readonly isMariaDb?: boolean;
  readonly beginning?: Readonly<Record<string, string>>;
}

/** What variables are before anybody has set them. */
const usualBeginning: Readonly<Record<string, string>> = {
  autocommit: '1',
  sql_mode: "'STRICT_TRANS_TABLES'",
  character_set_client: "'utf8mb4'",
  character_set_results: "'utf8mb4'",
  character_set_connection: "'utf8mb4'",
  collation_connection: "'utf8mb4_general_ci'",
  time_zone: "'SYSTEM'",
};

/** A connection for clients like this one, in the schema `app`, as `enter` leaves it. */
export function memoryFor(parts: MemoryParts = {}): MysqlMemory {
  const { who = clientWith(MODERN), isMariaDb = false, beginning = {} } = parts;
  const { flags, extensions } = who.serverCapabilities;
  const like = freshMemory(isMariaDb);
  return new MysqlMemory({
    threadId: 4711,
    target: like.target,
    gate: like.gate,
    reports: like.reports,
    announced: like.announced,
    capabilities: {
      flags: flags | capability.protocol41 | capability.sessionTrack,
      extensions,
    },
    beginning: new Map(Object.entries({ ...usualBeginning, ...beginning })),
    status: 2,
    state: SessionState.fresh(who.schema),
  });
}

/** Another connection of the same kind. */
export function another(like: MysqlMemory): MysqlMemory {
  const { threadId, target, gate, reports, announced, capabilities, beginning } = like;
  const parts = { target, gate, reports, announced, capabilities, beginning };
  const state = SessionState.fresh('app');
  return new MysqlMemory({ ...parts, threadId: threadId + 1, status: 2, state });
}

export function houseOf(isMariaDb = false): House {
  const target = new Target();
  target.meet(greetingFor(isMariaDb));
  return { target, principals: new Principals(), key: new ServerKey() };
}

export interface MysqlRigParts extends MemoryParts {
  readonly welcome?: MysqlMemory;
  readonly options?: RelayOptions;
  /** What is known of the target; each has its own unless it is given one. */
  readonly house?: House;
}

/** A MySQL relay between a client and a database in memory. */
export class MysqlRig extends RelayRig<MysqlMemory, MysqlPrincipal, MysqlRelay> {
  readonly #flags: number;

  constructor(parts: MysqlRigParts & { readonly memory?: MysqlMemory } = {}) {
    const { who = clientWith(MODERN), isMariaDb = false, options = usualOptions } = parts;
    const { memory = memoryFor({ ...parts, who }), house = houseOf(isMariaDb) } = parts;
    const { welcome = memory } = parts;
    super(memory, {
      relay: (sink) => new MysqlRelay(sink, house, who, welcome, options),
      overhear,
    });
    this.#flags = who.capabilities.flags;
  }

  /** What the database has received since this was last asked, in lines: `0 query select 1`. */
  passed(): readonly string[] {
    return commandLines(this.takePassed(), this.memory.capabilities);
  }

  /** What the client has received since this was last asked, in lines: `1 OK 2`. */
  heard(): readonly string[] {
    return replyLines(this.takeHeard(), this.#flags);
  }
}

const names = new Map<number, string>(Object.entries(command).map(([name, code]) => [code, name]));

/** Packets of a client's, each with its number; what goes on with a payload before it is not told from a command. */
export function commandLines(bytes: Uint8Array, { flags }: Capabilities): readonly string[] {
  return packetsIn(bytes).map(({ number, payload }) => {
    const [code = -1] = payload;
    const name = names.get(code) ?? 'nothing';
    const skipped = code === command.query && (flags & capability.queryAttributes) !== 0 ? 3 : 1;
    const rest = payload.subarray(skipped);
    const isText = name === 'query' || name === 'stmtPrepare' || name === 'initDb';
    const words = isText ? text(rest) : Buffer.from(rest).toString('hex');
    return [number, name, words].join(' ').trimEnd();
  });
}

/** Packets of a database's, each with its number and what it is; those that are read in no other way as characters. */
export function replyLines(bytes: Uint8Array, flags: number): readonly string[] {
  return packetsIn(bytes).map(({ number, payload }) => `${number} ${replyLine(payload, flags)}`);
}

function replyLine(payload: Uint8Array, flags: number): string {
  const [first = -1] = payload;
  const { length } = payload;
  if (first === 0xff) {
    const { code, sqlState, message } = readError(payload);
    return `ERR ${code} ${sqlState} ${message}`;
  }
  if (isEof(payload, 0, length) && length === 5)
    return `EOF ${readEof(payload).status.toString(16)}`;
  if ((first === 0 || first === 0xfe) && length >= 7) {
    try {
      return okLine(payload, flags);
    } catch {
      // Something else begins like that.
    }
  }
  return Buffer.from(payload)
    .toString('latin1')
    .replaceAll(/[^ -~]+/g, '·');
}

function okLine(payload: Uint8Array, flags: number): string {
  const { affectedRows, status, warnings, info, sessionState } = readOk(
    payload,
    0,
    payload.length,
    flags,
  );
  const changes = readSessionChanges(sessionState).map((change) => {
    if (change.kind === 'systemVariable') return `${change.name}=${change.value}`;
    return change.kind === 'schema' ? `schema=${change.name}` : change.kind;
  });
  const counts = [
    ...(affectedRows === 0n ? [] : [`rows=${affectedRows}`]),
    ...(warnings === 0 ? [] : [`warnings=${warnings}`]),
    ...(info === '' ? [] : [`(${info})`]),
  ];
  return ['OK', status.toString(16), ...counts, ...changes].join(' ');
}

/** The number of a prepared statement that the client has just been told. */
export function preparedNumber(bytes: Uint8Array): number {
  const { payload } = must(packetsIn(bytes)[0], 'no packet');
  return Buffer.from(payload).readUInt32LE(1);
}
