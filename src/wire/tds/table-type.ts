// Table-valued parameters. [MS-TDS] 2.2.5.5.5.
import { Violation } from '../../base/assert.ts';
import { limits } from '../../base/limits.ts';
import { NO_METADATA } from './columns.ts';
import type { Scanner } from './scanner.ts';
import { token } from './tokens.ts';
import { scanType, typeShape } from './types.ts';
import type { TypeShape } from './types.ts';
import { scanValue, span } from './values.ts';

/** Behind its rows, and behind what comes before them. */
export const TABLE_END = 0x00;
const ORDER_UNIQUE = 0x10;
const COLUMN_ORDERING = 0x11;
/** Of a column's flags: rows leave it out. */
const DEFAULT = 0x0200;

/** Steps over a table behind the byte of its type: its name, its columns and its rows, of which there may be too little. */
export function skipTable(scanner: Scanner, version: number): void {
  const columns = skipTableHead(scanner, version);
  const value = span();
  for (let next = scanner.u8(); next !== TABLE_END; next = scanner.u8()) {
    if (next !== token.tvpRow) throw new Violation(`a table-valued parameter with a row ${next}`);
    for (const column of columns) scanValue(scanner, column, value);
  }
}

/** Steps over what comes before its rows, of which there may be too little. Returns the types of the columns that rows have. */
export function skipTableHead(scanner: Scanner, version: number): readonly TypeShape[] {
  scanner.skipShortText();
  scanner.skipShortText();
  scanner.skipShortText();
  const columns = scanColumns(scanner, version);
  for (let next = scanner.u8(); next !== TABLE_END; next = scanner.u8()) {
    if (next === ORDER_UNIQUE) scanner.skip(3 * scanner.u16());
    else if (next === COLUMN_ORDERING) scanner.skip(2 * scanner.u16());
    else throw new Violation(`a table-valued parameter with a token ${next}, which there is not`);
  }
  return columns;
}

/** The types of those columns that rows have. */
function scanColumns(scanner: Scanner, version: number): readonly TypeShape[] {
  const columns: TypeShape[] = [];
  const count = scanner.u16();
  if (count === NO_METADATA) return columns;
  if (count > limits.tdsColumns.value) throw new Violation(`a table of ${count} columns`);
  for (let left = count; left > 0 && !scanner.isShort; left -= 1) {
    scanner.skip(4);
    const flags = scanner.u16();
    const shape = typeShape();
    scanType(scanner, version, 'parameter', shape);
    scanner.skipShortText();
    if ((flags & DEFAULT) === 0) columns.push(shape);
  }
  return columns;
}
