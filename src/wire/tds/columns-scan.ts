import { Violation } from '../../base/assert.ts';
import { EMPTY, u16le, u8 } from '../../base/bytes.ts';
import { limits } from '../../base/limits.ts';
import { NO_METADATA, scanColumn, skipKey } from './columns.ts';
import type { Columns, Form } from './columns.ts';
import { Scanner } from './scanner.ts';
import { token } from './tokens.ts';
import { measure, NO_LENGTH, plainTypes, typeShape } from './types.ts';
import { isWide } from './versions.ts';

/** A column's type comes behind its user type and its flags. */
const TYPE_AT = 6;
/** Up to the length of the name, what a column of the types in `plainTypes` has at most. */
const PLAIN_BYTES = TYPE_AT + 8 + 1;

/**
 * Reads the description of columns, of which there may be too little: then it goes on, when there is more, where it stopped, so that
 * however many pieces there are each column is read about once.
 */
export class ColumnsScan {
  readonly #form: Form;
  readonly #scanner = new Scanner(EMPTY, 0, 0);
  readonly #shape = typeShape();
  /** Of the bytes that are told, how many have been read for good; 0 at the token's beginning. */
  #readBytes = 0;
  #keysLeft = 0;
  #columnsLeft = 0;
  #mayBePlain = false;
  #isCompute = false;
  #isUndescribed = false;
  /** For an ALTMETADATA: what its rows refer to. */
  id = 0;

  constructor(form: Form) {
    this.#form = form;
  }

  /**
   * @param bytes `[start, end)` begins with the token
   * @param columns what they are is put into it; where none are described it stays as it is
   * @returns the offset behind the token, or -1: more is needed, to be told together with what was told before
   */
  scan(bytes: Uint8Array, start: number, end: number, columns: Columns): number {
    const scanner = this.#scanner;
    scanner.set(bytes, start + this.#readBytes, end);
    if (this.#readBytes === 0 && !this.#begin(columns)) return -1;
    for (; this.#keysLeft > 0; this.#keysLeft -= 1) {
      skipKey(scanner);
      if (scanner.isShort) return -1;
      this.#readBytes = scanner.at - start;
    }
    while (this.#columnsLeft > 0) {
      if (this.#mayBePlain) this.#scanPlain(bytes, start, end, columns);
      if (this.#columnsLeft === 0) break;
      if (this.#isCompute) scanner.skip(3);
      scanColumn(scanner, this.#form, this.#shape);
      scanner.skipShortText();
      if (scanner.isShort) return -1;
      columns.add(this.#shape);
      this.#columnsLeft -= 1;
      this.#readBytes = scanner.at - start;
    }
    this.#readBytes = 0;
    return scanner.at;
  }

  /** Reads columns as `scan` does, as long as they are of types that are described in so many bytes and wholly there: most are. */
  #scanPlain(bytes: Uint8Array, start: number, end: number, columns: Columns): void {
    const { measures, bytes: valueBytes } = columns;
    let at = start + this.#readBytes;
    while (this.#columnsLeft > 0 && end - at >= PLAIN_BYTES) {
      const type = u8(bytes, at + TYPE_AT);
      const infoBytes = plainTypes.infoBytes[type] ?? 0;
      if (infoBytes === 0) break;
      const nameAt = at + TYPE_AT + infoBytes;
      const next = nameAt + 1 + 2 * u8(bytes, nameAt);
      if (next > end) break;
      const kind = plainTypes.measures[type] ?? 0;
      const isLong = kind === measure.short && u16le(bytes, at + TYPE_AT + 1) === NO_LENGTH;
      measures[columns.count] = isLong ? measure.chunks : kind;
      valueBytes[columns.count] = plainTypes.bytes[type] ?? 0;
      columns.count += 1;
      this.#columnsLeft -= 1;
      at = next;
    }
    this.#readBytes = at - start;
    this.#scanner.set(bytes, at, end);
  }

  /** Whether the last one described nothing. */
  get isUndescribed(): boolean {
    return this.#isUndescribed;
  }

  /** Forgets what it has read of a token that does not go on. */
  reset(): void {
    this.#readBytes = 0;
  }

  #begin(columns: Columns): boolean {
    const scanner = this.#scanner;
    const start = scanner.at;
    this.#isCompute = scanner.u8() === token.altMetadata;
    const count = scanner.u16();
    this.#mayBePlain =
      !this.#isCompute && isWide(this.#form.version) && !this.#form.columnEncryption;
    this.#keysLeft = 0;
    if (this.#isCompute) {
      this.id = scanner.u16();
      // What it is computed by.
      scanner.skip(2 * scanner.u8());
    } else if (this.#form.columnEncryption && count !== NO_METADATA) {
      this.#keysLeft = scanner.u16();
    }
    if (scanner.isShort) return false;
    this.#isUndescribed = count === NO_METADATA;
    this.#columnsLeft = this.#isUndescribed ? 0 : count;
    if (this.#columnsLeft > limits.tdsColumns.value)
      throw new Violation(`a result of ${count} columns`);
    if (!this.#isUndescribed) columns.begin(count);
    this.#readBytes = scanner.at - start;
    return true;
  }
}
