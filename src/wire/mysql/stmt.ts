// Prepared statements, the server's side: what a COM_STMT_PREPARE is answered with; and the shorter of a client's commands. MySQL
// documentation, "Prepared Statements".
import { Violation } from '../../base/assert.ts';
import { concat, EMPTY, u32le } from '../../base/bytes.ts';
import { BodyReader } from '../../base/body-reader.ts';
import { byte, int16, int32, writeInt32 } from './build.ts';
import { capability } from './capabilities.ts';
import { command } from './commands.ts';

/** MariaDB: the statement that was prepared last on this connection, though its number is not known yet (trap MY-68). */
export const LAST_PREPARED = 0xffffffff;

export interface Prepared {
  readonly statementId: number;
  readonly columns: number;
  readonly parameters: number;
  readonly warnings: number;
  /** Whether parameters and columns are described in the packets that follow. */
  readonly described: boolean;
}

/** @param flags what both sides can do */
export function readPrepared(
  bytes: Uint8Array,
  start: number,
  end: number,
  flags: number,
): Prepared {
  const reader = new BodyReader('prepared statement', bytes, start, end);
  if (reader.u8() !== 0) throw reader.violation('neither that nor an error');
  const statementId = reader.u32le();
  const columns = reader.u16le();
  const parameters = reader.u16le();
  reader.skip(1);
  // Servers before MySQL 4.1.3 have no warnings.
  const warnings = reader.remaining === 0 ? 0 : reader.u16le();
  const described = !mayBeSilent(flags) || reader.remaining === 0 || reader.u8() !== 0;
  reader.end();
  return { statementId, columns, parameters, warnings, described };
}

function mayBeSilent(flags: number): boolean {
  return (flags & capability.optionalResultsetMetadata) !== 0;
}

export function prepared(said: Prepared, flags: number): Uint8Array {
  return concat([
    byte(0),
    int32(said.statementId),
    int16(said.columns),
    int16(said.parameters),
    byte(0),
    int16(said.warnings),
    mayBeSilent(flags) ? byte(said.described ? 1 : 0) : EMPTY,
  ]);
}

/** How many packets follow it: definitions of parameters, and of columns, each with an EOF packet unless there are none. */
export function packetsBehind({ columns, parameters, described }: Prepared, flags: number): number {
  if (!described) return 0;
  const eofs = (flags & capability.deprecateEof) === 0 ? 1 : 0;
  return list(parameters, eofs) + list(columns, eofs);
}

function list(definitions: number, eofs: number): number {
  return definitions === 0 ? 0 : definitions + eofs;
}

/** Commands that name a statement do so first: where its number ends, counted from the command's first byte. */
export const STATEMENT_ID_END = 5;

/** The statement of any command that names one. */
export function readStatementId(bytes: Uint8Array, start: number, end: number): number {
  if (end - start < STATEMENT_ID_END) throw new Violation('a command that names no statement');
  return u32le(bytes, start + 1);
}

/** Puts another statement into such a command, which has been read. */
export function writeStatementId(bytes: Uint8Array, start: number, statementId: number): void {
  writeInt32(bytes, start + 1, statementId);
}

export function stmtPrepare(sql: Uint8Array): Uint8Array {
  return concat([byte(command.stmtPrepare), sql]);
}

export function stmtClose(statementId: number): Uint8Array {
  return concat([byte(command.stmtClose), int32(statementId)]);
}

export function stmtReset(statementId: number): Uint8Array {
  return concat([byte(command.stmtReset), int32(statementId)]);
}

/** The statement, and how many rows of its cursor are wanted. */
export function readStmtFetch(
  bytes: Uint8Array,
  start: number,
  end: number,
): { readonly statementId: number; readonly rows: number } {
  const reader = new BodyReader('COM_STMT_FETCH', bytes, start, end);
  reader.skip(1);
  const statementId = reader.u32le();
  const rows = reader.u32le();
  reader.end();
  return { statementId, rows };
}

/** The statement, the number of its parameter, and where the data begins, which goes to the end (trap MY-61). */
export function readStmtSendLongData(
  bytes: Uint8Array,
  start: number,
  end: number,
): { readonly statementId: number; readonly parameter: number; readonly dataStart: number } {
  const reader = new BodyReader('COM_STMT_SEND_LONG_DATA', bytes, start, end);
  reader.skip(1);
  const statementId = reader.u32le();
  const parameter = reader.u16le();
  return { statementId, parameter, dataStart: reader.at };
}
