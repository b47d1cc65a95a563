// COM_STMT_EXECUTE and MariaDB's COM_STMT_BULK_EXECUTE, in place: their values are the server's to judge, and may not have arrived
// yet. MySQL documentation, "COM_STMT_EXECUTE"; MariaDB's "COM_STMT_BULK_EXECUTE".
import { assert } from '../../base/assert.ts';
import { concat, u8 } from '../../base/bytes.ts';
import { limits } from '../../base/limits.ts';
import { BodyReader } from '../../base/body-reader.ts';
import { readLenenc } from './lenenc-reader.ts';
import { byte, int16 } from './build.ts';
import { capability } from './capabilities.ts';

/** Of an execute: its code, the statement's number, flags, and how often. */
const FIXED_BYTES = 10;

/** The flags of an execute: what cursor is wanted, and whether it says how many parameters it has. */
export const executeFlag = {
  cursorReadOnly: 0x01,
  cursorForUpdate: 0x02,
  cursorScrollable: 0x04,
  parameterCountAvailable: 0x08,
} as const;

export const bulkFlag = {
  /** The reply is a result with what each row has brought about. */
  sendUnitResults: 0x40,
  sendTypesToServer: 0x80,
} as const;

/** What stands where in an execute, as offsets into its bytes. */
export interface Execute {
  readonly statementId: number;
  readonly flags: number;
  /** Of the statement and, where both sides know attributes, of the request. */
  readonly parameters: number;
  /** Where a type for each parameter is said, or would be, and the byte before it that tells which: without parameters the end. */
  readonly typesStart: number;
  readonly typesEnd: number;
  /** Whether they are said: where not, those of the execute before count (trap MY-62). */
  readonly hasTypes: boolean;
}

/**
 * Reads an execute as far as its types.
 * @param parameters of the statement, as its COM_STMT_PREPARE was answered
 * @param flags what both sides can do
 */
export function readStmtExecute(
  bytes: Uint8Array,
  start: number,
  end: number,
  parameters: number,
  flags: number,
): Execute {
  const reader = new BodyReader('COM_STMT_EXECUTE', bytes, start, end);
  reader.skip(1);
  const statementId = reader.u32le();
  const executeFlags = reader.u8();
  // How often: it has always been once.
  reader.skip(4);
  const withNames = (flags & capability.queryAttributes) !== 0;
  // The flag only matters where the statement has no parameters of its own.
  const mayHave = parameters > 0 || (executeFlags & executeFlag.parameterCountAvailable) !== 0;
  const saysCount = withNames && mayHave;
  const count = saysCount ? readLenenc(reader) : parameters;
  if (count > limits.requestParameters.value) throw reader.violation(`${count} parameters`);
  let [typesStart, typesEnd, hasTypes] = [end, end, false];
  if (count > 0) {
    reader.skip((count + 7) >> 3);
    hasTypes = reader.u8() !== 0;
    typesStart = reader.at;
    if (hasTypes) skipTypes(reader, count, withNames);
    typesEnd = reader.at;
  }
  return { statementId, flags: executeFlags, parameters: count, typesStart, typesEnd, hasTypes };
}

/**
 * Whether an execute says the types that an earlier one of the same statement has said, as nearly all do: then nothing else has to be read
 * of it. For those who know no attributes: each has as many types as its statement has parameters.
 * @param types that one's `bytes[typesStart, typesEnd)`
 */
export function saysAgain(
  bytes: Uint8Array,
  start: number,
  end: number,
  parameters: number,
  types: Uint8Array,
): boolean {
  const at = start + FIXED_BYTES + ((parameters + 7) >> 3);
  const { length } = types;
  if (length !== 2 * parameters || at + 1 + length > end || u8(bytes, at) === 0) return false;
  for (let index = 0; index < length; index += 1)
    if (u8(types, index) !== u8(bytes, at + 1 + index)) return false;
  return true;
}

/** Two bytes for each, and behind them its name, where both sides know attributes. */
export function skipTypes(reader: BodyReader, count: number, withNames: boolean): void {
  if (!withNames) {
    reader.skip(2 * count);
    return;
  }
  for (let left = count; left > 0; left -= 1) {
    reader.skip(2);
    reader.skip(readLenenc(reader));
  }
}

/**
 * The same execute with the types that an earlier one said, for a connection that has not heard them.
 * @param types that one's `bytes[typesStart, typesEnd)`
 */
export function withTypes(
  bytes: Uint8Array,
  start: number,
  end: number,
  execute: Execute,
  types: Uint8Array,
): Uint8Array {
  const { hasTypes, typesStart } = execute;
  assert(!hasTypes && execute.parameters > 0, 'an execute has no place for other types');
  return concat([bytes.slice(start, typesStart - 1), byte(1), types, bytes.slice(typesStart, end)]);
}

/** What stands where in a bulk execute. */
export interface BulkExecute {
  readonly statementId: number;
  readonly flags: number;
  readonly typesStart: number;
  readonly typesEnd: number;
  readonly hasTypes: boolean;
}

/** Reads a bulk execute as far as its types. @param parameters of the statement */
export function readStmtBulkExecute(
  bytes: Uint8Array,
  start: number,
  end: number,
  parameters: number,
): BulkExecute {
  const reader = new BodyReader('COM_STMT_BULK_EXECUTE', bytes, start, end);
  reader.skip(1);
  const statementId = reader.u32le();
  const flags = reader.u16le();
  const hasTypes = (flags & bulkFlag.sendTypesToServer) !== 0;
  const typesStart = reader.at;
  if (hasTypes) skipTypes(reader, parameters, false);
  return { statementId, flags, typesStart, typesEnd: reader.at, hasTypes };
}

/** The same bulk execute with the types that an earlier one said. */
export function bulkWithTypes(
  bytes: Uint8Array,
  start: number,
  end: number,
  execute: BulkExecute,
  types: Uint8Array,
): Uint8Array {
  const { flags, typesStart, hasTypes } = execute;
  assert(!hasTypes, 'a bulk execute has no place for other types');
  return concat([
    bytes.slice(start, typesStart - 2),
    int16(flags | bulkFlag.sendTypesToServer),
    types,
    bytes.slice(typesStart, end),
  ]);
}
