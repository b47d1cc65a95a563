// Remote procedure calls. [MS-TDS] 2.2.6.6.
import { Violation } from '../../base/assert.ts';
import { concat, EMPTY, u16le, ucs2, utf16 } from '../../base/bytes.ts';
import { byte, int16, int32, shortText } from './build.ts';
import { bodyAt, writeHeaders } from './headers.ts';
import { OLD_SEPARATOR, parameterStatus, SEPARATOR } from './rpc-parameters.ts';
import { dataType, NO_LENGTH } from './types.ts';
import { chunked } from './values.ts';
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

/** One that serves for many calls. */
export interface RpcHeadSlot extends RpcHead {
  procedure: number | string;
  flags: number;
  flagsAt: number;
  parametersAt: number;
}

export function rpcHeadSlot(): RpcHeadSlot {
  return { procedure: 0, flags: 0, flagsAt: 0, parametersAt: 0 };
}

/**
 * Reads a message's first call as far as its parameters; undefined: more of it is needed.
 * @param bytes `[start, end)` is the payload as far as it is there
 * @param into what is read is put there, and returned
 */
export function readRpcHead(
  bytes: Uint8Array,
  start: number,
  end: number,
  version: number,
  into: RpcHeadSlot = rpcHeadSlot(),
): RpcHead | undefined {
  const at = bodyAt(bytes, start, end, version);
  return at === undefined ? undefined : readCall(bytes, at, end, into);
}

/** Reads another call likewise, which no headers come before. @param at where it begins: `nextCallAt` */
export function readCall(
  bytes: Uint8Array,
  at: number,
  end: number,
  into: RpcHeadSlot = rpcHeadSlot(),
): RpcHead | undefined {
  if (end - at < 2) return undefined;
  const units = u16le(bytes, at);
  const isNumbered = units === NUMBERED;
  if (!isNumbered && units > NAME_UNITS)
    throw new Violation(`a procedure's name of ${units} characters`);
  const nameAt = at + 2;
  const flagsAt = nameAt + (isNumbered ? 2 : 2 * units);
  const parametersAt = flagsAt + 2;
  if (parametersAt > end) return undefined;
  into.procedure = isNumbered ? u16le(bytes, nameAt) : nameOrNumber(ucs2(bytes, nameAt, flagsAt));
  into.flags = u16le(bytes, flagsAt);
  into.flagsAt = flagsAt;
  into.parametersAt = parametersAt;
  return into;
}

function nameOrNumber(name: string): number | string {
  const last = name.slice(name.lastIndexOf('.') + 1).replace(/^\[(.*)\]$/s, '$1');
  return numbers.get(last.toLowerCase()) ?? name;
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
