import type { Context } from '../run/context.ts';
import type { Given, SystemProcedure } from '../run/execute.ts';
import { parametersOf, runParameterised } from '../run/execute.ts';
import { Scope } from '../run/context.ts';
import type { Work } from '../run/wait.ts';
import type { Prepared } from '../session/session.ts';
import { SqlError, errors } from '../types/errors.ts';
import { int } from '../types/sql-type.ts';
import { argument, giveValue, numberOf, textOf } from './arguments.ts';

/** A text and the declarations of its parameters; its errors come here. */
export function prepare(
  text: string,
  declarations: string,
  { engine, session }: Context,
): Prepared {
  const body = engine.parse(text, session.isOn('QUOTED_IDENTIFIER'));
  return { text, parameters: parametersOf(declarations), body };
}

/** The columns of the first query, if the text is a query. */
function describeColumns({ body, parameters }: Prepared, context: Context): void {
  const [first] = body;
  if (first?.kind !== 'query') return;
  const scope = new Scope();
  for (const { name, type } of parameters) if (type !== undefined) scope.declare(name, type, null);
  const plan = context.tools.plan(first.query, { ...context, scope }, undefined);
  if (plan.assigns === undefined) context.reply.columns(plan.columns);
}

function* executeSql(given: readonly Given[], context: Context): Work<number> {
  const [statement, declarations, ...values] = given;
  const { engine, session } = context;
  const text = textOf(statement);
  const body = engine.parse(text, session.isOn('QUOTED_IDENTIFIER'));
  return yield* runParameterised(body, parametersOf(textOf(declarations)), values, context);
}

function* execute(given: readonly Given[], context: Context): Work<number> {
  const [handle, ...values] = given;
  const number = numberOf(handle);
  const prepared = context.session.prepared.get(number);
  if (prepared === undefined) throw errors.noHandle(number);
  return yield* runParameterised(prepared.body, prepared.parameters, values, context);
}

function prepareOnly(given: readonly Given[], context: Context): number {
  const [handle, declarations, statement] = given;
  const { session } = context;
  const prepared = prepare(textOf(statement), textOf(declarations), context);
  describeColumns(prepared, context);
  const number = session.nextHandle();
  session.prepared.set(number, prepared);
  giveValue(handle, int, number);
  return 0;
}

function* prepareAndExecute(given: readonly Given[], context: Context): Work<number> {
  const [handle, declarations, statement, ...values] = given;
  const { session } = context;
  const replaced = numberOf(handle);
  if (replaced !== 0 && !session.prepared.delete(replaced)) throw errors.noHandle(replaced);
  const prepared = prepare(textOf(statement), textOf(declarations), context);
  const number = session.nextHandle();
  session.prepared.set(number, prepared);
  giveValue(handle, int, number);
  return yield* runParameterised(prepared.body, prepared.parameters, values, context);
}

function unprepare(given: readonly Given[], { session }: Context): number {
  const number = numberOf(argument(given, 'handle', 0));
  if (!session.prepared.delete(number)) throw errors.noHandle(number);
  return 0;
}

function prepareCall(): number {
  throw new SqlError(40_000, 'sp_prepexecrpc is not known to this server.', 16, 1, 'batch');
}

export const preparedProcedures: Readonly<Record<string, SystemProcedure>> = {
  sp_executesql: executeSql,
  sp_execute: execute,
  sp_prepare: prepareOnly,
  sp_prepexec: prepareAndExecute,
  sp_prepexecrpc: prepareCall,
  sp_unprepare: unprepare,
};
