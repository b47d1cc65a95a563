// The tokens of replies that say something by themselves; rows and what describes them are in columns.ts. [MS-TDS] 2.2.7.
import { concat, EMPTY, u64le, ucs2 } from '../../base/bytes.ts';
import { BodyReader } from '../../base/body-reader.ts';
import { readLongText, readShortText } from './text-reader.ts';
import { byte, int16, int32, int32be, int64, longText, shortBytes, shortText } from './build.ts';
import { dataType } from './types.ts';
import { isWide, tdsVersion } from './versions.ts';

export const token = {
  tvpRow: 0x01,
  offset: 0x78,
  returnStatus: 0x79,
  colMetadata: 0x81,
  altMetadata: 0x88,
  dataClassification: 0xa3,
  tabName: 0xa4,
  colInfo: 0xa5,
  order: 0xa9,
  error: 0xaa,
  info: 0xab,
  returnValue: 0xac,
  loginAck: 0xad,
  featureExtAck: 0xae,
  row: 0xd1,
  nbcRow: 0xd2,
  altRow: 0xd3,
  envChange: 0xe3,
  sessionState: 0xe4,
  sspi: 0xed,
  fedAuthInfo: 0xee,
  done: 0xfd,
  doneProc: 0xfe,
  doneInProc: 0xff,
} as const;

export const envChange = {
  database: 1,
  language: 2,
  charset: 3,
  packetSize: 4,
  collation: 7,
  beginTransaction: 8,
  commitTransaction: 9,
  rollbackTransaction: 10,
  enlistDtc: 11,
  defectTransaction: 12,
  mirrorPartner: 13,
  promoteTransaction: 15,
  tmAddress: 16,
  transactionEnded: 17,
  resetDone: 18,
  userInstance: 19,
  routing: 20,
  enhancedRouting: 21,
} as const;

export const doneStatus = {
  more: 1,
  error: 2,
  inTransaction: 4,
  count: 0x10,
  attention: 0x20,
  rpcInBatch: 0x80,
  serverError: 0x100,
} as const;

/** The bytes of a token that has a length of two bytes. */
function sized(kind: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const body = concat(parts);
  return concat([byte(kind), int16(body.length), body]);
}

/**
 * @param kind `token.done`, `doneProc` or `doneInProc` @param command the number of the statement's kind
 * @param count of rows; the status says whether it counts
 */
export function done(
  kind: number,
  status: number,
  command: number,
  count: bigint,
  version: number,
): Uint8Array {
  const rows = isWide(version) ? int64(count) : int32(Number(count & 0xffffffffn));
  return concat([byte(kind), int16(status), int16(command), rows]);
}

/** An ERROR, or an INFO, whose severity is at most 10. */
export interface ServerError {
  readonly number: number;
  readonly state: number;
  /** The class: from 20 on the connection ends (trap TD-36). */
  readonly severity: number;
  readonly message: string;
  readonly server: string;
  /** The stored procedure's name, or empty. */
  readonly procedure: string;
  readonly line: number;
}

/** @param bytes `[start, end)` is what is behind the token's length */
export function readError(
  bytes: Uint8Array,
  start: number,
  end: number,
  version: number,
): ServerError {
  const reader = new BodyReader('ERROR or INFO', bytes, start, end);
  const error = {
    number: reader.i32le(),
    state: reader.u8(),
    severity: reader.u8(),
    message: readLongText(reader),
    server: readShortText(reader),
    procedure: readShortText(reader),
    line: isWide(version) ? reader.i32le() : reader.u16le(),
  };
  reader.end();
  return error;
}

export function error(said: ServerError, version: number): Uint8Array {
  return sized(token.error, ...errorBody(said, version));
}

export function info(said: ServerError, version: number): Uint8Array {
  return sized(token.info, ...errorBody(said, version));
}

function errorBody(said: ServerError, version: number): readonly Uint8Array[] {
  return [
    int32(said.number),
    byte(said.state),
    byte(said.severity),
    longText(said.message),
    shortText(said.server),
    shortText(said.procedure),
    isWide(version) ? int32(said.line) : int16(said.line),
  ];
}

/** The database, the language, the packet size and other things whose values are text. */
export function envChangeText(type: number, now: string, before: string): Uint8Array {
  return sized(token.envChange, byte(type), shortText(now), shortText(before));
}

/** The collation, transactions, whose new value is a descriptor or whose old one is, and the acknowledgement of a reset, of neither. */
export function envChangeBytes(type: number, now: Uint8Array, before: Uint8Array): Uint8Array {
  return sized(token.envChange, byte(type), shortBytes(now), shortBytes(before));
}

/** The values of an ENVCHANGE that are text. @param bytes `[start, end)` is what is behind its type */
export function readEnvChangeText(
  bytes: Uint8Array,
  start: number,
  end: number,
): { readonly now: string; readonly before: string } {
  const { now, before } = readEnvChangeBytes(bytes, start, end, 2);
  return { now: ucs2(now), before: ucs2(before) };
}

/**
 * The values of an ENVCHANGE, copies. @param bytes `[start, end)` is what is behind its type
 * @param unitBytes what its lengths count: bytes, or UTF-16 units of two
 */
