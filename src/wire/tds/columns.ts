// What describes rows: COLMETADATA and ALTMETADATA. [MS-TDS] 2.2.7.1, 2.2.7.4.
import type { Scanner } from './scanner.ts';
import { hasTableName, scanType, typeShape } from './types.ts';
import type { TypeShape } from './types.ts';
import { isWide } from './versions.ts';

/** How many columns says that none are described: those described before count. */
export const NO_METADATA = 0xffff;
/** Of a column's flags: its values are encrypted, and it says how. */
const ENCRYPTED = 0x0800;
/** A custom algorithm has a name. */
const CUSTOM_ALGORITHM = 0;

/** What both sides have agreed on, as far as the form of tokens depends on it. */
export interface Form {
  readonly version: number;
  readonly columnEncryption: boolean;
  /** The agreed version of data classification. */
  readonly dataClassification: number;
}

/** How the values of a row are measured, one after another: see `measure`. */
export class Columns {
  count = 0;
  measures: Uint8Array = new Uint8Array(16);
  /** Of those whose measure is `fixed`. */
  bytes: Uint32Array = new Uint32Array(16);

  /** Makes room for `count` of them, and forgets those that there are. */
  begin(count: number): void {
    this.count = 0;
    if (count <= this.measures.length) return;
    this.measures = new Uint8Array(2 * count);
    this.bytes = new Uint32Array(2 * count);
  }

  add({ measure, bytes }: TypeShape): void {
    const index = this.count;
    this.measures[index] = measure;
    this.bytes[index] = bytes;
    this.count = index + 1;
  }
}

/** Reads a column's description up to its name. */
export function scanColumn(scanner: Scanner, form: Form, shape: TypeShape): void {
  const { version } = form;
  scanner.skip(isWide(version) ? 4 : 2);
  const flags = scanner.u16();
  scanType(scanner, version, 'result', shape);
  if (hasTableName(shape.type)) skipTableName(scanner, version);
  if (form.columnEncryption && (flags & ENCRYPTED) !== 0) {
    // Which of the keys.
    scanner.skip(2);
    skipCryptoMetadata(scanner, version);
  }
}

function skipTableName(scanner: Scanner, version: number): void {
  for (let parts = isWide(version) ? scanner.u8() : 1; parts > 0; parts -= 1) {
    scanner.skipLongText();
  }
}

/** How a value is encrypted, and what it is when it is not. */
function skipCryptoMetadata(scanner: Scanner, version: number): void {
  scanner.skip(4);
  scanType(scanner, version, 'result', typeShape());
  if (scanner.u8() === CUSTOM_ALGORITHM) scanner.skipShortText();
  scanner.skip(2);
}

/** One of the keys that encrypted columns name. */
export function skipKey(scanner: Scanner): void {
  scanner.skip(4 + 4 + 4 + 8);
  for (let values = scanner.u8(); values > 0; values -= 1) {
    scanner.skip(scanner.u16());
    scanner.skipShortText();
    scanner.skipLongText();
    scanner.skipShortText();
  }
}

/** The table of keys before columns of which some may be encrypted, in one go. */
export function skipKeys(scanner: Scanner): void {
  for (let keys = scanner.u16(); keys > 0 && !scanner.isShort; keys -= 1) skipKey(scanner);
}

/** Reads what comes before the type of a returned value, and it. */
export function scanReturnValue(scanner: Scanner, form: Form, shape: TypeShape): void {
  const { version } = form;
  // Its ordinal; its name; whether it is a parameter's or a function's.
  scanner.skip(2);
  scanner.skipShortText();
  scanner.skip(1);
  scanner.skip(isWide(version) ? 4 : 2);
  const flags = scanner.u16();
  scanType(scanner, version, 'result', shape);
  if (form.columnEncryption && (flags & ENCRYPTED) !== 0) skipCryptoMetadata(scanner, version);
}
