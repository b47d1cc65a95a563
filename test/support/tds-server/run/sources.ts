import type { Row, Table } from '../data/table.ts';
import type { Transaction } from '../data/transaction.ts';
import type { Body, Expression, Table as TableExpression } from '../sql/ast.ts';
import { SqlError, errors } from '../types/errors.ts';
import type { Value } from '../types/sql-type.ts';
import { MAX, bigint, int, nvarchar } from '../types/sql-type.ts';
import { compile } from './compile.ts';
import { casted } from './operators.ts';
import type { Context, Cte } from './context.ts';
import type { Compiled, Frame, SourceColumn } from './frame.ts';
import { findTable, placeOf } from './objects.ts';
import { systemView } from './system-views.ts';

/** Goes through the rows: at each step the frame's rows are set. */
export type Scan = () => Iterable<undefined>;

const DEEPEST_RECURSION = 32_767;

const once: Scan = function* () {
  yield undefined;
};

/** All of FROM; nothing at all is one row without columns. */
export function scanAll(
  tables: readonly TableExpression[],
  context: Context,
  frame: Frame,
  where?: Expression,
): Scan {
  if (tables.length === 0) return once;
  const isSingle = tables.length === 1;
  const scans = tables.map((one) => scanOne(one, context, frame, isSingle ? where : undefined));
  return scans.reduce((left, right) => crossed(left, right));
}

function crossed(left: Scan, right: Scan): Scan {
  return function* () {
    for (const _ of left()) yield* right();
  };
}

function scanOne(table: TableExpression, context: Context, frame: Frame, where?: Expression): Scan {
  switch (table.kind) {
    case 'named':
      return scanNamed(table, context, frame, where);
    case 'variable': {
      const found = context.scope.table(table.name);
      return scanTable(found, table.alias ?? table.name, context, frame, true, where);
    }
    case 'function':
      return scanFunction(table, context, frame);
    case 'derived': {
      const plan = context.tools.plan(table.query, context, frame);
      const columns = plan.columns.map((column, n) => ({
        ...column,
        name: table.columns[n] ?? column.name,
      }));
      return scanRows(table.alias, columns, () => plan.rows(), frame);
    }
    case 'join':
      return scanJoin(table, context, frame);
  }
}

function scanRows(
  alias: string,
  columns: readonly SourceColumn[],
  rows: () => Iterable<readonly Value[]>,
  frame: Frame,
): Scan {
  const slot = frame.add({ alias, schema: '', columns });
  return function* () {
    for (const row of rows()) {
      frame.rows[slot] = row;
      yield undefined;
    }
  };
}

function scanNamed(
  { name, alias, hints }: TableExpression & { kind: 'named' },
  context: Context,
  frame: Frame,
  where?: Expression,
): Scan {
  const shown = alias ?? name.at(-1) ?? '';
  const cteName = name.length === 1 ? (name[0] ?? '').toLowerCase() : '';
  const cte = context.ctes.get(cteName);
  if (cte !== undefined) return scanCte(cteName, cte, shown, context, frame);
  const table = findTable(name, context);
  if (table !== undefined) {
    const isDirty = hints.some((hint) => hint === 'NOLOCK' || hint === 'READUNCOMMITTED');
    return scanTable(table, shown, context, frame, isDirty, where);
  }
  const { database, key } = placeOf(name, context);
  const view = database.views.get(key);
  if (view !== undefined) {
    const plan = context.tools.plan(view.query, { ...context, ctes: new Map() }, undefined);
    return scanRows(shown, plan.columns, () => plan.rows(), frame);
  }
  const system = systemView(key, context, database);
  if (system === undefined) throw errors.noObject(name.join('.'));
  return scanRows(shown, system.columns, system.rows, frame);
}

function scanCte(name: string, cte: Cte, shown: string, context: Context, frame: Frame): Scan {
  const { body } = cte.query;
  const isRecursive =
    body.kind === 'set' && body.operator === 'UNION ALL' && reads(body.right, name);
  const { columns, rows } =
    cte.found ??
    (isRecursive
      ? recursive(name, cte, body, context)
      : context.tools.plan(cte.query, context, undefined));
  const named = columns.map(({ name: own, type, isNullable }, n) => ({
    name: cte.names[n] ?? own,
    type,
    isNullable,
  }));
  return scanRows(shown, named, rows, frame);
}

