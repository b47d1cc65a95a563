// Remote procedure calls. [MS-TDS] 2.2.6.6.
import { Violation } from '../../base/assert.ts';
import { concat, EMPTY, u8, ucs2, utf16 } from '../../base/bytes.ts';
import { byte, int16, int32, shortText } from './build.ts';
import { bodyAt, writeHeaders } from './headers.ts';
import { Scanner } from './scanner.ts';
import { skipTable } from './table-type.ts';
import { dataType, measure, NO_LENGTH, scanType, typeShape } from './types.ts';
import type { TypeShape } from './types.ts';
import { chunked, scanValue, smallInteger, span, textOf, unchunked } from './values.ts';
import type { Span } from './values.ts';
import { isAtLeast, isWide, tdsVersion } from './versions.ts';

/** The procedures that have a number. */
export const procedure = {
  cursor: 1,
  cursorOpen: 2,
  cursorPrepare: 3,
  cursorExecute: 4,
  cursorPrepExec: 5,
  cursorUnprepare: 6,
  cursorFetch: 7,
  cursorOption: 8,
  cursorClose: 9,
  executeSql: 10,
  prepare: 11,
  execute: 12,
  prepExec: 13,
  prepExecRpc: 14,
  unprepare: 15,
} as const;

/** Their names. */
const numbers: ReadonlyMap<string, number> = new Map([
  ['sp_cursor', procedure.cursor],
  ['sp_cursoropen', procedure.cursorOpen],
  ['sp_cursorprepare', procedure.cursorPrepare],
  ['sp_cursorexecute', procedure.cursorExecute],
  ['sp_cursorprepexec', procedure.cursorPrepExec],
  ['sp_cursorunprepare', procedure.cursorUnprepare],
  ['sp_cursorfetch', procedure.cursorFetch],
  ['sp_cursoroption', procedure.cursorOption],
  ['sp_cursorclose', procedure.cursorClose],
  ['sp_executesql', procedure.executeSql],
  ['sp_prepare', procedure.prepare],
  ['sp_execute', procedure.execute],
  ['sp_prepexec', procedure.prepExec],
  ['sp_prepexecrpc', procedure.prepExecRpc],
  ['sp_unprepare', procedure.unprepare],
]);

/** The options of a call. */
export const rpcFlag = { recompile: 1, noMetadata: 2, reuseMetadata: 4 } as const;
export const parameterStatus = { output: 1, defaultValue: 2, encrypted: 8 } as const;

/** Where another length would be: a number follows. */
const NUMBERED = 0xffff;
/** The longest name: three parts of 128 in brackets, doubled ones inside, and dots. */
const NAME_UNITS = 1_046;

export interface RpcHead {
  /** What is called: a name that is one of the numbered ones, in any case and with or without `sys.` or `master..`, is its number. */
  readonly procedure: number | string;
  readonly flags: number;
  /** Of the two bytes of the flags. */
  readonly flagsAt: number;
  readonly parametersAt: number;
}

/**
 * Reads a message's first call as far as its parameters; undefined: more of it is needed.
 * @param bytes `[start, end)` is the payload as far as it is there
 */
export function readRpcHead(
  bytes: Uint8Array,
  start: number,
  end: number,
  version: number,
): RpcHead | undefined {
  const at = bodyAt(bytes, start, end, version);
  return at === undefined ? undefined : readCall(bytes, at, end);
}

/** Reads another call likewise, which no headers come before. @param at where it begins: `nextCallAt` */
export function readCall(bytes: Uint8Array, at: number, end: number): RpcHead | undefined {
  const scanner = new Scanner(bytes, at, end);
  const units = scanner.u16();
  if (units !== NUMBERED && units > NAME_UNITS) {
    throw new Violation(`a procedure's name of ${units} characters`);
  }
  const nameAt = scanner.at;
  const number = units === NUMBERED ? scanner.u16() : 0;
  if (units !== NUMBERED) scanner.skip(2 * units);
  const flagsAt = scanner.at;
  const flags = scanner.u16();
  if (scanner.isShort) return undefined;
  const called = units === NUMBERED ? number : nameOrNumber(ucs2(bytes, nameAt, flagsAt));
  return { procedure: called, flags, flagsAt, parametersAt: scanner.at };
}

