import { isWide } from '../../../src/wire/tds/versions.ts';
import type { Value } from '../../support/tds-server/types/sql-type.ts';
import { Source } from '../../support/tds-server/wire/source.ts';
import { readTypeInfo } from '../../support/tds-server/wire/type-info.ts';
import type { WireType } from '../../support/tds-server/wire/type-info.ts';
import { readValue } from '../../support/tds-server/wire/values.ts';

/** What one message of a server says, taken apart by what is not the proxy's own code. */
export interface Reply {
  /** A line for each token, rows included: all that is in it, but for what differs between any two sessions. */
  readonly lines: readonly string[];
  readonly errors: readonly number[];
  /** The integers that were given back: handles come first. */
  readonly returned: readonly (number | undefined)[];
  /** The first value of the first row. */
  readonly value: string | undefined;
  /** The status of the last DONE. */
  readonly lastDone: number;
  readonly isInTransaction: boolean;
  /** What became of the transaction: its descriptor, 0 for none; undefined where nothing was said. */
  readonly transaction: bigint | undefined;
  /** Agreed on. */
  readonly packetBytes: number | undefined;
  readonly database: string | undefined;
}

const token = {
  returnStatus: 0x79,
  colMetadata: 0x81,
  error: 0xaa,
  info: 0xab,
  returnValue: 0xac,
  loginAck: 0xad,
  featureExtAck: 0xae,
  row: 0xd1,
  nbcRow: 0xd2,
  envChange: 0xe3,
  done: 0xfd,
  doneProc: 0xfe,
  doneInProc: 0xff,
} as const;

/** Tokens with a length in front: the names of tables, where columns are from, and how rows are sorted. */
const lengthy: readonly number[] = [0xa4, 0xa5, 0xa9];
const NO_COLUMNS = 0xffff;
const IN_TRANSACTION = 4;
const SHOWN = 300;

export function readReply(payload: Uint8Array, version: number): Reply {
  const reader = new ReplyReader(payload, version);
  while (!reader.isAtEnd) reader.next();
  return reader;
}

class ReplyReader implements Reply {
  readonly lines: string[] = [];
  readonly errors: number[] = [];
  readonly returned: (number | undefined)[] = [];
  value: string | undefined;
  lastDone = 0;
  transaction: bigint | undefined;
  packetBytes: number | undefined;
  database: string | undefined;
  readonly #source: Source;
  readonly #version: number;
  readonly #isWide: boolean;
  #types: readonly WireType[] = [];

  constructor(payload: Uint8Array, version: number) {
    this.#source = new Source(payload);
    this.#version = version;
    this.#isWide = isWide(version);
  }

  get isAtEnd(): boolean {
    return this.#source.isAtEnd;
  }

  get isInTransaction(): boolean {
    return (this.lastDone & IN_TRANSACTION) !== 0;
  }

