import { Table } from '../data/table.ts';
import type { Row } from '../data/table.ts';
import type { ColumnDefinition, Name, Query, Table as TableExpression } from '../sql/ast.ts';
import { SqlError } from '../types/errors.ts';
import type { Value } from '../types/sql-type.ts';
import { command } from '../wire/reply.ts';
import { lockedRows } from './change.ts';
import type { Change } from './change.ts';
import { casted } from './operators.ts';
import type { Context } from './context.ts';
import { createTable } from './define.ts';
import type { Snapshot } from './frame.ts';
import type { Plan } from './plan.ts';
import { planQuery } from './query.ts';
import { insertRow } from './rows.ts';
import type { Work } from './wait.ts';

/** SELECT: its rows are sent, captured, stored (INTO) or put into variables. */
export function* runQuery(query: Query, context: Context): Work<Change | undefined> {
  const plan = planQuery(query, context, undefined);
  yield* lockHinted(query, plan, context);
  if (plan.assigns !== undefined) return { command: command.select, count: assign(plan, context) };
  const into = query.body.kind === 'select' ? query.body.into : undefined;
  if (into !== undefined) return yield* selectInto(into, plan, context);
  const { session, capture, reply } = context;
  const limit =
    session.options.rowCount === 0 ? Number.POSITIVE_INFINITY : session.options.rowCount;
  let count = 0;
  if (capture !== undefined) {
    for (const row of plan.rows()) {
      if (count >= limit) break;
      capture.push(row);
      count += 1;
    }
    return { command: command.select, count };
  }
  const isMetadataOnly = session.isOn('FMTONLY');
  // An error in the first row comes instead of the columns.
  const rows = plan.rows()[Symbol.iterator]();
  let next = isMetadataOnly ? undefined : rows.next();
  reply.columns(plan.columns);
  while (next !== undefined && next.done !== true && count < limit) {
    reply.row(next.value);
    count += 1;
    if (count % 100 === 0) {
      const wait = context.room();
      if (wait !== undefined) yield wait;
    }
    next = rows.next();
  }
  return { command: command.select, count };
}

function assign(plan: Plan, { scope }: Context): number {
  const targets = (plan.assigns ?? []).map((name) => scope.variable(name));
  let count = 0;
  for (const row of plan.rows()) {
    count += 1;
    for (const [n, target] of targets.entries()) {
      const column = plan.columns[n];
      if (column === undefined) continue;
      const value: Value = row[n] ?? null;
      target.value = casted(
        { type: column.type, isNullable: true, get: () => value },
        target.type,
      ).get();
    }
  }
  return count;
}

function* selectInto(name: Name, plan: Plan, context: Context): Work<Change> {
  const columns = plan.columns.map((column): ColumnDefinition => {
    if (column.name === '')
      throw new SqlError(
        1038,
        'An object or column name is missing or empty. For SELECT INTO statements, verify each column has a name.',
        15,
        5,
        'batch',
      );
    return {
      ...{
        name: column.name,
        type: column.type,
        isNullable: true,
        defaultValue: undefined,
        computed: undefined,
      },
      ...{ isPrimary: false, isUnique: false, references: undefined },
      identity: column.isIdentity === true ? { seed: 1, increment: 1 } : undefined,
    };
  });
  const rows = [...plan.rows()];
  const table = createTable(name, { columns, constraints: [] }, context);
  for (const row of rows) yield* insertRow(table, row, context);
  return { command: command.select, count: rows.length };
}

const locking = new Set(['UPDLOCK', 'XLOCK', 'TABLOCKX']);

/** The rows of tables with WITH (UPDLOCK) are this transaction's from here on. */
function* lockHinted({ body }: Query, { frame }: Plan, context: Context): Work<void> {
  if (body.kind !== 'select' || frame === undefined || context.session.transaction === undefined)
    return;
  const hinted = body.from
    .flatMap(leaves)
    .map(({ hints }) => hints.some((hint) => locking.has(hint)));
  if (!hinted.includes(true)) return;
  const plan = planQuery(
    {
      ctes: [],
      body: { ...body, into: undefined },
      order: [],
      offset: undefined,
      fetch: undefined,
      isForJson: false,
    },
    context,
    undefined,
  );
  for (const [slot, isHinted] of hinted.entries()) {
    const table = plan.frame?.sources[slot]?.table;
    if (!isHinted || !(table instanceof Table)) continue;
    yield* lockedRows(
      () => {
        const found = new Map<Row, Snapshot>();
        for (const _ of plan.rows()) {
          const row = plan.frame?.records[slot];
          if (row !== undefined) found.set(row, { rows: [], records: [] });
        }
        return found;
      },
      table,
      context,
    );
  }
}

function leaves(table: TableExpression): { readonly hints: readonly string[] }[] {
  if (table.kind === 'join') return [...leaves(table.left), ...leaves(table.right)];
  return [{ hints: table.kind === 'named' ? table.hints : [] }];
}
