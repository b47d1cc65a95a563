// Parameters of remote procedure calls. [MS-TDS] 2.2.6.6.
import { Violation } from '../../base/assert.ts';
import { EMPTY, u8, ucs2 } from '../../base/bytes.ts';
import { Scanner } from './scanner.ts';
import { skipTable } from './table-type.ts';
import { dataType, measure, scanType, typeShape } from './types.ts';
import type { TypeShape } from './types.ts';
import { scanValue, smallInteger, span, textOf, unchunked } from './values.ts';
import type { Span } from './values.ts';
import { isWide } from './versions.ts';

/** Bits of a parameter's status. */
export const parameterStatus = { output: 1, defaultValue: 2, encrypted: 8 } as const;

/** Between calls. It was another one when names were shorter. */
export const SEPARATOR = 0xff;
export const OLD_SEPARATOR = 0x80;
/** Another one, behind which nothing is to be executed. */
const NO_EXECUTE = 0xfe;

/** What a parameter is and where it stands, as offsets into the bytes. */
export class Parameter {
  /** Bits of `parameterStatus`. */
  readonly status: number;
  readonly type: Readonly<TypeShape>;
  /** Where it begins, with its name, and ends. */
  readonly at: number;
  readonly end: number;
  /** The value's own bytes; of a value in chunks, these with their lengths; of a table, all behind its type. */
  readonly valueAt: number;
  readonly valueEnd: number;
  readonly isNull: boolean;
  readonly #bytes: Uint8Array;

  constructor(
    bytes: Uint8Array,
    head: {
      readonly status: number;
      readonly at: number;
      readonly end: number;
    },
    type: TypeShape,
    value: Span,
  ) {
    this.#bytes = bytes;
    this.status = head.status;
    this.at = head.at;
    this.end = head.end;
    this.type = type;
    this.valueAt = value.at;
    this.valueEnd = value.end;
    this.isNull = value.isNull;
  }

