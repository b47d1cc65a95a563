import type { Column, Row, Table } from '../data/table.ts';
import { keyOf, convert, toText } from '../types/convert.ts';
import { errors } from '../types/errors.ts';
import type { SqlType, Value } from '../types/sql-type.ts';
import { isBinary, isText } from '../types/sql-type.ts';
import { compile } from './compile.ts';
import { casted } from './operators.ts';
import type { Context } from './context.ts';
import { Frame } from './frame.ts';
import { waitFor } from './locks.ts';
import type { Work } from './wait.ts';

/** As a column keeps it: what does not fit is an error. */
export function stored(value: Value, from: SqlType, { type, name }: Column): Value {
  if (value === null) return null;
  if (isText(type) && type.length > 0 && toText(value, from).trimEnd().length > type.length)
    throw errors.truncated(name);
  if (
    isBinary(type) &&
    type.length > 0 &&
    value instanceof Uint8Array &&
    value.length > type.length
  )
    throw errors.truncated(name);
  return convert(value, from, type);
}

/** What a column has where nothing is given for it. */
export function defaultOf(column: Column, context: Context): Value {
  if (column.defaultValue === undefined) return null;
  const compiled = compile(column.defaultValue, context, undefined);
  return casted(compiled, column.type).get();
}

/** A full row for a table: `given` by the columns' places, with the types of what is given. */
export function completed(
  table: Table,
  places: readonly number[],
  given: readonly (Value | undefined)[],
  types: readonly (SqlType | undefined)[],
  context: Context,
): Value[] {
  const identity = table.identityColumn;
  const row = table.columns.map((column, at) => {
    const n = places.indexOf(at);
    const value = n === -1 ? undefined : given[n];
    if (value !== undefined) return stored(value, types[n] ?? column.type, column);
    if (at === identity)
      return convert(
        table.nextIdentity(),
        { name: 'bigint', length: 0, precision: 19, scale: 0 },
        column.type,
      );
    return defaultOf(column, context);
  });
  compute(table, row, context);
  checkRow(table, row, 'INSERT');
  checkConditions(table, row, context, 'INSERT');
  const { session } = context;
  if (identity === -1) session.identity = null;
  else {
    session.identity = Number(row[identity]);
    session.scopeIdentity = session.identity;
    const next = Number(row[identity]) + table.identity.increment;
    if (next > table.identity.next) table.identity.next = next;
    table.identity.last = session.identity;
  }
  return row;
}

/** Fills the computed columns. */
export function compute(table: Table, row: Value[], context: Context): void {
  if (!table.columns.some(({ computed }) => computed !== undefined)) return;
  const frame = frameOf(table, row);
  for (const [at, { computed, type }] of table.columns.entries())
    if (computed !== undefined) row[at] = casted(compile(computed, context, frame), type).get();
}

function frameOf(table: Table, row: readonly Value[]): Frame {
  const frame = new Frame(undefined);
  frame.add({ alias: table.name, schema: table.schema, columns: table.columns, table });
  frame.rows[0] = row;
  return frame;
}

export function checkRow(table: Table, row: readonly Value[], what: string): void {
  for (const [at, column] of table.columns.entries())
    if (!column.isNullable && row[at] === null)
      throw errors.notNull(column.name, `${table.database}.${table.fullName}`, what);
}

export function checkConditions(
  table: Table,
  row: readonly Value[],
  context: Context,
  what: string,
): void {
  for (const { name, condition } of table.checks) {
    const compiled = compile(condition, context, frameOf(table, row));
    if (compiled.get() === false)
      throw errors.foreignKey(
        what,
        `CHECK constraint "${name}"`.replace(' constraint', ''),
        table.database,
        table.fullName,
      );
  }
}

/** Every foreign key of the row leads somewhere. */
export function checkForeign(
  table: Table,
  row: readonly Value[],
  context: Context,
  what: string,
): void {
  for (const { name, columns, table: other, referenced } of table.foreignKeys) {
    const values = columns.map((at) => row[at] ?? null);
    if (values.includes(null)) continue;
    if (!hasRow(other, referenced, values, context))
      throw errors.foreignKey(
        what,
        `FOREIGN KEY constraint "${name}"`.replace(' constraint', ''),
        other.database,
        other.fullName,
      );
  }
}

/** Nobody refers to a row that is deleted. */
export function checkReferences(table: Table, row: readonly Value[], context: Context): void {
  for (const other of context.session.database.tables.values())
    for (const { name, columns, table: target, referenced } of other.foreignKeys) {
      if (target !== table) continue;
      const values = referenced.map((at) => row[at] ?? null);
      if (hasRow(other, columns, values, context))
        throw errors.foreignKey(
          'DELETE',
          `REFERENCE constraint "${name}"`.replace(' constraint', ''),
          other.database,
          other.fullName,
        );
    }
}

function hasRow(
  table: Table,
  columns: readonly number[],
  values: readonly Value[],
  { session }: Context,
): boolean {
  const keyed = table.keyed(columns, values);
  if (keyed !== 'no key') return keyed !== undefined && !keyed.isDeleted;
  const own = session.transaction ?? session.automatic;
  for (const row of table.rows) {
    const seen = row.seenBy(own, false);
    if (
      seen !== undefined &&
      columns.every((at, n) => keyOf(seen[at] ?? null) === keyOf(values[n] ?? null))
    )
      return true;
  }
  return false;
}

/** Puts a complete row in, after everybody who may have put one with the same key there. */
export function* insertRow(table: Table, values: Value[], context: Context): Work<Row> {
  const transaction = context.session.current;
  for (
    let other = table.contender(values, transaction);
    other !== undefined;
    other = table.contender(values, transaction)
  )
    yield* waitFor(other, context);
  const row = table.insert(values, transaction);
  checkForeign(table, values, context, 'INSERT');
  return row;
}
