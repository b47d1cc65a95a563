import type { Statement } from '../sql/ast.ts';
import { SqlError, errors } from '../types/errors.ts';
import { command, doneKind, doneStatus } from '../wire/reply.ts';
import { runInsert, runMerge, runUpdate } from './change.ts';
import type { Change } from './change.ts';
import { compile } from './compile.ts';
import type { Context, Flow } from './context.ts';
import { inTransaction, kindOfDone } from './context.ts';
import { runCursorStatement } from './cursor-statements.ts';
import { runDefinition } from './define.ts';
import { runExecute, runText } from './execute.ts';
import { runDeclare, runMessage, runSetting } from './simple-statements.ts';
import { runSecurity } from './security.ts';
import { runQuery } from './select.ts';
import { runTransactionStatement } from './transactions.ts';
import type { Work } from './wait.ts';
import { Attention, Gone, delay } from './wait.ts';

/** An error that has been told and ends its batch. */
export class BatchAborted extends Error {}

/** Errors that take the whole transaction with them: deadlocks and failed conversions. */
const endsTransaction = new Set([1205, 241, 245, 248, 8114]);

/** Those that open a transaction where IMPLICIT_TRANSACTIONS is on. */
const implicit = new Set([
  'insert',
  'update',
  'delete',
  'merge',
  'createTable',
  'alterTable',
  'createIndex',
  'createProcedure',
  'createView',
  'drop',
  'truncate',
  'openCursor',
  'fetchCursor',
  'insertBulk',
]);

/** Statements in their order. What they return: whether the ones around go on. */
export function* runStatements(statements: readonly Statement[], context: Context): Work<Flow> {
  for (const statement of statements) {
    const flow = yield* runStatement(statement, context);
    if (flow !== 'next') return flow;
  }
  return 'next';
}

function* runStatement(statement: Statement, context: Context): Work<Flow> {
  switch (statement.kind) {
    case 'block':
      return yield* runStatements(statement.body, context);
    case 'try':
      return yield* runTry(statement, context);
    case 'if': {
      const isTrue = guarded(
        statement,
        context,
        () => compile(statement.condition, context, undefined).get() === true,
      );
      if (isTrue === true) return yield* runStatement(statement.isTrue, context);
      return statement.otherwise === undefined
        ? 'next'
        : yield* runStatement(statement.otherwise, context);
    }
    case 'while':
      for (;;) {
        const isTrue = guarded(
          statement,
          context,
          () => compile(statement.condition, context, undefined).get() === true,
        );
        if (isTrue !== true) return 'next';
        const flow = yield* runStatement(statement.body, context);
        if (flow === 'break') return 'next';
        if (flow === 'return') return flow;
        // A loop without end can be stopped.
        yield delay(0);
      }
    case 'break':
    case 'continue':
      return statement.kind;
    case 'return':
      guarded(statement, context, () => {
        if (statement.value === undefined) return;
        const value = compile(statement.value, context, undefined).get();
        context.scope.returnStatus = Number(value ?? 0);
      });
      return 'return';
    default:
      return yield* runPlain(statement, context);
  }
}

/** Runs what is no statement of its own with errors as one has them. */
function guarded<T>(statement: Statement, context: Context, work: () => T): T | undefined {
  try {
    const found = work();
    context.session.rowCount = 0;
    return found;
  } catch (error) {
    fail(error, statement, context, true);
    return undefined;
  }
}

function* runTry(statement: Statement & { kind: 'try' }, context: Context): Work<Flow> {
  try {
    return yield* runStatements(statement.body, { ...context, tries: context.tries + 1 });
  } catch (error) {
    if (!(error instanceof SqlError) || error.reach === 'connection') throw error;
    const { session } = context;
    if (
      session.transaction !== undefined &&
      (session.isOn('XACT_ABORT') || endsTransaction.has(error.number))
    )
      session.transaction.isDoomed = true;
    session.lastError = error.number;
    return yield* runStatements(statement.caught, { ...context, caught: error });
  }
}

/** One statement with its DONE, and what its errors do. */
function* runPlain(statement: Statement, context: Context): Work<Flow> {
  const { session, reply } = context;
  if (
    session.transaction === undefined &&
    session.isOn('IMPLICIT_TRANSACTIONS') &&
    begins(statement)
  )
    session.begin();
  const { transaction } = session;
  const mark = transaction?.mark ?? 0;
  let isEnded = false;
  try {
    const change = yield* perform(statement, context);
    isEnded = true;
    session.endAutomatic(false);
    session.lastError = 0;
    if (change === undefined) return 'next';
    if (change.count >= 0) session.rowCount = change.count;
    tellDone(change, context);
    return 'next';
  } catch (error) {
    if (!isEnded && session.transaction === transaction) transaction?.backTo(mark);
    session.endAutomatic(true);
    if (
      error instanceof Attention ||
      error instanceof Gone ||
      error instanceof BatchAborted ||
      !(error instanceof SqlError)
    )
      throw error;
    fail(error, statement, context, true);
    reply.done(
      kindOfDone(context),
      doneStatus.error | inTransaction(context),
      commandOf(statement),
    );
    if (
      error.reach !== 'statement' ||
      (session.isOn('XACT_ABORT') && error.severity > 10 && statement.kind !== 'raiserror')
    )
      throw new BatchAborted();
    return 'next';
  }
}

