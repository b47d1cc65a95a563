import { errorFields } from '../../support/messages.ts';
import type { Message } from '../../support/messages.ts';
import { transcript } from '../../support/transcript.ts';

/** Numbers below are PostgreSQL's own and never change. */
const FIRST_OBJECT = 16_384;
/** More than a test makes; a number beyond is none of an object. */
const LAST_OBJECT = 65_536;
/** In the binary form of these stand numbers of objects: `oid`, the `reg…` types, `record`, and arrays of them. */
const holders: ReadonlySet<number> = new Set([
  ...[26, 1028, 24, 1008, 2202, 2207, 2203, 2208, 2204, 2209, 2205, 2210, 2206, 2211, 2249, 2287],
  ...[3734, 3735, 3769, 3770, 4089, 4090, 4096, 4097, 4191, 4192],
]);

interface Column {
  readonly text: string;
  readonly type: number;
}

/**
 * As `transcript`, with all that the messages hold: every number of a RowDescription, every byte of a value, the server's
 * file and line. Two databases number what is made in them as they please: such numbers become `#1`, `#2`, in the order in which
 * they are met.
 */
export class Verbatim {
  readonly #objects = new Map<number, string>();
  #columns: readonly Column[] = [];

  readonly tell = (messages: readonly Message[]): readonly string[] =>
    messages.map((message) => this.#line(message));

  #line(message: Message): string {
    const { type } = message;
    const body = Buffer.from(message.body);
    switch (type) {
      case 'T':
        this.#columns = this.#describe(body);
        return `T ${this.#columns.map(({ text }) => text).join(',')}`;
      case 't':
        return `t ${int4s(body.subarray(2)).map((oid) => this.#object(oid))}`;
      case 'D':
        return `D ${values(body)
          .map((value, at) => this.#value(value, this.#columns[at]?.type ?? 0))
          .join('|')}`;
      case 'E':
      case 'N':
        return `${type} ${JSON.stringify(errorFields(body))}`;
      case 'd':
        return `d ${textOf(body)}`;
      default:
        return transcript([message]).join('');
    }
  }

  #describe(body: Buffer): readonly Column[] {
    const columns: Column[] = [];
    let at = 2;
    for (let left = body.readInt16BE(0); left > 0; left -= 1) {
      const end = body.indexOf(0, at);
      const table = this.#object(body.readUInt32BE(end + 1));
      const type = body.readUInt32BE(end + 7);
      const facts = [table, body.readInt16BE(end + 5), this.#object(type)];
      const form = [11, 15, 17].map((offset) =>
        offset === 15 ? body.readInt32BE(end + offset) : body.readInt16BE(end + offset),
      );
      columns.push({ text: [textOf(body.subarray(at, end)), ...facts, ...form].join(':'), type });
      at = end + 19;
    }
    return columns;
  }

  #object(oid: number): string {
    if (oid < FIRST_OBJECT) return String(oid);
    const known = this.#objects.get(oid) ?? `#${this.#objects.size + 1}`;
    this.#objects.set(oid, known);
    return known;
  }

  /** And of types made by somebody. */
  #value(value: Buffer | undefined, type: number): string {
    if (value === undefined) return 'NULL';
    const isBinary = value.includes(0) && (type >= FIRST_OBJECT || holders.has(type));
    if (!isBinary) return textOf(value);
    let text = '';
    for (let at = 0; at < value.length;) {
      const number = at + 4 <= value.length ? value.readUInt32BE(at) : 0;
      const isObject = number >= FIRST_OBJECT && number < LAST_OBJECT;
      text += isObject ? this.#object(number) : value.toString('hex', at, at + 1);
      at += isObject ? 4 : 1;
    }
    return text;
  }
}

function values(row: Buffer): readonly (Buffer | undefined)[] {
  const found: (Buffer | undefined)[] = [];
  let at = 2;
  for (let left = row.readInt16BE(0); left > 0; left -= 1) {
    const length = row.readInt32BE(at);
    at += 4;
    found.push(length < 0 ? undefined : row.subarray(at, at + length));
    at += Math.max(0, length);
  }
  return found;
}

function int4s(bytes: Buffer): readonly number[] {
  return Array.from({ length: bytes.length / 4 }, (_, at) => bytes.readUInt32BE(at * 4));
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** As it is where it is text, else in hexadecimal digits. */
function textOf(bytes: Buffer): string {
  try {
    return utf8.decode(bytes);
  } catch {
    return bytes.toString('hex');
  }
}
