import type { Expression } from '../sql/ast.ts';
import { compare, keyOf } from '../types/convert.ts';
import { errors } from '../types/errors.ts';
import type { SqlType, Value } from '../types/sql-type.ts';
import type { Transaction } from './transaction.ts';

export interface Column {
  readonly name: string;
  readonly type: SqlType;
  readonly isNullable: boolean;
  readonly isIdentity?: boolean;
  readonly defaultValue?: Expression | undefined;
  readonly computed?: Expression | undefined;
}

export class Row {
  values: Value[];
  /** Who has changed it and has not ended yet. */
  owner: Transaction | undefined;
  /** What others see while it has an owner; undefined for nothing. */
  before: Value[] | undefined;
  isDeleted = false;

  constructor(values: Value[]) {
    this.values = values;
  }

  /** What `viewer` sees; `isDirty`: what is not committed, too. */
  seenBy(viewer: Transaction | undefined, isDirty: boolean): Value[] | undefined {
    if (this.owner === undefined || this.owner === viewer || isDirty)
      return this.isDeleted ? undefined : this.values;
    return this.before;
  }
}

interface Key {
  readonly name: string;
  readonly isPrimary: boolean;
  columns: readonly number[];
  readonly rows: Map<string, Row>;
}

export interface ForeignKey {
  readonly name: string;
  columns: readonly number[];
  readonly table: Table;
  readonly referenced: readonly number[];
}

export class Table {
  readonly id: number;
  readonly schema: string;
  name: string;
  /** Of the database, for messages. */
  readonly database: string;
  columns: Column[];
  readonly rows = new Set<Row>();
  readonly keys: Key[] = [];
  readonly foreignKeys: ForeignKey[] = [];
  readonly checks: { readonly name: string; readonly condition: Expression }[] = [];
  readonly identity: { next: number; readonly increment: number; last: number | null };

  constructor(
    id: number,
    database: string,
    schema: string,
    name: string,
    columns: Column[],
    seed = 1,
    increment = 1,
  ) {
    this.id = id;
    this.database = database;
    this.schema = schema;
    this.name = name;
    this.columns = columns;
    this.identity = { next: seed, increment, last: null };
  }

  get fullName(): string {
    return `${this.schema}.${this.name}`;
  }

  get identityColumn(): number {
    return this.columns.findIndex(({ isIdentity }) => isIdentity === true);
  }

  columnAt(name: string): number {
    const lower = name.toLowerCase();
    return this.columns.findIndex((column) => column.name.toLowerCase() === lower);
  }

  nextIdentity(): number {
    const value = this.identity.next;
    this.identity.next += this.identity.increment;
    this.identity.last = value;
    return value;
  }

  addKey(name: string, isPrimary: boolean, columns: readonly number[]): void {
    const rows = new Map<string, Row>();
    const key = { name, isPrimary, columns, rows };
    for (const row of this.rows) {
      const text = textOf(key, row.values);
      if (rows.has(text)) throw this.#duplicate(key, row.values);
      rows.set(text, row);
    }
    this.keys.push(key);
  }

  /** The row with these values of the columns at `columns`, if a key has exactly them. */
  keyed(columns: readonly number[], values: readonly Value[]): Row | undefined | 'no key' {
    const key = this.keys.find(
      (one) =>
        one.columns.length === columns.length && one.columns.every((at, n) => at === columns[n]),
    );
    return key === undefined ? 'no key' : key.rows.get(values.map(keyOf).join('\u0001'));
  }

  /** Who has a row, not yet committed, with one of these keys; `row` itself does not count. */
  contender(
    values: readonly Value[],
    transaction: Transaction,
    row?: Row,
  ): Transaction | undefined {
    for (const key of this.keys) {
      const owner = key.rows.get(textOf(key, values));
      if (
        owner !== undefined &&
        owner !== row &&
        owner.owner !== undefined &&
        owner.owner !== transaction
      )
        return owner.owner;
    }
    return undefined;
  }

