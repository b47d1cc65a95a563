import { compareNulls } from '../data/table.ts';
import type { Body, Expression, Item, Order, Query, Select } from '../sql/ast.ts';
import { keyOf } from '../types/convert.ts';
import { SqlError } from '../types/errors.ts';
import type { SqlType, Value } from '../types/sql-type.ts';
import { MAX, common, nvarchar } from '../types/sql-type.ts';
import type { ResultColumn } from '../wire/reply.ts';
import { hasAggregate } from './aggregates.ts';
import { compile, isNullLiteral } from './compile.ts';
import { casted } from './operators.ts';
import type { Context } from './context.ts';
import type { Compiled, Snapshot } from './frame.ts';
import { Frame } from './frame.ts';
import { jsonText } from './json.ts';
import type { Plan } from './plan.ts';
import type { Scan } from './sources.ts';
import { scanAll } from './sources.ts';

export function planQuery(query: Query, outer: Context, parent: Frame | undefined): Plan {
  let context = outer;
  if (query.ctes.length > 0) {
    const ctes = new Map(outer.ctes);
    for (const { name, columns, query: of } of query.ctes)
      ctes.set(name.toLowerCase(), { query: of, names: columns });
    context = { ...outer, ctes };
  }
  const plan = planBody(query.body, query, context, parent);
  return query.isForJson ? jsonPlan(plan) : plan;
}

function jsonPlan(plan: Plan): Plan {
  const column = {
    name: 'JSON_F52E2B61-18A1-11d1-B105-00805F49916B',
    type: nvarchar(MAX),
    isNullable: true,
  };
  return {
    ...plan,
    columns: [column],
    *rows() {
      const text = jsonText(plan.columns, [...plan.rows()]);
      if (text !== undefined) yield [text];
    },
  };
}

function planBody(body: Body, query: Query, context: Context, parent: Frame | undefined): Plan {
  if (body.kind === 'select') return planSelect(body, query, context, parent);
  const plain = { ...query, order: [], offset: undefined, fetch: undefined, ctes: [] };
  const unordered =
    body.kind === 'values'
      ? planValues(body.rows, context, parent)
      : planSet(
          body.operator,
          planBody(body.left, plain, context, parent),
          planBody(body.right, plain, context, parent),
        );
  const order = query.order.map(({ by, isDescending }) => {
    const at = outputPlace(
      by,
      unordered.columns.map(({ name }) => name),
    );
    if (at === undefined)
      throw new SqlError(
        104,
        'ORDER BY items must appear in the select list if the statement contains a UNION, INTERSECT or EXCEPT operator.',
        16,
        1,
        'batch',
      );
    return { at, isDescending };
  });
  const [skip, limit] = limits(query, undefined, context, parent);
  return {
    ...unordered,
    *rows() {
      let rows = unordered.rows();
      if (order.length > 0)
        rows = [...rows].sort((a, b) => {
          for (const { at, isDescending } of order) {
            const difference = compareNulls(a[at] ?? null, b[at] ?? null);
            if (difference !== 0) return isDescending ? -difference : difference;
          }
          return 0;
        });
      yield* limited(rows, skip, limit);
    },
  };
}

function planValues(
  rows: readonly (readonly Expression[])[],
  context: Context,
  parent: Frame | undefined,
): Plan {
  const compiled = rows.map((row) => row.map((one) => compile(one, context, parent)));
  const types = unified(rows, compiled);
  const values = compiled.map((row) => row.map((one, n) => casted(one, types[n] ?? one.type)));
  return {
    columns: types.map((type, n) => ({ name: `column${n + 1}`, type, isNullable: true })),
    *rows() {
      for (const row of values) yield row.map((one) => one.get());
    },
    ...{ assigns: undefined, frame: undefined },
  };
}

/** The common type of each column; NULLs have none. */
function unified(
  rows: readonly (readonly Expression[])[],
  compiled: readonly (readonly Compiled[])[],
): SqlType[] {
  const [first = []] = compiled;
  return first.map((one, column) => {
    const typed = compiled.flatMap((row, n) => {
      const expression = rows[n]?.[column];
      const value = row[column];
      return value === undefined || expression === undefined || isNullLiteral(expression)
        ? []
        : [value.type];
    });
    return typed.length === 0 ? one.type : typed.reduce(common);
  });
}