function begins(statement: Statement): boolean {
  if (implicit.has(statement.kind)) return true;
  return (
    statement.kind === 'query' &&
    statement.query.body.kind === 'select' &&
    statement.query.body.from.length > 0
  );
}

function commandOf({ kind }: Statement): number {
  return (
    {
      query: command.select,
      insert: command.insert,
      update: command.update,
      delete: command.delete,
    }[kind as 'query'] ?? command.none
  );
}

/** DONE of a statement; `count` -1 where it counts nothing. */
export function tellDone({ command: what, count }: Change, context: Context): void {
  const { session, reply } = context;
  const isCounted = count >= 0 && !session.isOn('NOCOUNT');
  // SET NOCOUNT ON also leaves out the DONEs of what has no rows, within procedures.
  if (session.isOn('NOCOUNT') && context.depth > 0 && what !== command.select) return;
  reply.done(
    kindOfDone(context),
    (isCounted ? doneStatus.count : 0) | inTransaction(context),
    what,
    isCounted ? count : 0,
  );
}

/**
 * An error's effect: within TRY it is thrown on, else it is told; a whole transaction is rolled back where the error says so.
 * `isTold`: DONE with an error follows.
 */
export function fail(
  error: unknown,
  statement: Statement,
  context: Context,
  isTold: boolean,
): void {
  if (!(error instanceof SqlError) || error.reach === 'connection') throw error;
  if (error.line === 1) error.line = statement.line;
  if (error.procedure === '') error.procedure = context.scope.procedure;
  const { session, reply } = context;
  const rollsBack =
    endsTransaction.has(error.number) ||
    (session.isOn('XACT_ABORT') &&
      error.number !== 266 &&
      context.tries === 0 &&
      statement.kind !== 'raiserror');
  if (
    rollsBack &&
    session.transaction !== undefined &&
    (context.tries === 0 || error.number === 1205)
  )
    session.rollback();
  if (context.tries > 0 && error.severity > 10) throw error;
  session.lastError = error.number;
  session.rowCount = 0;
  if (isTold) reply.error(error);
}

function* perform(statement: Statement, context: Context): Work<Change | undefined> {
  const { session } = context;
  if (session.isOn('NOEXEC') && statement.kind !== 'setOption') return undefined;
  switch (statement.kind) {
    case 'query':
      return yield* runQuery(statement.query, context);
    case 'insert':
      if (session.transaction?.isDoomed === true) throw errors.doomed();
      if (statement.source.kind !== 'execute') return yield* runInsert(statement, context);
      return yield* insertExecuted(statement, statement.source.statement, context);
    case 'update':
    case 'delete':
      if (session.transaction?.isDoomed === true) throw errors.doomed();
      return yield* runUpdate(statement, context);
    case 'merge':
      return yield* runMerge(statement, context);
    case 'createTable':
    case 'alterTable':
    case 'createIndex':
    case 'createType':
    case 'createProcedure':
    case 'createView':
    case 'createDatabase':
    case 'createSchema':
    case 'drop':
    case 'truncate':
      runDefinition(statement, context);
      return { command: command.none, count: -1 };
    case 'login':
    case 'user':
    case 'role':
    case 'permission':
      runSecurity(statement, context);
      return { command: command.none, count: -1 };
    case 'begin':
    case 'commit':
    case 'rollback':
    case 'save':
      return runTransactionStatement(statement, context);
    case 'declare':
    case 'setVariable':
      return runDeclare(statement, context);
    case 'setOption':
    case 'identityInsert':
    case 'use':
    case 'executeAs':
    case 'revert':
      return runSetting(statement, context);
    case 'print':
    case 'raiserror':
    case 'throw':
    case 'waitfor':
    case 'kill':
    case 'dbcc':
      return yield* runMessage(statement, context);
    case 'execute':
      yield* runExecute(statement, context);
      return undefined;
    case 'executeText': {
      const text = statement.parts
        .map((one) => String(compile(one, context, undefined).get() ?? ''))
        .join('');
      yield* runText(text, context);
      if (context.depth === 0 && context.capture === undefined)
        context.reply.done(doneKind.procedure, inTransaction(context), command.execute);
      return undefined;
    }
    case 'declareCursor':
    case 'openCursor':
    case 'fetchCursor':
    case 'closeCursor':
    case 'deallocateCursor':
      return runCursorStatement(statement, context);
    case 'insertBulk':
      session.bulk = { table: statement.table, columns: statement.columns };
      return { command: command.none, count: -1 };
    case 'nothing':
      return { command: command.none, count: -1 };
    default:
      throw errors.syntax(statement.kind);
  }
}

function* insertExecuted(
  statement: Statement & { kind: 'insert' },
  execute: Statement,
  context: Context,
): Work<Change> {
  const capture: NonNullable<Context['capture']> = [];
  const inner = { ...context, capture, depth: Math.max(1, context.depth) };
  if (execute.kind === 'execute') yield* runExecute(execute, inner);
  else yield* runStatement(execute, inner);
  return yield* runInsert(statement, context, capture);
}