  insert(values: Value[], transaction: Transaction): Row {
    this.#checkKeys(values);
    const row = new Row(values);
    this.rows.add(row);
    transaction.made(row, this);
    transaction.onUndo(() => {
      row.isDeleted = true;
      this.rows.delete(row);
    });
    this.#index(row, values, transaction);
    return row;
  }

  /** The row is the transaction's. */
  update(row: Row, values: Value[], transaction: Transaction): void {
    this.#checkKeys(values, row);
    const before = row.values;
    this.#unindex(row, before, transaction);
    row.values = values;
    transaction.onUndo(() => (row.values = before));
    this.#index(row, values, transaction);
  }

  delete(row: Row, transaction: Transaction): void {
    row.isDeleted = true;
    transaction.onUndo(() => (row.isDeleted = false));
  }

  /** What puts columns, keys, checks and values back as they are now. */
  rememberShape(): () => void {
    const columns = this.columns.slice();
    const [keys, foreignKeys, checks] = [[...this.keys], [...this.foreignKeys], [...this.checks]];
    const places = [...keys, ...foreignKeys].map((key) => ({ key, columns: key.columns }));
    const rows = [...this.rows].map((row) => ({ row, values: row.values }));
    return () => {
      this.columns = columns;
      this.keys.splice(0, this.keys.length, ...keys);
      this.foreignKeys.splice(0, this.foreignKeys.length, ...foreignKeys);
      this.checks.splice(0, this.checks.length, ...checks);
      for (const one of places) one.key.columns = one.columns;
      for (const one of rows) one.row.values = one.values;
    };
  }

  truncate(transaction: Transaction): void {
    for (const row of this.rows) {
      transaction.take(row, this);
      this.delete(row, transaction);
    }
    const { next, last } = this.identity;
    this.identity.next = 1;
    this.identity.last = null;
    transaction.onUndo(() => Object.assign(this.identity, { next, last }));
  }

  /** A deleted row whose deletion is committed. */
  forget(row: Row): void {
    this.rows.delete(row);
    for (const key of this.keys) {
      const text = textOf(key, row.values);
      if (key.rows.get(text) === row) key.rows.delete(text);
    }
  }

  #checkKeys(values: readonly Value[], row?: Row): void {
    for (const key of this.keys) {
      const found = key.rows.get(textOf(key, values));
      if (found !== undefined && found !== row && !found.isDeleted)
        throw this.#duplicate(key, values);
    }
  }

  #duplicate(key: Key, values: readonly Value[]): Error {
    const shown = key.columns
      .map((at) => (values[at] === null ? '<NULL>' : String(values[at])))
      .join(', ');
    return errors.duplicateKey(key.isPrimary, key.name, this.fullName, shown);
  }

  #index(row: Row, values: readonly Value[], transaction: Transaction): void {
    for (const key of this.keys) {
      const text = textOf(key, values);
      const before = key.rows.get(text);
      key.rows.set(text, row);
      transaction.onUndo(() => {
        if (before === undefined) key.rows.delete(text);
        else key.rows.set(text, before);
      });
    }
  }

  #unindex(row: Row, values: readonly Value[], transaction: Transaction): void {
    for (const key of this.keys) {
      const text = textOf(key, values);
      if (key.rows.get(text) !== row) continue;
      key.rows.delete(text);
      transaction.onUndo(() => key.rows.set(text, row));
    }
  }
}

function textOf({ columns }: Key, values: readonly Value[]): string {
  if (columns.length === 1) return keyOf(values[columns[0] ?? 0] ?? null);
  return columns.map((at) => keyOf(values[at] ?? null)).join('\u0001');
}

/** For sorting: nulls come first. */
export function compareNulls(a: Value, b: Value): number {
  if (a === null || b === null) return a === b ? 0 : a === null ? -1 : 1;
  return compare(a, b);
}
