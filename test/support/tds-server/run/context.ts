import type { Table } from '../data/table.ts';
import type { Engine } from '../session/engine.ts';
import type { Options } from '../session/options.ts';
import type { Session } from '../session/session.ts';
import type { Query, Statement } from '../sql/ast.ts';
import { errors } from '../types/errors.ts';
import type { SqlError } from '../types/errors.ts';
import type { SqlType, Value } from '../types/sql-type.ts';
import type { Reply, ResultColumn } from '../wire/reply.ts';
import { doneKind, doneStatus, envChange } from '../wire/reply.ts';
import type { Cursor } from './cursor.ts';
import type { SystemProcedure } from './execute.ts';
import type { Frame } from './frame.ts';
import type { Plan } from './plan.ts';
import type { Wait, Work } from './wait.ts';

export interface Variable {
  readonly type: SqlType;
  value: Value;
}

/** The variables of a batch or procedure. */
export class Scope {
  readonly variables = new Map<string, Variable>();
  readonly tables = new Map<string, Table>();
  /** Cursors that are LOCAL. */
  readonly cursors = new Map<string, Cursor>();
  /** Empty for a batch. */
  readonly procedure: string;
  returnStatus = 0;

  constructor(procedure = '') {
    this.procedure = procedure;
  }

  variable(name: string): Variable {
    const found = this.variables.get(name);
    if (found === undefined) throw errors.undeclared(name);
    return found;
  }

  declare(name: string, type: SqlType, value: Value): void {
    if (this.variables.has(name) || this.tables.has(name)) throw errors.declaredTwice(name);
    this.variables.set(name, { type, value });
  }

  table(name: string): Table {
    const found = this.tables.get(name);
    if (found === undefined) throw errors.undeclaredTable(name);
    return found;
  }
}

/** What a statement does after itself. */
export type Flow = 'next' | 'return' | 'break' | 'continue';

/** What parts of the server do for parts on which they themselves depend. */
export interface Tools {
  plan(query: Query, context: Context, parent: Frame | undefined): Plan;
  run(statements: readonly Statement[], context: Context): Work<Flow>;
  readonly procedures: Readonly<Record<string, SystemProcedure>>;
}

/** A query by name; within itself the rows that it has found last. */
export interface Cte {
  readonly query: Query;
  readonly names: readonly string[];
  readonly found?: {
    readonly columns: readonly ResultColumn[];
    readonly rows: () => Iterable<Value[]>;
  };
}

/** What a statement runs in. */
export interface Context {
  readonly tools: Tools;
  readonly engine: Engine;
  readonly session: Session;
  readonly scope: Scope;
  readonly reply: Reply;
  /** Rows go nowhere: INSERT … EXEC takes them, FMTONLY drops them. */
  readonly capture: Value[][] | undefined;
  /** How deep procedures are nested; 0 for a batch. */
  readonly depth: number;
  /** It began with a call of the protocol's. */
  readonly isCall: boolean;
  /** TRY blocks around. */
  readonly tries: number;
  /** What the CATCH block is about. */
  readonly caught: SqlError | undefined;
  readonly ctes: ReadonlyMap<string, Cte>;
  /** To be waited for where much has been written. */
  readonly room: () => Wait | undefined;
}

/** Which DONE ends a statement here. */
export function kindOfDone({ depth }: Context): number {
  return depth === 0 ? doneKind.batch : doneKind.inProcedure;
}

/**
 * Runs with options, database and temporary tables of its own, as procedures and EXEC of a text do; the client is told
 * where database or language go back.
 */
export function* inOwnScope<Y, T>(
  { session, reply }: Context,
  work: () => Generator<Y, T, void>,
): Generator<Y, T, void> {
  const options: Options = session.options;
  const { database, scopeIdentity, userName } = session;
  session.temporary.push(new Map());
  session.scopeIdentity = null;
  try {
    return yield* work();
  } finally {
    session.temporary.pop();
    if (session.database !== database)
      reply.changed(envChange.database, database.name, session.database.name);
    const { language } = session.options;
    if (language !== options.language)
      reply.changed(envChange.language, options.language.name, language.name);
    session.options = options;
    session.database = database;
    session.scopeIdentity = scopeIdentity;
    session.userName = userName;
  }
}

/** The bit of DONE that says that a transaction is open. */
export function inTransaction({ session, engine }: Context): number {
  return session.transaction !== undefined && !engine.isBabelfish ? doneStatus.inTransaction : 0;
}
