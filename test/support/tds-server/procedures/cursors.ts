import { Scope } from '../run/context.ts';
import type { Context } from '../run/context.ts';
import { cursorOf } from '../run/cursor-statements.ts';
import type { Cursor } from '../run/cursor.ts';
import { bind } from '../run/execute.ts';
import type { Given, SystemProcedure } from '../run/execute.ts';
import type { Work } from '../run/wait.ts';
import type { Prepared } from '../session/session.ts';
import { SqlError, errors } from '../types/errors.ts';
import { int } from '../types/sql-type.ts';
import { command, doneKind, doneStatus } from '../wire/reply.ts';
import { giveValue, numberOf, textOf } from './arguments.ts';
import { prepare } from './prepared.ts';

/** Opens a cursor over a prepared query and gives its handle, its options as they are, and how many rows it has. */
function* open(
  prepared: Prepared,
  [handle, scroll, concurrency, rows]: readonly (Given | undefined)[],
  values: readonly Given[],
  context: Context,
): Work<number> {
  const [statement] = prepared.body;
  if (statement?.kind !== 'query')
    throw new SqlError(
      16_937,
      'A server cursor is not allowed on a remote stored procedure or stored procedure with more than one SELECT statement. Use a default result set or client cursor.',
    );
  const scope = new Scope();
  yield* bind(scope, prepared.parameters, values, 'sp_cursoropen', context);
  const { session, reply } = context;
  const number = session.nextCursorHandle();
  const cursor = cursorOf('', number, statement.query, { ...context, scope });
  cursor.open(cursor);
  session.cursorHandles.set(number, cursor);
  reply.columns(cursor.columns);
  reply.done(doneKind.inProcedure, doneStatus.count, command.select, 0);
  giveValue(handle, int, number);
  giveValue(scroll, int, numberOf(scroll, 1));
  giveValue(concurrency, int, numberOf(concurrency, 1));
  giveValue(rows, int, cursor.count);
  return 0;
}

function* cursorOpen(given: readonly Given[], context: Context): Work<number> {
  const [handle, statement, scroll, concurrency, rows, declarations, ...values] = given;
  const prepared = prepare(textOf(statement), textOf(declarations), context);
  return yield* open(prepared, [handle, scroll, concurrency, rows], values, context);
}

function cursorPrepare(given: readonly Given[], context: Context): number {
  const [handle, declarations, statement] = given;
  const { session } = context;
  const number = session.nextHandle();
  session.preparedCursors.set(number, prepare(textOf(statement), textOf(declarations), context));
  giveValue(handle, int, number);
  return 0;
}

function* cursorExecute(given: readonly Given[], context: Context): Work<number> {
  const [preparedHandle, handle, scroll, concurrency, rows, ...values] = given;
  const prepared = context.session.preparedCursors.get(numberOf(preparedHandle));
  if (prepared === undefined) throw errors.noHandle(numberOf(preparedHandle));
  return yield* open(prepared, [handle, scroll, concurrency, rows], values, context);
}

function* cursorPrepareExecute(given: readonly Given[], context: Context): Work<number> {
  const [preparedHandle, handle, declarations, statement, scroll, concurrency, rows, ...values] =
    given;
  const { session } = context;
  const prepared = prepare(textOf(statement), textOf(declarations), context);
  const number = session.nextHandle();
  session.preparedCursors.set(number, prepared);
  giveValue(preparedHandle, int, number);
  return yield* open(prepared, [handle, scroll, concurrency, rows], values, context);
}

function cursorUnprepare(given: readonly Given[], { session }: Context): number {
  const number = numberOf(given[0]);
  if (!session.preparedCursors.delete(number)) throw errors.noHandle(number);
  return 0;
}

function cursorAt(given: Given | undefined, { session }: Context): Cursor {
  const number = numberOf(given);
  const cursor = session.cursorHandles.get(number);
  if (cursor === undefined) throw errors.badCursorHandle(number);
  return cursor;
}

const directions: Readonly<Record<number, string>> = {
  1: 'FIRST',
  2: 'NEXT',
  4: 'PRIOR',
  8: 'LAST',
  16: 'ABSOLUTE',
  32: 'RELATIVE',
};

function cursorFetch(given: readonly Given[], context: Context): number {
  const [handle, how, at, rows] = given;
  const cursor = cursorAt(handle, context);
  const kind = numberOf(how, 2);
  const count = numberOf(rows, 1);
  const { reply } = context;
  // 0x100: only told where it stands.
  if ((kind & 0x100) !== 0) {
    giveValue(at, int, 0);
    giveValue(rows, int, cursor.count);
    return 0;
  }
  reply.columns(cursor.columns);
  let sent = 0;
  for (let n = 0; n < count; n += 1) {
    const direction = n === 0 ? (directions[kind & 0x3f] ?? 'NEXT') : 'NEXT';
    const row = cursor.fetch(direction, numberOf(at, 1));
    if (row === undefined) break;
    reply.row(row);
    sent += 1;
  }
  reply.done(doneKind.inProcedure, doneStatus.count, command.select, sent);
  return 0;
}

function cursorClose(given: readonly Given[], context: Context): number {
  cursorAt(given[0], context);
  context.session.cursorHandles.delete(numberOf(given[0]));
  return 0;
}

function cursorOption(given: readonly Given[], context: Context): number {
  cursorAt(given[0], context);
  return 0;
}

export const cursorProcedures: Readonly<Record<string, SystemProcedure>> = {
  sp_cursoropen: cursorOpen,
  sp_cursorprepare: cursorPrepare,
  sp_cursorexecute: cursorExecute,
  sp_cursorprepexec: cursorPrepareExecute,
  sp_cursorunprepare: cursorUnprepare,
  sp_cursorfetch: cursorFetch,
  sp_cursorclose: cursorClose,
  sp_cursoroption: cursorOption,
};