/** The body of a recursive CTE names itself in its last part. */
function reads(body: Body, name: string): boolean {
  if (body.kind === 'set') return reads(body.left, name) || reads(body.right, name);
  const visit = (table: TableExpression): boolean => {
    if (table.kind === 'join') return visit(table.left) || visit(table.right);
    return (
      table.kind === 'named' && table.name.length === 1 && table.name[0]?.toLowerCase() === name
    );
  };
  return body.kind === 'select' && body.from.some(visit);
}

function recursive(
  name: string,
  { query, names }: Cte,
  body: Body & { readonly kind: 'set' },
  context: Context,
): NonNullable<Cte['found']> {
  const plain = { ctes: [], order: [], offset: undefined, fetch: undefined, isForJson: false };
  const first = context.tools.plan({ ...plain, body: body.left }, context, undefined);
  let latest: Value[][] = [];
  const found = { columns: first.columns, rows: () => latest };
  const inner = { ...context, ctes: new Map([...context.ctes, [name, { query, names, found }]]) };
  const next = context.tools.plan({ ...plain, body: body.right }, inner, undefined);
  return {
    columns: first.columns,
    *rows() {
      latest = [...first.rows()];
      for (let depth = 0; latest.length > 0; depth += 1) {
        if (depth > DEEPEST_RECURSION)
          throw new SqlError(
            530,
            'The statement terminated. The maximum recursion has been exhausted before statement completion.',
          );
        yield* latest;
        latest = [...next.rows()];
      }
    },
  };
}

/** The transaction that looks: what it has changed itself is seen. */
function viewer({ session }: Context): Transaction | undefined {
  return session.transaction ?? session.automatic;
}

export function scanTable(
  table: Table,
  alias: string,
  context: Context,
  frame: Frame,
  isDirty: boolean,
  where?: Expression,
): Scan {
  const slot = frame.add({ alias, schema: table.schema, columns: table.columns, table });
  const lookUp = where === undefined ? undefined : keyLookUp(table, alias, where, context, frame);
  const isAlwaysDirty = isDirty || context.session.options.isolation === 1;
  return function* () {
    const own = viewer(context);
    const known = lookUp?.();
    for (const row of known ?? table.rows) {
      const values = row.seenBy(own, isAlwaysDirty);
      if (values === undefined) continue;
      frame.rows[slot] = values;
      frame.records[slot] = row;
      yield undefined;
    }
  };
}

/** `WHERE id = 1 AND …`: the one row with that key, without looking at the others. */
function keyLookUp(
  table: Table,
  alias: string,
  where: Expression,
  context: Context,
  frame: Frame,
): (() => readonly Row[] | undefined) | undefined {
  const equal = new Map<number, Compiled>();
  const visit = (one: Expression): void => {
    if (one.kind !== 'binary') return;
    if (one.operator === 'AND') {
      visit(one.left);
      visit(one.right);
    }
    if (one.operator !== '=') return;
    for (const [column, value] of [
      [one.left, one.right],
      [one.right, one.left],
    ] as const) {
      if (column.kind !== 'column' || (value.kind !== 'literal' && value.kind !== 'variable'))
        continue;
      if (column.name.length > 1 && column.name.at(-2)?.toLowerCase() !== alias.toLowerCase())
        continue;
      const at = table.columnAt(column.name.at(-1) ?? '');
      const type = table.columns[at]?.type;
      if (type === undefined) continue;
      const compiled = compile(value, context, frame);
      // Elsewhere the column would be converted, and not the value.
      if (compiled.type.name === type.name || (type.name + compiled.type.name).endsWith('int'))
        equal.set(at, casted(compiled, type));
    }
  };
  visit(where);
  const key = table.keys.find(({ columns }) => columns.every((at) => equal.has(at)));
  if (key === undefined) return undefined;
  return () => {
    // A row whose key is being changed by somebody else is found by going through all.
    const values = key.columns.map((at) => equal.get(at)?.get() ?? null);
    const found = table.keyed(key.columns, values);
    if (found === 'no key' || found === undefined || found.owner !== undefined) return undefined;
    return [found];
  };
}