export function readEnvChangeBytes(
  bytes: Uint8Array,
  start: number,
  end: number,
  unitBytes = 1,
): { readonly now: Uint8Array; readonly before: Uint8Array } {
  const reader = new BodyReader('ENVCHANGE', bytes, start, end);
  const now = reader.take(reader.u8() * unitBytes).slice();
  const before = reader.take(reader.u8() * unitBytes).slice();
  reader.end();
  return { now, before };
}

/** Of a transaction. */
const DESCRIPTOR_BYTES = 8;

/** The descriptor in the new value of `beginTransaction`, or in the old one of what ends one: 0n where there is none. */
export function readTransaction(bytes: Uint8Array, start: number, end: number): bigint {
  const reader = new BodyReader('ENVCHANGE', bytes, start, end);
  const now = reader.u8();
  const nowAt = reader.at;
  reader.skip(now);
  const before = reader.u8();
  const beforeAt = reader.at;
  reader.skip(before);
  reader.end();
  const [at, length] = now === 0 ? [beforeAt, before] : [nowAt, now];
  if (length === 0) return 0n;
  if (length < DESCRIPTOR_BYTES) throw reader.violation('a descriptor that is too short');
  return u64le(bytes, at);
}

/** Where a login is sent on to (trap TD-27). */
export interface Routing {
  readonly host: string;
  readonly port: number;
  /** For `enhancedRouting`; undefined: the same. */
  readonly database: string | undefined;
}

/** What follows the type of a `routing` or `enhancedRouting`. */
export function readRouting(type: number, bytes: Uint8Array, start: number, end: number): Routing {
  const outer = new BodyReader('routing', bytes, start, end);
  const length = outer.u16le();
  const reader = new BodyReader('routing', bytes, outer.at, outer.at + length);
  outer.skip(length);
  if (reader.u8() !== TCP) throw reader.violation('to something else than TCP');
  const port = reader.u16le();
  const host = readLongText(reader);
  const database = type === envChange.enhancedRouting ? readLongText(reader) : undefined;
  if (host === '' || port === 0) throw reader.violation('to nowhere');
  return { host, port, database };
}

const TCP = 0;

export function routing({ host, port, database }: Routing): Uint8Array {
  const target = concat([
    byte(TCP),
    int16(port),
    longText(host),
    database === undefined ? EMPTY : longText(database),
  ]);
  const type = database === undefined ? envChange.routing : envChange.enhancedRouting;
  return sized(token.envChange, byte(type), int16(target.length), target, int16(0));
}

export interface LoginAck {
  /** As in a LOGIN7. */
  readonly version: number;
  readonly program: string;
  /** Four bytes: major, minor, and the build, big-endian. */
  readonly productVersion: Uint8Array;
}

/** The only interface that there is: Transact-SQL. */
const TSQL = 1;
/** What the two oldest versions are called in a LOGINACK. */
const OLD_NAMES: ReadonlyMap<number, number> = new Map([
  [tdsVersion.v70, 0x07000000],
  [tdsVersion.v71, 0x07010000],
]);

export function loginAck({ version, program, productVersion }: LoginAck): Uint8Array {
  return sized(
    token.loginAck,
    byte(TSQL),
    int32be(OLD_NAMES.get(version) ?? version),
    shortText(program),
    productVersion,
  );
}

/** @param bytes `[start, end)` is what is behind the token's length */
export function readLoginAck(bytes: Uint8Array, start: number, end: number): LoginAck {
  const reader = new BodyReader('LOGINACK', bytes, start, end);
  reader.skip(1);
  const said = reader.u32be();
  const [version = said] = [...OLD_NAMES].find(([, name]) => name === said) ?? [];
  const program = readShortText(reader);
  const productVersion = reader.take(4).slice();
  reader.end();
  return { version, program, productVersion };
}

export function returnStatus(status: number): Uint8Array {
  return concat([byte(token.returnStatus), int32(status)]);
}

/** The integer of a RETURNSTATUS. */
export function readReturnStatus(bytes: Uint8Array, start: number, end: number): number {
  return new BodyReader('RETURNSTATUS', bytes, start, end).i32le();
}

/** An integer that a procedure returns in a parameter, as the handle of a prepared statement. */
export interface ReturnValueInt {
  /** Of the parameter, from 0 on. */
  readonly ordinal: number;
  readonly name: string;
  /** undefined: NULL. */
  readonly value: number | undefined;
}

/** Of a returned value: it is an output parameter's. */
const OUTPUT_PARAMETER = 1;

export function returnValueInt(
  { ordinal, name, value }: ReturnValueInt,
  version: number,
): Uint8Array {
  return concat([
    byte(token.returnValue),
    int16(ordinal),
    shortText(name),
    byte(OUTPUT_PARAMETER),
    // The user's type, and flags: none.
    isWide(version) ? int32(0) : int16(0),
    int16(0),
    byte(dataType.intN),
    byte(4),
    value === undefined ? byte(0) : concat([byte(4), int32(value)]),
  ]);
}