  next(): void {
    const source = this.#source;
    const kind = source.u8();
    switch (kind) {
      case token.colMetadata:
        return this.#columns();
      case token.row:
        return this.#row(() => false);
      case token.nbcRow: {
        const nulls = source.bytes(Math.ceil(this.#types.length / 8));
        return this.#row((at) => (((nulls[at >> 3] ?? 0) >> (at & 7)) & 1) === 1);
      }
      case token.error:
      case token.info:
        return this.#message(kind === token.error);
      case token.envChange:
        return this.#change(new Source(source.bytes(source.u16())));
      case token.done:
      case token.doneProc:
      case token.doneInProc:
        return this.#done(kind);
      case token.returnValue:
        return this.#returnValue();
      case token.returnStatus:
        this.lines.push(`status ${source.i32()}`);
        return;
      case token.loginAck:
        this.lines.push(`loginack ${hex(source.bytes(source.u16()))}`);
        return;
      case token.featureExtAck:
        for (let id = source.u8(); id !== 0xff; id = source.u8())
          this.lines.push(`feature ${id} ${hex(source.bytes(source.u32()))}`);
        return;
      default:
        if (!lengthy.includes(kind)) throw new Error(`no token begins with 0x${kind.toString(16)}`);
        this.lines.push(`token ${kind.toString(16)} ${hex(source.bytes(source.u16()))}`);
    }
  }

  #columns(): void {
    const source = this.#source;
    const said = source.u16();
    const count = said === NO_COLUMNS ? 0 : said;
    const types: WireType[] = [];
    const told: string[] = [];
    for (let at = 0; at < count; at += 1) {
      const begin = source.at;
      source.bytes(this.#isWide ? 6 : 4);
      const wire = readTypeInfo(source, this.#version);
      const about = hex(source.slice(begin, source.at - begin));
      types.push(wire);
      const tables: string[] = [];
      if (isOld(wire))
        for (let parts = this.#isWide ? source.u8() : 1; parts > 0; parts -= 1)
          tables.push(source.usVarchar());
      told.push([source.bVarchar(), about, ...tables].join(' '));
    }
    this.#types = types;
    this.lines.push(`columns ${told.join(', ')}`);
  }

  #row(isNull: (at: number) => boolean): void {
    const values = this.#types.map((wire, at) => (isNull(at) ? 'NULL' : this.#cell(wire)));
    this.value ??= values[0];
    this.lines.push(`row ${values.join(' | ')}`);
  }

  #cell(wire: WireType): string {
    const source = this.#source;
    if (isOld(wire)) {
      const pointer = source.u8();
      if (pointer === 0) return 'NULL';
      source.bytes(pointer + 8);
    }
    return shown(readValue(source, wire));
  }

  #message(isError: boolean): void {
    const source = this.#source;
    const length = source.u16();
    const number = source.i32();
    const about = [source.u8(), source.u8(), source.usVarchar(), source.bVarchar()];
    const [procedure, line] = [source.bVarchar(), this.#isWide ? source.i32() : source.u16()];
    if (isError) this.errors.push(number);
    const said = [number, ...about, procedure, line].map(String).join(' · ');
    if (length === 0) throw new Error('a message without a length');
    this.lines.push(`${isError ? 'error' : 'info'} ${said}`);
  }

  /** Descriptors are never the same. */
  #change(source: Source): void {
    const type = source.u8();
    if (type <= 6) {
      const [now, before] = [source.bVarchar(), source.bVarchar()];
      if (type === 1) this.database = now;
      if (type === 4) this.packetBytes = Number(now);
      this.lines.push(`change ${type} ${now} · ${before}`);
      return;
    }
    const [now, before] = [source.bytes(source.u8()), source.bytes(source.u8())];
    if (type === 8 || type === 11) {
      this.transaction = Buffer.from(now).readBigUInt64LE(0);
      this.lines.push(`change ${type} began`);
    } else if (type === 9 || type === 10 || type === 12 || type === 17) {
      this.transaction = 0n;
      this.lines.push(`change ${type} ended`);
    } else this.lines.push(`change ${type} ${hex(now)} · ${hex(before)}`);
  }

  #done(kind: number): void {
    const source = this.#source;
    const [status, command] = [source.u16(), source.u16()];
    const count = this.#isWide ? source.i64() : BigInt(source.i32());
    this.lastDone = status;
    this.lines.push(`done ${kind.toString(16)} ${status.toString(16)} ${command} ${count}`);
  }

  #returnValue(): void {
    const source = this.#source;
    const ordinal = source.u16();
    const name = source.bVarchar();
    const about = hex(source.bytes(this.#isWide ? 7 : 5));
    const value = readValue(source, readTypeInfo(source, this.#version));
    this.returned.push(typeof value === 'number' ? value : undefined);
    this.lines.push(`returns ${ordinal} ${name} ${about} ${shown(value)}`);
  }
}

function isOld({ type }: WireType): boolean {
  return /text|image/.test(type.name);
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

/** Long values by their beginning, their length and a sum. */
function shown(value: Value): string {
  const text = asText(value);
  return text.length <= SHOWN
    ? text
    : `${text.slice(0, SHOWN)}… (${text.length}, ${Bun.hash(text)})`;
}

function asText(value: Value): string {
  if (value === null) return 'NULL';
  if (value instanceof Uint8Array) return `0x${hex(value)}`;
  return typeof value === 'object' ? JSON.stringify(value, plain) : String(value);
}

function plain(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value;
}