function nameOrNumber(name: string): number | string {
  const last = name.slice(name.lastIndexOf('.') + 1).replace(/^\[(.*)\]$/s, '$1');
  return numbers.get(last.toLowerCase()) ?? name;
}

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
    const { type } = this.type;
    const isInteger =
      type === dataType.intN ||
      type === dataType.int4 ||
      type === dataType.int2 ||
      type === dataType.int1;
    return isInteger && !this.isNull
      ? smallInteger(this.#bytes, this.valueAt, this.valueEnd)
      : undefined;
  }

  /** The value of a type of text; undefined: it is NULL, or of another type. */
  text(): string | undefined {
    if (this.isNull || this.type.type === dataType.table) return undefined;
    const { valueAt, valueEnd } = this;
    const isWhole = this.type.measure !== measure.chunks;
    // Most are of this type, and a view is dear.
    if (isWhole && this.type.type === dataType.nVarChar)
      return ucs2(this.#bytes, valueAt, valueEnd);
    const value = isWhole
      ? this.#bytes.subarray(valueAt, valueEnd)
      : unchunked(this.#bytes, valueAt, valueEnd);
    return textOf(this.#bytes, this.type, value);
  }
}

/** For what nobody asks about. */
const SHAPE = typeShape();
const SPAN = span();

/** Walks the parameters of one call. */
export class RpcParameters {
  readonly #bytes: Uint8Array;
  readonly #end: number;
  readonly #version: number;
  readonly #isLast: boolean;
  readonly #scanner: Scanner;
  #at: number;
  /** Of the parameter that has been read. */
  #status = 0;
  #nextCallAt: number | undefined;

  /**
   * @param bytes `[at, end)` are the parameters as far as they are there
   * @param isLast the message has no more bytes: where a parameter may end it does, and one that is cut is a `Violation`
   */
  constructor(bytes: Uint8Array, at: number, end: number, version: number, isLast = true) {
    this.#bytes = bytes;
    this.#at = at;
    this.#end = end;
    this.#version = version;
    this.#isLast = isLast;
    this.#scanner = new Scanner(bytes, at, end);
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
    const at = this.#nextOr();
    if (typeof at === 'string') return at;
    const parameter = this.#read(at);
    if (parameter === undefined) {
      if (this.#isLast) throw new Violation('RPC: a parameter is shorter than it says');
      return 'more';
    }
    this.#at = parameter.end;
    return parameter;
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
      if (!this.#scan(next, SHAPE, SPAN)) {
        if (this.#isLast) throw new Violation('RPC: a parameter is shorter than it says');
        return undefined;
      }
      this.#at = this.#scanner.at;
      next = this.#nextOr();
    }
    return this.#nextCallAt;
  }

  #read(at: number): Parameter | undefined {
    const type = typeShape();
    const value = span();
    if (!this.#scan(at, type, value)) return undefined;
    const head = { status: this.#status, at, end: this.#scanner.at };
    return new Parameter(this.#bytes, head, type, value);
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

/** Between calls. It was another one when names were shorter. */
const SEPARATOR = 0xff;
const OLD_SEPARATOR = 0x80;
/** Another one, behind which nothing is to be executed. */
const NO_EXECUTE = 0xfe;

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

interface ArgumentBasics {
  readonly name?: string;
  readonly isOutput?: boolean;
}

/** An INTN(4), or an NVARCHAR. undefined: NULL. */
export type RpcArgument = ArgumentBasics &
  ({ readonly int: number | undefined } | { readonly text: string | undefined });

/** A call of ours. */
export interface RpcCall {
  readonly procedure: number | string;
  readonly arguments: readonly RpcArgument[];
}

/** The payload of one call, headers included. @param transaction the descriptor of the one it runs in, 0n for none */
export function rpcCall(
  called: number | string,
  parameters: readonly RpcArgument[],
  transaction: bigint,
  version: number,
): Uint8Array {
  return rpcCalls([{ procedure: called, arguments: parameters }], transaction, version);
}

/** The payload of several calls, one after another. */
export function rpcCalls(
  calls: readonly RpcCall[],
  transaction: bigint,
  version: number,
): Uint8Array {
  const separator = byte(isWide(version) ? SEPARATOR : OLD_SEPARATOR);
  return concat([
    isWide(version) ? writeHeaders(transaction) : EMPTY,
    ...calls.flatMap((call, index) => [
      index === 0 ? EMPTY : separator,
      nameOf(call.procedure),
      int16(0),
      ...call.arguments.map((one) => argument(one, version)),
    ]),
  ]);
}

function nameOf(called: number | string): Uint8Array {
  return typeof called === 'number'
    ? concat([int16(NUMBERED), int16(called)])
    : concat([int16(called.length), utf16(called)]);
}

function argument(parameter: RpcArgument, version: number): Uint8Array {
  const { name = '', isOutput = false } = parameter;
  return concat([
    shortText(name),
    byte(isOutput ? parameterStatus.output : 0),
    'int' in parameter ? intArgument(parameter.int) : textArgument(parameter.text, version),
  ]);
}

function intArgument(value: number | undefined): Uint8Array {
  const type = [byte(dataType.intN), byte(4)];
  return concat(value === undefined ? [...type, byte(0)] : [...type, byte(4), int32(value)]);
}

/** What an NVARCHAR that is measured in the old way has at most. */
const SHORT_TEXT_BYTES = 8_000;
/** Latin1_General, case-insensitive: for text in UTF-16 it is only how it would be compared. */
const COLLATION = Uint8Array.of(0x09, 0x04, 0xd0, 0x00, 0x34);

function textArgument(value: string | undefined, version: number): Uint8Array {
  const bytes = value === undefined ? EMPTY : utf16(value);
  const collation = isAtLeast(version, tdsVersion.v71) ? COLLATION : EMPTY;
  if (bytes.length <= SHORT_TEXT_BYTES) {
    const length = value === undefined ? NO_LENGTH : bytes.length;
    return concat([
      byte(dataType.nVarChar),
      int16(SHORT_TEXT_BYTES),
      collation,
      int16(length),
      bytes,
    ]);
  }
  if (isWide(version)) {
    return concat([byte(dataType.nVarChar), int16(NO_LENGTH), collation, chunked(bytes)]);
  }
  return concat([byte(dataType.nText), int32(bytes.length), collation, int32(bytes.length), bytes]);
}