function scanFunction(
  { name, args, alias }: TableExpression & { kind: 'function' },
  context: Context,
  frame: Frame,
): Scan {
  const compiled = args.map((one) => compile(one, context, frame));
  const [first, second] = compiled;
  const shown = alias ?? name.at(-1) ?? '';
  switch (name.at(-1)?.toLowerCase()) {
    // Of this server only: 1 to n.
    case 'sluice_series':
    case 'generate_series': {
      const column = {
        name: first?.type.name === 'bigint' ? 'value' : 'value',
        type: first?.type.name === 'bigint' ? bigint : int,
        isNullable: false,
      };
      return scanRows(
        shown,
        [column],
        function* () {
          const [from, to] =
            second === undefined
              ? [1, Number(first?.get())]
              : [Number(first?.get()), Number(second.get())];
          for (let n = from; n <= to; n += 1) yield [column.type.name === 'bigint' ? BigInt(n) : n];
        },
        frame,
      );
    }
    case 'string_split':
      return scanRows(
        shown,
        [{ name: 'value', type: nvarchar(MAX), isNullable: false }],
        () =>
          String(first?.get() ?? '')
            .split(String(second?.get() ?? ','))
            .map((one) => [one]),
        frame,
      );
    case 'openjson':
      return scanRows(
        shown,
        ['key', 'value', 'type'].map((column) => ({
          name: column,
          type: column === 'type' ? int : nvarchar(MAX),
          isNullable: true,
        })),
        () => {
          const parsed: unknown = JSON.parse(String(first?.get() ?? '[]'));
          const entries = Object.entries(parsed as Record<string, unknown>);
          return entries.map(([key, value]) => [
            key,
            typeof value === 'string' ? value : JSON.stringify(value),
            typeof value === 'number' ? 2 : 1,
          ]);
        },
        frame,
      );
    case 'dm_exec_cursors': {
      const view = systemView('sys.dm_exec_cursors', context, context.session.database);
      if (view === undefined) throw errors.noObject('sys.dm_exec_cursors');
      const rows = (): Iterable<readonly Value[]> => {
        const spid = Number(first?.get() ?? 0);
        return [...view.rows()].filter(([one]) => spid === 0 || one === spid);
      };
      return scanRows(shown, view.columns, rows, frame);
    }
    case 'fn_listextendedproperty':
      return scanRows(
        shown,
        ['objtype', 'objname', 'name', 'value'].map((column) => ({
          name: column,
          type: nvarchar(128),
          isNullable: true,
        })),
        () => [],
        frame,
      );
    default:
      throw errors.noObject(name.join('.'));
  }
}

function scanJoin(
  { how, left, right, on }: TableExpression & { kind: 'join' },
  context: Context,
  frame: Frame,
): Scan {
  const firstLeft = frame.sources.length;
  const a = scanOne(left, context, frame);
  const firstRight = frame.sources.length;
  const b = scanOne(right, context, frame);
  const end = frame.sources.length;
  const condition = on === undefined ? undefined : compile(on, context, frame);
  const clear = (from: number, to: number): void => {
    for (let slot = from; slot < to; slot += 1) {
      frame.rows[slot] = [];
      frame.records[slot] = undefined;
    }
  };
  if (how === 'right') return outer(b, a, condition, () => clear(firstLeft, firstRight));
  if (how === 'left') return outer(a, b, condition, () => clear(firstRight, end));
  if (how === 'full')
    throw new SqlError(40_000, 'FULL JOIN is not known to this server.', 16, 1, 'batch');
  return function* () {
    for (const _ of a())
      for (const __ of b())
        if (condition === undefined || condition.get() === true) yield undefined;
  };
}

function outer(kept: Scan, other: Scan, condition: Compiled | undefined, clear: () => void): Scan {
  return function* () {
    for (const _ of kept()) {
      let hasMatch = false;
      for (const __ of other())
        if (condition === undefined || condition.get() === true) {
          hasMatch = true;
          yield undefined;
        }
      if (hasMatch) continue;
      clear();
      yield undefined;
    }
  };
}