function planSet(operator: string, left: Plan, right: Plan): Plan {
  if (left.columns.length !== right.columns.length)
    throw new SqlError(
      205,
      'All queries combined using a UNION, INTERSECT or EXCEPT operator must have an equal number of expressions in their target lists.',
      16,
      1,
      'batch',
    );
  const columns = left.columns.map((column, n) => {
    const other = right.columns[n]?.type ?? column.type;
    return { ...column, type: common(column.type, other), isNullable: true };
  });
  const key = (row: readonly Value[]): string => row.map(keyOf).join('\u0001');
  return {
    columns,
    *rows() {
      const convertTo = ({ columns: own, rows }: Plan): Iterable<Value[]> =>
        converted(rows(), own, columns);
      if (operator === 'UNION ALL') {
        yield* convertTo(left);
        yield* convertTo(right);
        return;
      }
      const others = new Set(operator === 'UNION' ? [] : [...convertTo(right)].map(key));
      const seen = new Set<string>();
      const all =
        operator === 'UNION' ? [...convertTo(left), ...convertTo(right)] : convertTo(left);
      for (const row of all) {
        const text = key(row);
        if (seen.has(text)) continue;
        if (operator !== 'UNION' && others.has(text) !== (operator === 'INTERSECT')) continue;
        seen.add(text);
        yield row;
      }
    },
    ...{ assigns: undefined, frame: undefined },
  };
}

function* converted(
  rows: Iterable<Value[]>,
  from: readonly ResultColumn[],
  to: readonly ResultColumn[],
): Iterable<Value[]> {
  let now: Value = null;
  const each = from.map(({ type }, n) =>
    casted({ type, isNullable: true, get: () => now }, to[n]?.type ?? type),
  );
  for (const row of rows)
    yield row.map((value, n) => {
      now = value;
      return each[n]?.get() ?? null;
    });
}

function* limited(
  rows: Iterable<Value[]>,
  skip: Compiled | undefined,
  limit: Compiled | undefined,
): Iterable<Value[]> {
  const first = Number(skip?.get() ?? 0);
  const count = limit === undefined ? Number.POSITIVE_INFINITY : Number(limit.get());
  if (count <= 0) return;
  let at = 0;
  for (const row of rows) {
    at += 1;
    if (at <= first) continue;
    yield row;
    if (at - first >= count) return;
  }
}

function limits(
  query: Query,
  top: Expression | undefined,
  context: Context,
  parent: Frame | undefined,
): [Compiled | undefined, Compiled | undefined] {
  const skip = query.offset === undefined ? undefined : compile(query.offset, context, parent);
  const limit = query.fetch ?? top;
  return [skip, limit === undefined ? undefined : compile(limit, context, parent)];
}

/** Which column of the output an item of ORDER BY means: by number or name. */
function outputPlace(by: Expression, names: readonly string[]): number | undefined {
  if (by.kind === 'literal' && typeof by.value === 'number') return by.value - 1;
  if (by.kind !== 'column' || by.name.length > 1) return undefined;
  const at = names.findIndex((name) => name.toLowerCase() === by.name[0]?.toLowerCase());
  return at === -1 ? undefined : at;
}

interface OutputItem extends Compiled {
  readonly name: string;
  readonly assigns: string | undefined;
}

/** Items with their stars spread out. */
export function compileItems(items: readonly Item[], context: Context, frame: Frame): OutputItem[] {
  return items.flatMap((item): OutputItem[] => {
    if (item.kind === 'assign')
      return [{ ...compile(item.of, context, frame), name: '', assigns: item.variable }];
    if (item.kind === 'expression') {
      const of = compile(item.of, context, frame);
      const own = item.of.kind === 'column' ? (item.of.name.at(-1) ?? '') : '';
      return [{ ...of, name: item.alias ?? own, assigns: undefined }];
    }
    const table = item.table?.toLowerCase();
    const found = frame.sources.flatMap((source, slot) =>
      table === undefined || source.alias.toLowerCase() === table
        ? source.columns.map(({ name }, at) => ({
            ...frame.at(slot, at),
            name,
            assigns: undefined,
          }))
        : [],
    );
    if (found.length === 0) {
      if (item.table === undefined)
        throw new SqlError(263, 'Must specify table to select from.', 16, 1, 'batch');
      throw new SqlError(
        107,
        `The column prefix '${item.table}' does not match with a table name or alias name used in the query.`,
        15,
        1,
        'batch',
      );
    }
    return found;
  });
}

function planSelect(
  select: Select,
  query: Query,
  context: Context,
  parent: Frame | undefined,
): Plan {
  const frame = new Frame(parent);
  const scan = scanAll(select.from, context, frame, select.where);
  const where = select.where === undefined ? undefined : compile(select.where, context, frame);
  const isGrouped =
    select.group.length > 0 ||
    select.having !== undefined ||
    select.items.some((item) => item.kind !== 'star' && hasAggregate(item.of)) ||
    query.order.some(({ by }) => hasAggregate(by));
  const group = select.group.map((one) => compile(one, context, frame));
  if (isGrouped) frame.grouping = { aggregates: [], isInside: false };
  const items = compileItems(select.items, context, frame);
  const having = select.having === undefined ? undefined : compile(select.having, context, frame);
  const order = compileOrder(query.order, items, context, frame);
  const [skip, limit] = limits(query, select.top, context, parent);
  const assigned = items.flatMap(({ assigns }) => (assigns === undefined ? [] : [assigns]));
  if (assigned.length > 0 && assigned.length < items.length)
    throw new SqlError(
      141,
      'A SELECT statement that assigns a value to a variable must not be combined with data-retrieval operations.',
      15,
      1,
      'batch',
    );
  const columns = items.map(({ name, type, isNullable, isIdentity, isColumn }) => ({
    ...{ name, type, isNullable, isComputed: isColumn !== true },
    ...(isIdentity === true && !isGrouped ? { isIdentity } : {}),
  }));
  const shape: Shape = { frame, scan, where, isGrouped, group, having, items, order };
  return {
    ...{ columns, frame, assigns: assigned.length > 0 ? assigned : undefined },
    *rows() {
      const rows = rowsOf(shape);
      yield* limited(select.isDistinct ? distinct(rows) : rows, skip, limit);
    },
  };
}

