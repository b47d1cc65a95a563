import { Violation } from '../../base/assert.ts';
import { u16le, u64le, u8 } from '../../base/bytes.ts';
import { limits } from '../../base/limits.ts';
import { capability } from '../../wire/mysql/capabilities.ts';
import { EOF_HEADER, isEof } from '../../wire/mysql/eof.ts';
import { ERR_HEADER, errorCode, isProgress } from '../../wire/mysql/err.ts';
import { MAX_PACKET_BYTES } from '../../wire/mysql/framing.ts';
import type { OkOffsets } from '../../wire/mysql/ok.ts';
import { OK_HEADER, okOffsets, scanOk } from '../../wire/mysql/ok.ts';
import { LOCAL_INFILE_HEADER } from '../../wire/mysql/result-set.ts';
import { serverStatus } from '../../wire/mysql/status-flags.ts';
import { lenencAt, lenencEnd } from '../../wire/mysql/values.ts';

/** The shapes that a reply can have. */
export const shape = {
  /** One packet: OK, EOF or ERR. */
  ok: 0,
  /** Of a query or an execution: OK, or column definitions and rows; and more of them. */
  results: 1,
  /** Column definitions up to an EOF. */
  fields: 2,
  /** What a prepared statement is told by, then its parameters and its columns. */
  prepared: 3,
  /** Rows up to an EOF. */
  rows: 4,
  /** One packet of text, or ERR. */
  text: 5,
} as const;
export type Shape = (typeof shape)[keyof typeof shape];

/** Where in a reply we are. */
const phase = {
  first: 0,
  columns: 1,
  endOfColumns: 2,
  rows: 3,
  fields: 4,
  parameters: 5,
  endOfParameters: 6,
  preparedColumns: 7,
  endOfPreparedColumns: 8,
  /** The client sends a file. */
  file: 9,
  over: 10,
} as const;
type Phase = (typeof phase)[keyof typeof phase];

const PREPARED_BYTES = 12;

/**
 * Follows one reply of the database packet by packet, and looks into none but those that tell how it goes on. Rows are told
 * from what ends them by their first byte and their length.
 */
export class Reply {
  #deprecatesEof = false;
  /** Whether the number of columns is followed by a byte that says whether their definitions are. */
  #hasMetadataFlag = false;
  #flags = 0;
  readonly ok: OkOffsets = okOffsets();
  #shape: Shape = shape.ok;
  #phase: Phase = phase.over;
  /** Column or parameter definitions still to come. */
  #left = 0;
  #columnsLater = 0;
  /** Status flags and warnings as the last OK or EOF told them. */
  status = 0;
  warnings = 0;
  /** There has been one. */
  hasStatus = false;
  /** The code of the error that ended it; 0 where none did. */
  error = 0;
  /** The number that a statement has given out last, as an OK told; 0 for none. */
  lastInsertId: number | bigint = 0;
  /** It has result sets. */
  hasColumns = false;

  /** @param status as it was told last: an error tells none @param flags what we and the database can do */
  begin(of: Shape, status: number, flags: number): void {
    this.#flags = flags;
    this.#deprecatesEof = (flags & capability.deprecateEof) !== 0;
    this.#hasMetadataFlag = (flags & capability.optionalResultsetMetadata) !== 0;
    this.#shape = of;
    this.status = status;
    this.hasStatus = false;
    this.#phase = of === shape.rows ? phase.rows : of === shape.fields ? phase.fields : phase.first;
    this.error = 0;
    this.lastInsertId = 0;
    this.hasColumns = false;
    this.warnings = 0;
  }

  get isOver(): boolean {
    return this.#phase === phase.over;
  }

  /** It is the client's turn: the bytes of a file, up to an empty packet. */
  get wantsFile(): boolean {
    return this.#phase === phase.file;
  }

  /** The file has been sent, or what there is of it. */
  fileSent(): void {
    this.#phase = phase.first;
  }