  /** With its @; empty where it is told by its place. */
  get name(): string {
    const units = u8(this.#bytes, this.at);
    return units === 0 ? '' : ucs2(this.#bytes, this.at + 1, this.at + 1 + 2 * units);
  }

  /** The value of an integer of up to 32 bits; undefined: it is NULL, or of another type. */
  int(): number | undefined {
    return this.isNull ? undefined : integerOf(this.#bytes, this.type, this.valueAt, this.valueEnd);
  }

  /** The value of a type of text; undefined: it is NULL, or of another type. */
  text(): string | undefined {
    return this.isNull ? undefined : stringOf(this.#bytes, this.type, this.valueAt, this.valueEnd);
  }
}

function integerOf(
  bytes: Uint8Array,
  { type }: TypeShape,
  at: number,
  end: number,
): number | undefined {
  const isInteger =
    type === dataType.intN ||
    type === dataType.int4 ||
    type === dataType.int2 ||
    type === dataType.int1;
  return isInteger ? smallInteger(bytes, at, end) : undefined;
}

function stringOf(bytes: Uint8Array, type: TypeShape, at: number, end: number): string | undefined {
  if (type.type === dataType.table) return undefined;
  const isWhole = type.measure !== measure.chunks;
  // Most are of this type, and a view is dear.
  if (isWhole && type.type === dataType.nVarChar) return ucs2(bytes, at, end);
  return textOf(bytes, type, isWhole ? bytes.subarray(at, end) : unchunked(bytes, at, end));
}

/** For what nobody asks about. */
const SHAPE = typeShape();
const SPAN = span();

/** Walks the parameters of one call; and then of another, where it is told to `begin` again. */
export class RpcParameters {
  #bytes: Uint8Array = EMPTY;
  #end = 0;
  #version = 0;
  #isLast = true;
  readonly #scanner = new Scanner(EMPTY, 0, 0);
  #at = 0;
  /** Of the parameter that has been read. */
  #status = 0;
  readonly #type = typeShape();
  readonly #value = span();
  #nextCallAt: number | undefined;

  /** As `begin`, if it is told anything. */
  constructor(bytes: Uint8Array = EMPTY, at = 0, end = 0, version = 0, isLast = true) {
    this.begin(bytes, at, end, version, isLast);
  }

  /**
   * @param bytes `[at, end)` are the parameters as far as they are there
   * @param isLast the message has no more bytes: where a parameter may end it does, and one that is cut is a `Violation`
   */
  begin(bytes: Uint8Array, at: number, end: number, version: number, isLast: boolean): void {
    this.#bytes = bytes;
    this.#at = at;
    this.#end = end;
    this.#version = version;
    this.#isLast = isLast;
    this.#nextCallAt = undefined;
  }

  /** Lets go of the bytes. */
  forget(): void {
    this.#bytes = EMPTY;
    this.#scanner.set(EMPTY, 0, 0);
  }

  /** Where the next parameter begins, or would. */
  get at(): number {
    return this.#at;
  }

  /** Behind the last parameter: where another call begins; undefined: none does. */
  get nextCallAt(): number | undefined {
    return this.#nextCallAt;
  }

  /** The next parameter; 'more': it is not there whole, and read again when there are more bytes; 'end': there is none. */
  next(): Parameter | 'more' | 'end' {
    const at = this.#at;
    const found = this.read();
    if (found !== 'read') return found;
    const head = { status: this.#status, at, end: this.#at };
    return new Parameter(this.#bytes, head, { ...this.#type }, { ...this.#value });
  }

  /** Like `next`, but that what has been read is told by what is below, up to the next one. */
  read(): 'read' | 'more' | 'end' {
    const at = this.#nextOr();
    if (typeof at === 'string') return at;
    if (!this.#step(at, this.#type, this.#value)) return 'more';
    return 'read';
  }

  get valueAt(): number {
    return this.#value.at;
  }

  get valueEnd(): number {
    return this.#value.end;
  }

  /** It is a text in UTF-16, and its bytes are one behind the other. */
  get isPlainText(): boolean {
    const { type, measure: measured } = this.#type;
    return type === dataType.nVarChar && measured !== measure.chunks && !this.#value.isNull;
  }

  /** The value of an integer of up to 32 bits; undefined: it is NULL, or of another type. */
  int(): number | undefined {
    const { at, end, isNull } = this.#value;
    return isNull ? undefined : integerOf(this.#bytes, this.#type, at, end);
  }

  /** The value of a type of text; undefined: it is NULL, or of another type. */
  text(): string | undefined {
    const { at, end, isNull } = this.#value;
    return isNull ? undefined : stringOf(this.#bytes, this.#type, at, end);
  }

  /** Where the next parameter begins. */
  #nextOr(): number | 'more' | 'end' {
    const at = this.#at;
    if (this.#nextCallAt !== undefined) return 'end';
    if (at >= this.#end) return this.#isLast ? 'end' : 'more';
    if (!isSeparator(u8(this.#bytes, at), this.#version)) return at;
    this.#nextCallAt = at + 1;
    return 'end';
  }

  /** Steps over all that are left. Returns where the next call begins; undefined: none does, or not all of it is there. */
  skip(): number | undefined {
    let next = this.#nextOr();
    while (typeof next === 'number') {
      if (!this.#step(next, SHAPE, SPAN)) return undefined;
      next = this.#nextOr();
    }
    return this.#nextCallAt;
  }

  /** Goes past the parameter at `at`, and says what it is. False where it is not there whole. */
  #step(at: number, type: TypeShape, value: Span): boolean {
    if (!this.#scan(at, type, value)) {
      if (this.#isLast) throw new Violation('RPC: a parameter is shorter than it says');
      return false;
    }
    this.#at = this.#scanner.at;
    return true;
  }

  /** Whether it is there whole. */
  #scan(at: number, type: TypeShape, value: Span): boolean {
    const scanner = this.#scanner;
    scanner.set(this.#bytes, at, this.#end);
    scanner.skipShortText();
    const status = scanner.u8();
    if (scanner.peek() === dataType.table) {
      scanner.skip(1);
      type.type = dataType.table;
      type.measure = measure.fixed;
      value.isNull = false;
      value.at = scanner.at;
      skipTable(scanner, this.#version);
      value.end = scanner.at;
    } else {
      scanType(scanner, this.#version, 'parameter', type);
      scanValue(scanner, type, value);
      if ((status & parameterStatus.encrypted) !== 0) skipCipherInfo(scanner, this.#version);
    }
    this.#status = status;
    return !scanner.isShort;
  }
}

function isSeparator(value: number, version: number): boolean {
  if (!isWide(version)) return value === OLD_SEPARATOR;
  return value === SEPARATOR || value === NO_EXECUTE;
}

/** How a parameter is encrypted, and what it is when it is not. */
function skipCipherInfo(scanner: Scanner, version: number): void {
  scanType(scanner, version, 'parameter', typeShape());
  const algorithm = scanner.u8();
  if (algorithm === 0) scanner.skipShortText();
  scanner.skip(1 + 4 + 4 + 4 + 8 + 1);
}
