import type { Procedure } from '../data/database.ts';
import type { ParameterDefinition, Statement } from '../sql/ast.ts';
import { parseParameters } from '../sql/statements.ts';
import { SqlError, errors } from '../types/errors.ts';
import type { SqlType, Value } from '../types/sql-type.ts';
import { Table } from '../data/table.ts';
import { command, doneKind, doneStatus } from '../wire/reply.ts';
import type { TableValue } from '../wire/values.ts';
import { compile } from './compile.ts';
import { casted } from './operators.ts';
import type { Context, Variable } from './context.ts';
import { Scope, inOwnScope, inTransaction } from './context.ts';
import { buildTable } from './define.ts';
import { placeOf } from './objects.ts';
import { insertRow } from './rows.ts';
import type { Work } from './wait.ts';

const DEEPEST = 32;

/** What a procedure is called with. */
export interface Given {
  /** With its at sign; empty where it goes by place. */
  readonly name: string;
  readonly type: SqlType;
  readonly value: Value;
  readonly table?: Table | TableValue | undefined;
  readonly isOutput: boolean;
  readonly isDefault: boolean;
  /** Takes what the procedure has made of it. */
  readonly give?: (variable: Variable) => void;
}

/** One of the server's own; its result is the return status. */
export type SystemProcedure = (given: readonly Given[], context: Context) => number | Work<number>;

/** EXEC of a procedure. */
export function* runExecute(
  statement: Statement & { readonly kind: 'execute' },
  context: Context,
): Work<void> {
  const { scope } = context;
  const name =
    typeof statement.procedure === 'string'
      ? [String(scope.variable(statement.procedure).value)]
      : statement.procedure;
  const given = statement.args.map(({ name: label, value, isOutput }): Given => {
    if (value?.kind === 'variable' && scope.tables.has(value.name)) {
      const table = scope.table(value.name);
      return {
        name: label ?? '',
        type: { name: 'int', length: 0, precision: 0, scale: 0 },
        value: null,
        table,
        isOutput: false,
        isDefault: false,
      };
    }
    const compiled = value === undefined ? undefined : compile(value, context, undefined);
    const variable =
      isOutput && value?.kind === 'variable' ? scope.variable(value.name) : undefined;
    const base = {
      ...{
        name: label ?? '',
        type: compiled?.type ?? ({ name: 'int', length: 0, precision: 10, scale: 0 } as const),
      },
      ...{ value: compiled?.get() ?? null, isOutput, isDefault: value === undefined },
    };
    if (variable === undefined) return base;
    return {
      ...base,
      give: (made) => {
        variable.value = casted(
          { type: made.type, isNullable: true, get: () => made.value },
          variable.type,
        ).get();
      },
    };
  });
  const status = yield* callProcedure(name.join('.'), name, given, context);
  if (statement.into !== undefined) scope.variable(statement.into).value = status;
  const { reply } = context;
  if (context.depth === 0 && context.capture === undefined) {
    reply.returnStatus(status);
    reply.done(doneKind.procedure, inTransaction(context), command.execute);
  }
}

/** A procedure of the database or of the server's own. The return status. */
export function* callProcedure(
  shown: string,
  name: readonly string[],
  given: readonly Given[],
  context: Context,
): Work<number> {
  if (context.depth >= DEEPEST) throw errors.nested();
  const object = (name.at(-1) ?? '').toLowerCase();
  const { database, key } = placeOf(name, context);
  const own = database.procedures.get(key);
  const system = context.tools.procedures[object];
  if (own === undefined && system === undefined) throw errors.noProcedure(shown);
  const before = context.session.transactionCount;
  const status =
    own === undefined
      ? yield* runSystem(system, given, context)
      : yield* runProcedure(own, given, context);
  if (object !== 'sp_reset_connection') tellMismatch(before, own?.name ?? '', context);
  return status;
}

function* runSystem(
  procedure: SystemProcedure | undefined,
  given: readonly Given[],
  context: Context,
): Work<number> {
  const result = procedure?.(given, { ...context, depth: context.depth + 1 }) ?? 0;
  return typeof result === 'number' ? result : yield* result;
}

/** Who leaves a procedure with another count of transactions than before is told; they stay as they are. */
function tellMismatch(before: number, procedure: string, { session, reply, tries }: Context): void {
  const after = session.transactionCount;
  if (after === before || tries > 0) return;
  const mismatch = errors.countMismatch(before, after);
  mismatch.procedure = procedure;
  session.lastError = mismatch.number;
  reply.error(mismatch);
  reply.mark(doneStatus.error);
}