  /**
   * Whether a packet that begins with this byte and has this length must have arrived as a whole before `take` may look at it.
   */
  mustBeWhole(first: number, length: number): boolean {
    if (length >= MAX_PACKET_BYTES) return false;
    switch (this.#phase) {
      case phase.rows:
        return first === ERR_HEADER || this.#endsRows(first, length);
      case phase.columns:
      case phase.parameters:
      case phase.preparedColumns:
        return false;
      case phase.first:
        return this.#shape !== shape.text;
      default:
        return first === ERR_HEADER || first === EOF_HEADER;
    }
  }

  /**
   * Takes a packet that begins with this byte if that is all there is to it: the definition of a column, or a row. Returns whether it
   * has. One that begins as an end of rows or an error does, or whose payload goes on in another one, is for `take`.
   */
  takePlain(first: number): boolean {
    if (this.#phase === phase.rows) return first !== ERR_HEADER && first !== EOF_HEADER;
    if (this.#phase !== phase.columns) return false;
    this.#takeColumn();
    return true;
  }

  /** Whether the packet that was taken last is an OK packet, told by `ok`. */
  wasOk = false;

  /** One packet, `bytes[start, end)`, all of it where `mustBeWhole` says so; `length` is what its header says. */
  take(bytes: Uint8Array, start: number, end: number, length: number): void {
    this.wasOk = false;
    const first = length === 0 ? -1 : u8(bytes, start);
    switch (this.#phase) {
      case phase.first:
        this.#takeFirst(first, bytes, start, end);
        return;
      case phase.columns:
        this.#takeColumn();
        return;
      case phase.endOfColumns:
        this.#takeEof(bytes, start, end);
        this.#phase = (this.status & serverStatus.cursorExists) === 0 ? phase.rows : phase.over;
        return;
      case phase.rows:
        if (first === ERR_HEADER) this.#takeError(bytes, start, end);
        else if (this.#endsRows(first, length)) this.#takeEndOfRows(bytes, start, end);
        return;
      case phase.fields:
        if (first === ERR_HEADER) this.#takeError(bytes, start, end);
        else if (first === EOF_HEADER) this.#takeEndOfRows(bytes, start, end);
        return;
      case phase.parameters:
        this.#left -= 1;
        if (this.#left === 0) {
          if (this.#deprecatesEof) this.#beginPreparedColumns();
          else this.#phase = phase.endOfParameters;
        }
        return;
      case phase.endOfParameters:
        this.#takeEof(bytes, start, end);
        this.#beginPreparedColumns();
        return;
      case phase.preparedColumns:
        this.#left -= 1;
        if (this.#left === 0)
          this.#phase = this.#deprecatesEof ? phase.over : phase.endOfPreparedColumns;
        return;
      case phase.endOfPreparedColumns:
        this.#takeEof(bytes, start, end);
        this.#phase = phase.over;
        return;
      case phase.file:
        throw new Violation('the database speaks while it waits for a file');
      case phase.over:
        throw new Violation('a reply to no request');
    }
  }

  #takeFirst(first: number, bytes: Uint8Array, start: number, end: number): void {
    if (first === ERR_HEADER) {
      this.#takeError(bytes, start, end);
      return;
    }
    switch (this.#shape) {
      case shape.text:
        this.#phase = phase.over;
        return;
      case shape.prepared:
        this.#takePrepared(first, bytes, start, end);
        return;
      case shape.ok:
        if (first === OK_HEADER) this.#takeOk(bytes, start, end);
        else if (isEof(bytes, start, end)) this.#takeEof(bytes, start, end);
        else if (first === EOF_HEADER) this.#takeOk(bytes, start, end);
        else throw new Violation(`a reply that begins with ${first} where OK is due`);
        this.#phase = phase.over;
        return;
      default:
        if (first === OK_HEADER) {
          this.#takeOk(bytes, start, end);
          this.#endResult();
        } else if (first === LOCAL_INFILE_HEADER) {
          this.#phase = phase.file;
        } else {
          this.#takeColumnCount(bytes, start, end);
        }
    }
  }

  #takeColumnCount(bytes: Uint8Array, start: number, end: number): void {
    const after = lenencEnd(bytes, start, end);
    this.#left = lenencAt(bytes, start);
    if (this.#left > limits.resultColumns.value)
      throw new Violation(`a result of ${this.#left} columns`);
    this.hasColumns = true;
    const isDefined = !this.#hasMetadataFlag || after === end || u8(bytes, after) !== 0;
    if (isDefined && this.#left > 0) this.#phase = phase.columns;
    else this.#phase = this.#deprecatesEof ? phase.rows : phase.endOfColumns;
  }

  #takeColumn(): void {
    this.#left -= 1;
    if (this.#left === 0) this.#phase = this.#deprecatesEof ? phase.rows : phase.endOfColumns;
  }

  #takePrepared(first: number, bytes: Uint8Array, start: number, end: number): void {
    if (first === OK_HEADER && !tellsPrepared(bytes, start, end)) {
      // MySQL says so of SET GLOBAL, to who may not do that: nothing is prepared.
      this.#takeOk(bytes, start, end);
      this.#phase = phase.over;
      return;
    }
    if (first !== OK_HEADER)
      throw new Violation('a reply that does not tell of a prepared statement');
    this.warnings = u16le(bytes, start + 10);
    const isDefined =
      !this.#hasMetadataFlag || end - start === PREPARED_BYTES || u8(bytes, start + 12) !== 0;
    this.#columnsLater = isDefined ? u16le(bytes, start + 5) : 0;
    this.#left = isDefined ? u16le(bytes, start + 7) : 0;
    if (this.#left > 0) this.#phase = phase.parameters;
    else this.#beginPreparedColumns();
  }

  #beginPreparedColumns(): void {
    this.#left = this.#columnsLater;
    this.#phase = this.#left > 0 ? phase.preparedColumns : phase.over;
  }

  #takeEndOfRows(bytes: Uint8Array, start: number, end: number): void {
    if (this.#deprecatesEof) this.#takeOk(bytes, start, end);
    else this.#takeEof(bytes, start, end);
    this.#endResult();
  }

  /** Behind one result there may come another. */
  #endResult(): void {
    const hasMore = (this.status & serverStatus.moreResultsExist) !== 0;
    this.#phase = hasMore && this.#shape === shape.results ? phase.first : phase.over;
  }

  #takeOk(bytes: Uint8Array, start: number, end: number): void {
    scanOk(this.ok, bytes, start, end, this.#flags);
    this.wasOk = true;
    const id = numberAt(bytes, this.ok.lastInsertIdAt);
    if (id !== 0) this.lastInsertId = id;
    this.status = this.ok.status;
    this.hasStatus = true;
    this.warnings = u16le(bytes, this.ok.statusAt + 2);
  }

  #takeEof(bytes: Uint8Array, start: number, end: number): void {
    if (!isEof(bytes, start, end) || end - start < 5)
      throw new Violation('no EOF where one is due');
    this.warnings = u16le(bytes, start + 1);
    this.status = u16le(bytes, start + 3);
    this.hasStatus = true;
  }

  #takeError(bytes: Uint8Array, start: number, end: number): void {
    if (isProgress(bytes, start, end)) return;
    this.error = errorCode(bytes, start, end);
    this.#phase = phase.over;
  }

  #endsRows(first: number, length: number): boolean {
    if (first !== EOF_HEADER) return false;
    return this.#deprecatesEof ? length < MAX_PACKET_BYTES : length < 9;
  }
}

/** Whether the first packet that answers a COM_STMT_PREPARE tells of a statement. */
export function tellsPrepared(bytes: Uint8Array, start: number, end: number): boolean {
  return u8(bytes, start) === OK_HEADER && end - start >= PREPARED_BYTES;
}

/** A length-encoded number of any size. */
function numberAt(bytes: Uint8Array, at: number): number | bigint {
  const number = lenencAt(bytes, at);
  return Number.isSafeInteger(number) ? number : u64le(bytes, at + 1);
}
