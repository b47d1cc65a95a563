import type { Row } from '../data/table.ts';
import type { Query, Statement } from '../sql/ast.ts';
import { SqlError, errors } from '../types/errors.ts';
import type { Value } from '../types/sql-type.ts';
import { command } from '../wire/reply.ts';
import type { Change } from './change.ts';
import { casted } from './operators.ts';
import type { Context } from './context.ts';
import { Cursor } from './cursor.ts';
import { planQuery } from './query.ts';

/** A cursor over a query, not open yet. */
export function cursorOf(name: string, handle: number, query: Query, context: Context): Cursor {
  const plan = planQuery(query, context, undefined);
  const sources = plan.frame?.sources ?? [];
  const table = sources.length === 1 ? sources[0]?.table : undefined;
  return new Cursor(name, handle, plan.columns, table, (cursor) => {
    const again = planQuery(query, context, undefined);
    const rows: Value[][] = [];
    const records: (Row | undefined)[] = [];
    for (const row of again.rows()) {
      rows.push(row);
      records.push(again.frame?.records[0]);
    }
    cursor.take(rows, records);
  });
}

export function runCursorStatement(
  statement: Statement & {
    readonly kind:
      | 'declareCursor'
      | 'openCursor'
      | 'fetchCursor'
      | 'closeCursor'
      | 'deallocateCursor';
  },
  context: Context,
): Change | undefined {
  const { session } = context;
  const { name } = statement;
  const local = context.scope.cursors;
  if (statement.kind === 'declareCursor') {
    const isLocal = statement.options.includes('LOCAL') || name.startsWith('@');
    const cursors = isLocal ? local : session.cursors;
    if (cursors.has(name)) throw errors.cursorExists(name);
    cursors.set(name, cursorOf(name, session.nextCursorHandle(), statement.query, context));
    return { command: command.none, count: -1 };
  }
  const cursor = local.get(name) ?? session.cursors.get(name);
  if (cursor === undefined) throw errors.noCursor(name);
  switch (statement.kind) {
    case 'openCursor':
      if (cursor.isOpen) throw errors.cursorOpen();
      cursor.open(cursor);
      return { command: command.none, count: -1 };
    case 'closeCursor':
      if (!cursor.isOpen) throw errors.cursorClosed();
      cursor.close();
      return { command: command.none, count: -1 };
    case 'deallocateCursor':
      if (!local.delete(name)) session.cursors.delete(name);
      return { command: command.none, count: -1 };
    case 'fetchCursor':
      return fetch(statement, cursor, context);
  }
}

function fetch(
  { direction, count, into }: Statement & { readonly kind: 'fetchCursor' },
  cursor: Cursor,
  context: Context,
): Change {
  if (!cursor.isOpen) throw errors.cursorClosed();
  const { session, scope, reply } = context;
  const by =
    count?.kind === 'literal'
      ? Number(count.value)
      : count?.kind === 'variable'
        ? Number(scope.variable(count.name).value)
        : 1;
  const row = cursor.fetch(direction, by);
  session.fetchStatus = row === undefined ? -1 : 0;
  if (into.length === 0) {
    reply.columns(cursor.columns);
    if (row !== undefined) reply.row(row);
    return { command: command.select, count: row === undefined ? 0 : 1 };
  }
  if (into.length !== cursor.columns.length)
    throw new SqlError(
      16_924,
      'Cursorfetch: The number of variables declared in the INTO list must match that of selected columns.',
    );
  if (row !== undefined)
    for (const [n, name] of into.entries()) {
      const variable = scope.variable(name);
      const from = cursor.columns[n]?.type ?? variable.type;
      variable.value = casted(
        { type: from, isNullable: true, get: () => row[n] ?? null },
        variable.type,
      ).get();
    }
  return { command: command.none, count: -1 };
}