/** Puts what is given into a scope by the parameters' definitions. */
export function* bind(
  scope: Scope,
  definitions: readonly ParameterDefinition[],
  given: readonly Given[],
  procedure: string,
  context: Context,
): Work<void> {
  const byName = new Map<string, Given>();
  for (const [n, one] of given.entries()) {
    const name = one.name === '' ? definitions[n]?.name : one.name.toLowerCase();
    if (name === undefined) throw errors.tooManyParameters(procedure);
    if (!definitions.some((definition) => definition.name === name))
      throw errors.badParameter(procedure, one.name);
    byName.set(name, one);
  }
  for (const { name, type, tableType, defaultValue } of definitions) {
    const one = byName.get(name);
    if (type === undefined) {
      scope.tables.set(name, yield* tableOf(name, tableType ?? [], one?.table, context));
      continue;
    }
    if (one === undefined || one.isDefault) {
      if (defaultValue === undefined) throw errors.missingParameter(procedure, name);
      scope.declare(name, type, casted(compile(defaultValue, context, undefined), type).get());
      continue;
    }
    scope.declare(
      name,
      type,
      casted({ type: one.type, isNullable: true, get: () => one.value }, type).get(),
    );
  }
}

function* tableOf(
  name: string,
  typeName: readonly string[],
  given: Given['table'],
  context: Context,
): Work<Table> {
  if (given instanceof Table) return given;
  const { types, name: database } = context.session.database;
  const key = `${typeName.at(-2) ?? 'dbo'}.${typeName.at(-1) ?? ''}`.toLowerCase();
  const known = types.get(key);
  if (known === undefined) throw errors.noType(typeName.join('.'));
  const table = buildTable(known.definition, context, { database, schema: 'dbo', name });
  for (const row of given?.rows ?? []) {
    const values = table.columns.map((column, n) => {
      const type = given?.columns[n]?.type ?? column.type;
      return casted({ type, isNullable: true, get: () => row[n] ?? null }, column.type).get();
    });
    yield* insertRow(table, values, context);
  }
  return table;
}

/** Runs statements in a scope of their own. The return status. */
export function* runBody(body: readonly Statement[], scope: Scope, context: Context): Work<number> {
  const inner = { ...context, scope, depth: context.depth + 1, ctes: new Map() };
  // Babelfish takes the text of such a call for one of the session's own.
  const isOwn = context.engine.isBabelfish && context.isCall && inner.depth === 1;
  if (isOwn && scope.procedure === '') yield* inner.tools.run(body, inner);
  else yield* inOwnScope(inner, () => inner.tools.run(body, inner));
  return scope.returnStatus;
}

function* runProcedure(
  procedure: Procedure,
  given: readonly Given[],
  context: Context,
): Work<number> {
  const scope = new Scope(procedure.name);
  yield* bind(scope, procedure.parameters, given, procedure.name, context);
  const status = yield* runBody(procedure.body, scope, context);
  giveBack(scope, procedure.parameters, given);
  return status;
}

/** Output parameters go back to who gave them. */
export function giveBack(
  scope: Scope,
  definitions: readonly ParameterDefinition[],
  given: readonly Given[],
): void {
  for (const [n, one] of given.entries()) {
    if (!one.isOutput || one.give === undefined) continue;
    const name = one.name === '' ? definitions[n]?.name : one.name.toLowerCase();
    const definition = definitions.find((each) => each.name === name);
    const variable = name === undefined ? undefined : scope.variables.get(name);
    if (definition?.isOutput === true && variable !== undefined) one.give(variable);
    else if (name !== undefined && definition?.isOutput !== true)
      throw new SqlError(
        8162,
        `The formal parameter "${name}" was not declared as an OUTPUT parameter, but the actual parameter passed in requested output.`,
        16,
        2,
        'batch',
      );
  }
}

/** EXEC of a text, and sp_executesql without parameters. */
export function* runText(text: string, context: Context): Work<void> {
  if (context.depth >= DEEPEST) throw errors.nested();
  const body = context.engine.parse(text, context.session.isOn('QUOTED_IDENTIFIER'));
  const before = context.session.transactionCount;
  yield* runBody(body, new Scope(), context);
  tellMismatch(before, '', context);
}

/** A text with parameters: sp_executesql, sp_execute. */
export function* runParameterised(
  body: readonly Statement[],
  definitions: readonly ParameterDefinition[],
  given: readonly Given[],
  context: Context,
): Work<number> {
  const scope = new Scope();
  yield* bind(scope, definitions, given, 'sp_executesql', context);
  const status = yield* runBody(body, scope, { ...context, depth: context.depth - 1 });
  giveBack(scope, definitions, given);
  return status;
}

const parsedParameters = new Map<string, readonly ParameterDefinition[]>();

export function parametersOf(text: string): readonly ParameterDefinition[] {
  const known = parsedParameters.get(text);
  if (known !== undefined) return known;
  const found = parseParameters(text);
  if (parsedParameters.size > 500) parsedParameters.clear();
  parsedParameters.set(text, found);
  return found;
}
