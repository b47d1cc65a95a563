import { readValue, readType, skipName } from './types.ts';
import type { Type } from './types.ts';

// Tokens: [MS-TDS] 2.2.7.
const RETURN_STATUS = 0x79;
export const COLUMNS = 0x81;
const ERROR = 0xaa;
const RETURN_VALUE = 0xac;
const LOGIN_ACK = 0xad;
const ROW = 0xd1;
const ROW_WITH_NULLS = 0xd2;
const ENV_CHANGE = 0xe3;
const DONE = 0xfd;
const DONE_PROC = 0xfe;
const DONE_IN_PROC = 0xff;
/** Those with a length behind them that are not looked into: TABNAME, COLINFO, ORDER, INFO. */
const SKIPPED: readonly (number | undefined)[] = [0xa4, 0xa5, 0xa9, 0xab];

/** Of a DONE's status. */
const MORE = 0x01;
const FAILED = 0x02;
const COUNTED = 0x10;

/** Of an ENVCHANGE. */
const PACKET_BYTES = 4;
const BEGUN = 8;
const ENDED: readonly (number | undefined)[] = [9, 10, 17];

/** Outside of transactions. */
export const NO_TRANSACTION: Uint8Array = new Uint8Array(8);

/** What a server says in an error. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
}

/** What one request was answered with. Its texts are not looked at. */
export interface Answer {
  readonly rows: number;
  /** Of the first row, its numbers; undefined: a text, or NULL. */
  readonly values: readonly (number | undefined)[];
  /** What the last statement that counts has counted. */
  readonly count: number | undefined;
  /** The first output parameter. */
  readonly returned: number | undefined;
  /** The descriptor of the transaction that it has begun; zeros where it has ended one. */
  readonly transaction: Uint8Array | undefined;
  /** How long packets may be from now on. */
  readonly packetBytes: number | undefined;
  /** What a login's acknowledgement says that the server is, and its version. */
  readonly server: string | undefined;
}

type Growing = { -readonly [Field in keyof Answer]: Answer[Field] };

/** Throws a `Refusal` where it is an error, and where it is not what a server says, or does not end where it should. */
export function readAnswer(payload: Buffer): Answer {
  const answer: Growing = {
    ...{ rows: 0, values: [], count: undefined, returned: undefined },
    ...{ transaction: undefined, server: undefined, packetBytes: undefined },
  };
  let columns: readonly Type[] = [];
  let at = 0;
  for (;;) {
    const token = payload[at];
    at += 1;
    switch (token) {
      case COLUMNS:
        [columns, at] = readColumns(payload, at);
        break;
      case ROW:
      case ROW_WITH_NULLS:
        at = readRow(payload, at, columns, { hasNulls: token === ROW_WITH_NULLS, answer });
        break;
      case DONE:
      case DONE_PROC:
      case DONE_IN_PROC: {
        const { count, hasMore } = readDone(payload, at);
        answer.count = count ?? answer.count;
        at += DONE_BYTES;
        if (hasMore) break;
        if (payload.length !== at) throw new Error('the answer goes on behind its end');
        return answer;
      }
      case RETURN_STATUS:
        if (payload.readInt32LE(at) !== 0)
          throw new Error(`a procedure returned ${payload.readInt32LE(at)}`);
        at += 4;
        break;
      case RETURN_VALUE:
        at = readReturned(payload, at, answer);
        break;
      case ENV_CHANGE:
        readChange(payload, at + 2, answer);
        at = behind(payload, at);
        break;
      case LOGIN_ACK:
        answer.server = readServer(payload, at + 2);
        at = behind(payload, at);
        break;
      case ERROR:
        throw readError(payload, at + 2);
      default:
        if (!SKIPPED.includes(token))
          throw new Error(`the answer has a token ${token ?? 'missing'}`);
        at = behind(payload, at);
    }
  }
}

function behind(payload: Buffer, at: number): number {
  return at + 2 + payload.readUInt16LE(at);
}

const NO_COLUMNS = 0xffff;

function readColumns(payload: Buffer, start: number): [readonly Type[], number] {
  const said = payload.readUInt16LE(start);
  const columns: Type[] = [];
  let at = start + 2;
  for (let left = said === NO_COLUMNS ? 0 : said; left > 0; left -= 1) {
    // The user's type and flags come before the type.
    const type = readType(payload, at + 6);
    columns.push(type);
    at = skipName(payload, type.end);
  }
  return [columns, at];
}

function readRow(
  payload: Buffer,
  start: number,
  columns: readonly Type[],
  { hasNulls, answer }: { readonly hasNulls: boolean; readonly answer: Growing },
): number {
  let at = start + (hasNulls ? Math.ceil(columns.length / 8) : 0);
  const values: (number | undefined)[] = [];
  for (const [column, type] of columns.entries()) {
    const bits = hasNulls ? (payload[start + (column >> 3)] ?? 0) : 0;
    if ((bits & (1 << (column & 7))) !== 0) {
      values.push(undefined);
      continue;
    }
    const { value, end } = readValue(payload, at, type);
    values.push(value);
    at = end;
  }
  if (answer.rows === 0) answer.values = values;
  answer.rows += 1;
  return at;
}

/** Status, the statement's kind, how many rows: behind the token. */
export const DONE_BYTES = 12;

/** Behind the token; `count` where it counts. */
export function readDone(
  payload: Buffer,
  at: number,
): { readonly count: number | undefined; readonly hasMore: boolean } {
  const status = payload.readUInt16LE(at);
  if ((status & FAILED) !== 0) throw new Refusal('a statement has failed without an error');
  const count = (status & COUNTED) === 0 ? undefined : Number(payload.readBigUInt64LE(at + 4));
  return { count, hasMore: (status & MORE) !== 0 };
}

function readReturned(payload: Buffer, start: number, answer: Growing): number {
  // Its place, its name; its status, the user's type and flags.
  const type = readType(payload, skipName(payload, start + 2) + 7);
  const { value, end } = readValue(payload, type.end, type);
  answer.returned ??= value;
  return end;
}

function readChange(payload: Buffer, at: number, answer: Growing): void {
  const kind = payload[at];
  if (kind === BEGUN) answer.transaction = Uint8Array.from(payload.subarray(at + 2, at + 10));
  else if (ENDED.includes(kind)) answer.transaction = NO_TRANSACTION;
  else if (kind === PACKET_BYTES)
    answer.packetBytes = Number(payload.toString('utf16le', at + 2, skipName(payload, at + 1)));
}

function readServer(payload: Buffer, at: number): string {
  // How SQL is understood, the protocol's version, a name with its length, and four numbers.
  const nameAt = at + 5;
  const versionAt = skipName(payload, nameAt);
  const [major = 0, minor = 0] = payload.subarray(versionAt);
  const build = payload.readUInt16BE(versionAt + 2);
  return `${payload
    .toString('utf16le', nameAt + 1, versionAt)
    .replaceAll('\0', '')
    .trim()} ${major}.${minor}.${build}`;
}

function readError(payload: Buffer, at: number): Refusal {
  const textAt = at + 8;
  const text = payload.toString('utf16le', textAt, textAt + 2 * payload.readUInt16LE(at + 6));
  return new Refusal(`${payload.readInt32LE(at)} ${text}`);
}
