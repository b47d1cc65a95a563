import type { Row, Table } from '../data/table.ts';
import type { Assignment, Expression, Item, Output, Query, Statement, Target } from '../sql/ast.ts';
import { SqlError, errors } from '../types/errors.ts';
import type { SqlType, Value } from '../types/sql-type.ts';
import { command } from '../wire/reply.ts';
import { compile } from './compile.ts';
import { casted } from './operators.ts';
import type { Context } from './context.ts';
import type { Compiled, Snapshot } from './frame.ts';
import { Frame } from './frame.ts';
import { waitFor } from './locks.ts';
import { findTable } from './objects.ts';
import { compileItems, planQuery } from './query.ts';
import {
  checkConditions,
  checkForeign,
  checkReferences,
  checkRow,
  completed,
  compute,
  defaultOf,
  insertRow,
  stored,
} from './rows.ts';
import { scanAll, scanTable } from './sources.ts';
import type { Work } from './wait.ts';

/** How many rows, and what DONE calls it. */
export interface Change {
  readonly command: number;
  readonly count: number;
}

type Of<K extends Statement['kind']> = Statement & { readonly kind: K };

export function tableOf(target: Target, context: Context): Table {
  if (target.kind === 'variable') return context.scope.table(target.name);
  const found = findTable(target.name, context);
  if (found === undefined) throw errors.noObject(target.name.join('.'));
  return found;
}

export function withCtes(context: Context, ctes: Query['ctes']): Context {
  if (ctes.length === 0) return context;
  const all = new Map(context.ctes);
  for (const { name, columns, query } of ctes)
    all.set(name.toLowerCase(), { query, names: columns });
  return { ...context, ctes: all };
}

/** What OUTPUT gives of each changed row, sent or stored when all are changed. */
class OutputRows {
  readonly #frame = new Frame(undefined);
  readonly #items: ReturnType<typeof compileItems>;
  readonly #output: Output;
  readonly #context: Context;
  readonly #rows: Value[][] = [];