interface SortItem {
  /** A column of the output, or a value of its own. */
  readonly at: number | undefined;
  readonly by: Compiled | undefined;
  readonly isDescending: boolean;
}

interface Shape {
  readonly frame: Frame;
  readonly scan: Scan;
  readonly where: Compiled | undefined;
  readonly isGrouped: boolean;
  readonly group: readonly Compiled[];
  readonly having: Compiled | undefined;
  readonly items: readonly OutputItem[];
  readonly order: readonly SortItem[];
}

function compileOrder(
  order: readonly Order[],
  items: readonly OutputItem[],
  context: Context,
  frame: Frame,
): SortItem[] {
  return order.map(({ by, isDescending }) => {
    const at = outputPlace(
      by,
      items.map(({ name }) => name),
    );
    if (at !== undefined && items[at] !== undefined) return { at, by: undefined, isDescending };
    return { at: undefined, by: compile(by, context, frame), isDescending };
  });
}

function* distinct(rows: Iterable<Value[]>): Iterable<Value[]> {
  const seen = new Set<string>();
  for (const row of rows) {
    const key = row.map(keyOf).join('\u0001');
    if (seen.has(key)) continue;
    seen.add(key);
    yield row;
  }
}

function* rowsOf({
  frame,
  scan,
  where,
  isGrouped,
  group,
  having,
  items,
  order,
}: Shape): Iterable<Value[]> {
  const isOrdered = order.length > 0;
  const hasWindows = frame.windows.length > 0;
  let positions: Iterable<unknown> = filtered(scan, where);
  if (isGrouped) positions = grouped(frame, positions, group, having);
  if (hasWindows) positions = windowed(frame, positions);
  if (!isOrdered) {
    for (const _ of positions) yield items.map((item) => item.get());
    return;
  }
  const sorted: { row: Value[]; keys: Value[] }[] = [];
  for (const _ of positions) {
    const row = items.map((item) => item.get());
    sorted.push({
      row,
      keys: order.map(({ at, by }) => (at === undefined ? (by?.get() ?? null) : (row[at] ?? null))),
    });
  }
  sorted.sort((a, b) => {
    for (const [n, { isDescending }] of order.entries()) {
      const difference = compareNulls(a.keys[n] ?? null, b.keys[n] ?? null);
      if (difference !== 0) return isDescending ? -difference : difference;
    }
    return 0;
  });
  for (const { row } of sorted) yield row;
}

function* filtered(scan: Scan, where: Compiled | undefined): Iterable<undefined> {
  for (const _ of scan()) if (where === undefined || where.get() === true) yield undefined;
}

/** One position for each group: its first row, and its aggregates. */
function* grouped(
  frame: Frame,
  rows: Iterable<unknown>,
  group: readonly Compiled[],
  having: Compiled | undefined,
): Iterable<undefined> {
  const { grouping } = frame;
  if (grouping === undefined) return;
  const groups = new Map<
    string,
    { first: Snapshot; accumulators: (typeof grouping.aggregates)[number]['current'][] }
  >();
  const begin = (): (typeof grouping.aggregates)[number]['current'][] =>
    grouping.aggregates.map((one) => one.begin());
  for (const _ of rows) {
    const key = group.map(({ get }) => keyOf(get())).join('\u0001');
    let found = groups.get(key);
    if (found === undefined) {
      found = { first: frame.snapshot(), accumulators: begin() };
      groups.set(key, found);
    }
    for (const one of found.accumulators) one.add();
  }
  // Without GROUP BY there is always one group.
  if (groups.size === 0 && group.length === 0)
    groups.set('', { first: { rows: [], records: [] }, accumulators: begin() });
  for (const { first, accumulators } of groups.values()) {
    frame.restore(first);
    for (const [n, one] of grouping.aggregates.entries())
      one.current = accumulators[n] ?? one.current;
    if (having === undefined || having.get() === true) yield undefined;
  }
}

function* windowed(frame: Frame, positions: Iterable<unknown>): Iterable<undefined> {
  const all: Snapshot[] = [];
  for (const _ of positions) all.push(frame.snapshot());
  for (const window of frame.windows)
    window.values = window.compute(all, (row) => frame.restore(row));
  for (const [at, one] of all.entries()) {
    frame.restore(one);
    frame.windowAt = at;
    yield undefined;
  }
}
