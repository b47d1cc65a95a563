import { assert } from '../base/assert.ts';
import type { Row } from './store.ts';

// Columns of tables that say what is in them: anything else is a bug.

export function textOf(row: Row, column: string): string {
  const value = row[column];
  assert(typeof value === 'string', `${column} is no text`);
  return value;
}

export function numberOf(row: Row, column: string): number {
  const value = row[column];
  assert(typeof value === 'number', `${column} is no number`);
  return value;
}

export function bytesOf(row: Row, column: string): Uint8Array {
  const value = row[column];
  assert(value instanceof Uint8Array, `${column} is no bytes`);
  return value;
}

/** Undefined where there is nothing in it. */
export function textIn(row: Row, column: string): string | undefined {
  return row[column] === null ? undefined : textOf(row, column);
}

/** Undefined where there is nothing in it. */
export function numberIn(row: Row, column: string): number | undefined {
  return row[column] === null ? undefined : numberOf(row, column);
}