  constructor(output: Output, table: Table, context: Context, extra?: Frame) {
    this.#output = output;
    this.#context = context;
    const { columns, schema } = table;
    this.#frame.add({ alias: 'inserted', schema, columns });
    this.#frame.add({ alias: 'deleted', schema, columns });
    this.#frame.add({
      alias: '$',
      schema,
      columns: [
        {
          name: '$action',
          type: { name: 'nvarchar', length: 10, precision: 0, scale: 0 },
          isNullable: true,
        },
      ],
    });
    for (const source of extra?.sources ?? []) this.#frame.add(source);
    // A column without a table is meant of what was inserted.
    this.#items = compileItems(
      output.items.map((item) => qualified(item)),
      context,
      this.#frame,
    );
  }

  add(
    inserted: readonly Value[],
    deleted: readonly Value[],
    action: string,
    extra?: Snapshot,
  ): void {
    this.#frame.rows = [inserted, deleted, [action], ...(extra?.rows ?? [])];
    this.#rows.push(this.#items.map((item) => item.get()));
  }

  *end(): Work<void> {
    const { into, columns } = this.#output;
    const context = this.#context;
    if (into === undefined) {
      const { capture, reply } = context;
      if (capture !== undefined) {
        capture.push(...this.#rows);
        return;
      }
      reply.columns(this.#items.map(({ name, type, isNullable }) => ({ name, type, isNullable })));
      for (const row of this.#rows) reply.row(row);
      return;
    }
    const table = tableOf(into, context);
    const places = placesOf(table, columns, context);
    const types = this.#items.map(({ type }) => type);
    for (const row of this.#rows)
      yield* insertRow(table, completed(table, places, row, types, context), context);
  }
}

function qualified(item: Item): Item {
  if (item.kind === 'star' && item.table === undefined) return { ...item, table: 'inserted' };
  return item;
}

/** The columns of INSERT, or all that can be given. */
export function placesOf(table: Table, names: readonly string[], { session }: Context): number[] {
  const identity = table.identityColumn;
  if (names.length === 0)
    return table.columns.flatMap(({ computed }, at) =>
      at === identity || computed !== undefined ? [] : [at],
    );
  return names.map((name) => {
    const at = table.columnAt(name);
    if (at === -1) throw errors.noColumn(name);
    if (at === identity && session.options.identityInsert !== table.fullName.toLowerCase())
      throw errors.identityInsert(table.name);
    return at;
  });
}

function isDefault(expression: Expression | undefined): boolean {
  return (
    expression?.kind === 'column' &&
    expression.name.length === 1 &&
    expression.name[0] === 'DEFAULT'
  );
}

/** INSERT. `captured`: the rows of INSERT … EXEC, which have been gathered before. */
export function* runInsert(
  statement: Of<'insert'>,
  outer: Context,
  captured?: readonly Value[][],
): Work<Change> {
  const context = withCtes(outer, statement.ctes);
  const table = tableOf(statement.target, context);
  const places = placesOf(table, statement.columns, context);
  const output =
    statement.output === undefined ? undefined : new OutputRows(statement.output, table, context);
  let count = 0;
  for (const { values, types } of insertedRows(statement, places, context, captured)) {
    const full = completed(table, places, values, types, context);
    yield* insertRow(table, full, context);
    output?.add(full, [], 'INSERT');
    count += 1;
  }
  if (output !== undefined) yield* output.end();
  return { command: command.insert, count };
}

interface Given {
  readonly values: readonly (Value | undefined)[];
  readonly types: readonly (SqlType | undefined)[];
}

function insertedRows(
  { source }: Of<'insert'>,
  places: readonly number[],
  context: Context,
  captured?: readonly Value[][],
): readonly Given[] {
  if (captured !== undefined) return captured.map((values) => ({ values, types: [] }));
  if (source.kind !== 'query') return [{ values: places.map(() => undefined), types: [] }];
  const { body } = source.query;
  if (body.kind === 'values') {
    return body.rows.map((row) => {
      checkCount(row.length, places.length);
      const compiled = row.map((one) =>
        isDefault(one) ? undefined : compile(one, context, undefined),
      );
      return { values: compiled.map((one) => one?.get()), types: compiled.map((one) => one?.type) };
    });
  }
  const plan = planQuery(source.query, context, undefined);
  checkCount(plan.columns.length, places.length);
  const types = plan.columns.map(({ type }) => type);
  return [...plan.rows()].map((values) => ({ values, types }));
}

function checkCount(given: number, due: number): void {
  if (given > due)
    throw new SqlError(
      110,
      'There are fewer columns in the INSERT statement than values specified in the VALUES clause. The number of values in the VALUES clause must match the number of columns specified in the INSERT statement.',
      15,
      1,
      'batch',
    );
  if (given < due)
    throw new SqlError(
      109,
      'There are more columns in the INSERT statement than values specified in the VALUES clause. The number of values in the VALUES clause must match the number of columns specified in the INSERT statement.',
      15,
      1,
      'batch',
    );
}

interface Assigned {
  readonly at: number;
  readonly variable: string | undefined;
  /** Undefined for the column's default. */
  readonly value: Compiled | undefined;
}

function compileSet(
  set: readonly Assignment[],
  table: Table,
  context: Context,
  frame: Frame,
): readonly Assigned[] {
  return set.map(({ column, variable, value }) => {
    const at = column === '' ? -1 : table.columnAt(column);
    if (at === -1 && column !== '') throw errors.noColumn(column);
    if (at !== -1 && at === table.identityColumn)
      throw new SqlError(8102, `Cannot update identity column '${column}'.`, 16, 1, 'batch');
    return { at, variable, value: isDefault(value) ? undefined : compile(value, context, frame) };
  });
}

function newValues(row: Row, set: readonly Assigned[], table: Table, context: Context): Value[] {
  const values = row.values.slice();
  for (const { at, variable, value } of set) {
    const column = table.columns[at];
    const given = value?.get() ?? null;
    if (variable !== undefined) {
      const target = context.scope.variable(variable);
      target.value =
        value === undefined ? null : casted({ ...value, get: () => given }, target.type).get();
    }
    if (column !== undefined)
      values[at] =
        value === undefined ? defaultOf(column, context) : stored(given, value.type, column);
  }
  compute(table, values, context);
  checkRow(table, values, 'UPDATE');
  checkConditions(table, values, context, 'UPDATE');
  return values;
}

function* updateRow(table: Table, row: Row, values: Value[], context: Context): Work<void> {
  const transaction = context.session.current;
  for (
    let other = table.contender(values, transaction, row);
    other !== undefined;
    other = table.contender(values, transaction, row)
  )
    yield* waitFor(other, context);
  transaction.take(row, table);
  table.update(row, values, transaction);
  checkForeign(table, values, context, 'UPDATE');
}

/** UPDATE and DELETE. */
export function* runUpdate(statement: Of<'update' | 'delete'>, outer: Context): Work<Change> {
  const context = withCtes(outer, statement.ctes);
  const { kind, target, from, where } = statement;
  const frame = new Frame(undefined);
  const named = target.kind === 'named' ? (target.name.at(-1) ?? '') : target.name;
  const scan =
    from.length > 0
      ? scanAll(from, context, frame)
      : scanTable(tableOf(target, context), named, context, frame, false, where);
  const slot = Math.max(
    0,
    frame.sources.findIndex(
      ({ alias, table }) => table !== undefined && alias.toLowerCase() === named.toLowerCase(),
    ),
  );
  const table = frame.sources[slot]?.table;
  if (table === undefined) throw errors.noObject(named);
  const condition = where === undefined ? undefined : compile(where, context, frame);
  const limit =
    statement.top === undefined
      ? Number.POSITIVE_INFINITY
      : Number(compile(statement.top, context, undefined).get());
  const set = compileSet(statement.set, table, context, frame);
  const output =
    statement.output === undefined ? undefined : new OutputRows(statement.output, table, context);
  const matches = yield* lockedRows(
    () =>
      statement.cursor === undefined
        ? matching(scan, condition, frame, slot, limit)
        : currentRow(statement.cursor, context, frame, slot),
    table,
    context,
  );
  for (const [row, snapshot] of matches) {
    frame.restore(snapshot);
    const before = row.values;
    if (kind === 'update')
      yield* updateRow(table, row, newValues(row, set, table, context), context);
    else {
      table.delete(row, context.session.current);
      checkReferences(table, before, context);
    }
    output?.add(kind === 'update' ? row.values : [], before, kind.toUpperCase());
  }
  if (output !== undefined) yield* output.end();
  return { command: kind === 'update' ? command.update : command.delete, count: matches.size };
}

function matching(
  scan: () => Iterable<undefined>,
  condition: Compiled | undefined,
  frame: Frame,
  slot: number,
  limit: number,
): Map<Row, Snapshot> {
  const found = new Map<Row, Snapshot>();
  for (const _ of scan()) {
    if (found.size >= limit) break;
    const row = frame.records[slot];
    if (row === undefined || found.has(row)) continue;
    if (condition === undefined || condition.get() === true) found.set(row, frame.snapshot());
  }
  return found;
}

function currentRow(
  name: string,
  { session, scope }: Context,
  frame: Frame,
  slot: number,
): Map<Row, Snapshot> {
  const lower = name.toLowerCase();
  const cursor = scope.cursors.get(lower) ?? session.cursors.get(lower);
  if (cursor === undefined) throw errors.noCursor(name);
  const row = cursor.record;
  if (row === undefined)
    throw new SqlError(16_931, 'There are no rows in the current fetch buffer.');
  frame.rows[slot] = row.values;
  frame.records[slot] = row;
  return new Map([[row, frame.snapshot()]]);
}

/** The rows that `find` finds, when all of them are this transaction's. */
export function* lockedRows(
  find: () => Map<Row, Snapshot>,
  table: Table,
  context: Context,
): Work<Map<Row, Snapshot>> {
  const transaction = context.session.current;
  for (;;) {
    const found = find();
    const busy = [...found.keys()].find(
      ({ owner }) => owner !== undefined && owner !== transaction,
    );
    if (busy?.owner === undefined) {
      for (const row of found.keys()) transaction.take(row, table);
      return found;
    }
    yield* waitFor(busy.owner, context);
  }
}

export function* runMerge(statement: Of<'merge'>, context: Context): Work<Change> {
  const table = tableOf(statement.target, context);
  const frame = new Frame(undefined);
  const targets = scanTable(table, statement.alias, context, frame, false);
  const sources = scanAll([statement.source], context, frame);
  const on = compile(statement.on, context, frame);
  const branches = statement.branches.map((branch) => ({
    ...branch,
    when: branch.condition === undefined ? undefined : compile(branch.condition, context, frame),
    set:
      branch.action.kind === 'update' ? compileSet(branch.action.set, table, context, frame) : [],
    values:
      branch.action.kind === 'insert'
        ? branch.action.values.map((one) =>
            isDefault(one) ? undefined : compile(one, context, frame),
          )
        : [],
    places: branch.action.kind === 'insert' ? placesOf(table, branch.action.columns, context) : [],
  }));
  const extra = new Frame(undefined);
  for (const source of frame.sources.slice(1)) extra.add(source);
  const output =
    statement.output === undefined
      ? undefined
      : new OutputRows(statement.output, table, context, extra);
  const choose = (isMatched: boolean, bySource: boolean): (typeof branches)[number] | undefined =>
    branches.find(
      (one) =>
        one.isMatched === isMatched &&
        one.bySource === bySource &&
        (one.when === undefined || one.when.get() === true),
    );
  const actions: { branch: (typeof branches)[number]; row: Row | undefined; snapshot: Snapshot }[] =
    [];
  yield* lockedRows(
    () => {
      actions.length = 0;
      const touched = new Map<Row, Snapshot>();
      const matched = new Set<Row>();
      for (const _ of sources()) {
        let hasMatch = false;
        for (const __ of targets()) {
          const row = frame.records[0];
          if (row === undefined || on.get() !== true) continue;
          hasMatch = true;
          matched.add(row);
          const branch = choose(true, false);
          if (branch === undefined) continue;
          touched.set(row, frame.snapshot());
          actions.push({ branch, row, snapshot: frame.snapshot() });
        }
        if (hasMatch) continue;
        frame.rows[0] = [];
        frame.records[0] = undefined;
        const branch = choose(false, false);
        if (branch !== undefined)
          actions.push({ branch, row: undefined, snapshot: frame.snapshot() });
      }
      for (const _ of targets()) {
        const row = frame.records[0];
        const branch = row === undefined || matched.has(row) ? undefined : choose(false, true);
        if (row === undefined || branch === undefined) continue;
        touched.set(row, frame.snapshot());
        actions.push({ branch, row, snapshot: frame.snapshot() });
      }
      return touched;
    },
    table,
    context,
  );
  for (const { branch, row, snapshot } of actions) {
    frame.restore(snapshot);
    const rest = { rows: snapshot.rows.slice(1), records: [] };
    if (row === undefined) {
      const given = branch.values.map((one) => one?.get());
      const full = completed(
        table,
        branch.places,
        given,
        branch.values.map((one) => one?.type),
        context,
      );
      yield* insertRow(table, full, context);
      output?.add(full, [], 'INSERT', rest);
      continue;
    }
    const before = row.values;
    if (branch.action.kind === 'update') {
      yield* updateRow(table, row, newValues(row, branch.set, table, context), context);
      output?.add(row.values, before, 'UPDATE', rest);
    } else {
      table.delete(row, context.session.current);
      output?.add([], before, 'DELETE', rest);
    }
  }
  if (output !== undefined) yield* output.end();
  return { command: command.merge, count: actions.length };
}
