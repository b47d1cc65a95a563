import type { Host } from '../host.ts';
import type { Session } from '../session/session.ts';
import type { Transaction } from '../data/transaction.ts';
import { SqlError, errors } from '../types/errors.ts';
import type { Message } from '../wire/packets.ts';
import { packetStatus, packetType } from '../wire/packets.ts';
import type { Call, Headers } from '../wire/requests.ts';
import { readBulk, readCalls, readHeaders, readTransactionRequest } from '../wire/requests.ts';
import type { Reply } from '../wire/reply.ts';
import { command, doneKind, doneStatus, envChange } from '../wire/reply.ts';
import { Source } from '../wire/source.ts';
import { systemProcedures } from '../procedures/list.ts';
import { BatchAborted, fail, runStatements } from './batch.ts';
import { tableOf } from './change.ts';
import type { Context, Tools, Variable } from './context.ts';
import { Scope, inTransaction } from './context.ts';
import { planQuery } from './query.ts';
import type { Given } from './execute.ts';
import { callProcedure } from './execute.ts';
import { completed, insertRow } from './rows.ts';
import { rollback } from './transactions.ts';
import type { Wait, Work } from './wait.ts';
import { delay } from './wait.ts';

export interface Request {
  readonly message: Message;
  readonly session: Session;
  readonly reply: Reply;
  readonly version: number;
  readonly host: Host;
  readonly room: () => Wait | undefined;
}

const NONE = new Uint8Array(0);
const tools: Tools = { plan: planQuery, run: runStatements, procedures: systemProcedures };

/** Tells the client of transactions, where the server's manner is to do so. */
function listen({ session, reply }: Request, tells: boolean): void {
  const bytes = ({ descriptor }: Transaction): Uint8Array => {
    const found = Buffer.alloc(8);
    found.writeBigUInt64LE(descriptor);
    return new Uint8Array(found);
  };
  session.listener = {
    began(transaction) {
      if (tells) reply.changedBytes(envChange.begin, bytes(transaction), NONE);
    },
    committed(transaction) {
      if (tells) reply.changedBytes(envChange.commit, NONE, bytes(transaction));
    },
    rolledBack(transaction) {
      if (tells) reply.changedBytes(envChange.rollback, NONE, bytes(transaction));
    },
  };
}

/** A request's work; a transaction that can only be rolled back does not outlive it. */
export function* requestWork(request: Request): Work<void> {
  yield* answer(request);
  const { session, reply } = request;
  if (session.transaction?.isDoomed !== true) return;
  reply.error(errors.doomedAtEnd());
  session.rollback();
  reply.done(doneKind.batch, doneStatus.error, command.none);
}

/** All that a request does, up to its last DONE, which is left to whoever started it. */
function* answer(request: Request): Work<void> {
  const { message, session, reply, version, host } = request;
  const { engine } = session;
  const isTransactionRequest = message.type === packetType.transactionManager;
  listen(request, !engine.isBabelfish || isTransactionRequest);
  const isReset = (message.status & (packetStatus.reset | packetStatus.resetSkipTransaction)) !== 0;
  if (host.latencyMs > 0) yield delay(host.latencyMs);
  const before = session.transaction?.descriptor ?? 0n;
  if (isReset) {
    host.counted('reset');
    session.reset((message.status & packetStatus.resetSkipTransaction) !== 0);
    listen(request, !engine.isBabelfish || isTransactionRequest);
    reply.changedBytes(envChange.reset, NONE, NONE);
  }
  const source = new Source(message.payload);
  const context: Context = {
    ...{ engine, session, reply, scope: new Scope(), capture: undefined, depth: 0, tries: 0 },
    isCall: message.type === packetType.rpc,
    ...{ caught: undefined, ctes: new Map(), room: request.room, tools },
  };
  try {
    switch (message.type) {
      case packetType.sqlBatch: {
        checkHeaders(readHeaders(source, version), request, isReset ? before : undefined);
        const text = Buffer.from(source.rest()).toString('utf16le');
        host.recorded(session.spid, 'batch', text, isReset);
        yield* held(text, request);
        yield* runBatch(text, context);
        return;
      }
      case packetType.rpc:
        checkHeaders(readHeaders(source, version), request, isReset ? before : undefined);
        yield* runCalls(readCalls(source, version), context, request, isReset);
        return;
      case packetType.transactionManager:
        checkHeaders(readHeaders(source, version), request, isReset ? before : undefined);
        runTransactionRequest(source, context, request, isReset);
        return;
      case packetType.bulkLoad:
        host.recorded(session.spid, 'bulk', '', isReset);
        yield* runBulk(source, version, context);
        return;
      default:
        throw errors.protocol(`A message of type ${message.type} is none of a session's.`);
    }
  } catch (error) {
    if (error instanceof BatchAborted) {
      session.endAutomatic(true);
      return;
    }
    if (error instanceof SqlError && error.reach !== 'connection') {
      session.endAutomatic(true);
      tell(error, context);
      return;
    }
    throw error;
  }
}

function tell(error: SqlError, context: Context): void {
  fail(error, { kind: 'nothing', line: error.line }, { ...context, tries: 0 }, true);
  context.reply.done(doneKind.batch, doneStatus.error | inTransaction(context), command.none);
}

/** `discarded`: which transaction the reset has ended, of which the client may not have known. */
function checkHeaders(
  { transaction, outstanding }: Headers,
  { session, host }: Request,
  discarded: bigint | undefined,
): void {
  if (transaction === undefined) return;
  if (outstanding !== 1)
    host.offence(session.spid, `an outstanding request count of ${outstanding}`);
  const due = session.engine.isBabelfish ? transaction : (session.transaction?.descriptor ?? 0n);
  if (transaction === due || transaction === discarded) return;
  host.offence(
    session.spid,
    `the transaction descriptor ${transaction.toString(16)} where ${due.toString(16)} was due`,
  );
  throw errors.staleDescriptor();
}

function* held(text: string, { session }: Request): Work<void> {
  const wait = session.engine.hooks.holding(session, text);
  if (wait !== undefined) yield wait;
}

function* runBatch(text: string, context: Context): Work<void> {
  const { engine, session } = context;
  const statements = engine.parse(text, session.isOn('QUOTED_IDENTIFIER'));
  yield* runStatements(statements, context);
}

/** Each call with its own DONEPROC; an error that ends a batch ends the others, too. */
function* runCalls(
  calls: readonly Call[],
  context: Context,
  request: Request,
  isReset: boolean,
): Work<void> {
  const { session, reply } = context;
  for (const call of calls) {
    request.host.recorded(session.spid, call.procedure, textOf(call), isReset);
    yield* held(textOf(call), request);
    const outputs: { ordinal: number; name: string; variable: Variable }[] = [];
    const given = call.parameters.map((parameter, ordinal): Given => {
      const { name, type, value, isOutput, isDefault, table } = parameter;
      // What is not given back is as it came.
      const entry = { ordinal, name, variable: { type, value } };
      if (isOutput) outputs.push(entry);
      const give = (made: Variable): void => {
        entry.variable = { type: made.type, value: made.value };
      };
      return {
        name,
        type,
        value,
        isOutput,
        isDefault,
        ...(table === undefined ? {} : { table }),
        give,
      };
    });
    try {
      const status = yield* callProcedure(
        call.procedure,
        call.procedure.split('.').map((part) => part.replace(/^\[(.*)\]$/, '$1')),
        given,
        { ...context, scope: new Scope() },
      );
      session.endAutomatic(false);
      reply.returnStatus(status);
      for (const { ordinal, name, variable } of outputs)
        reply.returnValue(ordinal, name, variable.type, variable.value);
      reply.done(doneKind.procedure, inTransaction(context), command.execute);
    } catch (error) {
      session.endAutomatic(true);
      if (error instanceof BatchAborted) {
        reply.done(doneKind.procedure, doneStatus.error | inTransaction(context), command.execute);
        return;
      }
      if (!(error instanceof SqlError) || error.reach === 'connection') throw error;
      fail(error, { kind: 'nothing', line: error.line }, context, true);
      reply.done(doneKind.procedure, doneStatus.error | inTransaction(context), command.execute);
      if (error.reach === 'batch') return;
    }
  }
}

/** The statement of a call that has one. */
function textOf({ procedure, parameters }: Call): string {
  const place = { sp_executesql: 0, sp_prepare: 2, sp_prepexec: 2, sp_cursoropen: 1 }[
    procedure.toLowerCase() as 'sp_prepare'
  ];
  const value = place === undefined ? undefined : parameters[place]?.value;
  return typeof value === 'string' ? value : procedure;
}

function runTransactionRequest(
  source: Source,
  context: Context,
  { host, session }: Request,
  isReset: boolean,
): void {
  const { reply } = context;
  const asked = readTransactionRequest(source);
  host.recorded(session.spid, 'transaction', asked.kind, isReset);
  const isolate = (level: number): void => {
    if (level > 5) throw errors.protocol(`The isolation level ${level} is unknown.`);
    if (level > 0) session.options = { ...session.options, isolation: level };
  };
  const done = (what: number): void => reply.done(doneKind.batch, inTransaction(context), what);
  switch (asked.kind) {
    case 'begin':
      isolate(asked.isolation);
      session.begin();
      if (asked.name !== '' && session.transactionCount === 1)
        session.transaction?.call(asked.name);
      return done(command.begin);
    case 'commit':
      session.commit();
      break;
    case 'rollback':
      rollback(asked.name, context);
      break;
    case 'save':
      if (session.transaction === undefined) throw errors.noSaveOutside();
      session.transaction.save(asked.name);
      return done(command.none);
    case 'distributed':
      throw new SqlError(8501, 'MSDTC on this server is unavailable.', 16, 1, 'batch');
  }
  if (asked.thenBegins !== undefined) {
    isolate(asked.thenBegins);
    session.begin();
  }
  done(asked.kind === 'commit' ? command.commit : command.rollback);
}

function* runBulk(source: Source, version: number, context: Context): Work<void> {
  const { session, reply } = context;
  const { bulk } = session;
  session.bulk = undefined;
  if (bulk === undefined) throw errors.protocol('Rows come without INSERT BULK.');
  const { columns, rows } = readBulk(source, version);
  const table = tableOf({ kind: 'named', name: bulk.table, hints: [] }, context);
  const places = columns.map(({ name }) => table.columnAt(name));
  if (places.includes(-1)) throw errors.noColumn(columns[places.indexOf(-1)]?.name ?? '');
  const types = columns.map(({ type }) => type);
  for (const row of rows)
    yield* insertRow(table, completed(table, places, row, types, context), context);
  session.endAutomatic(false);
  session.rowCount = rows.length;
  reply.done(doneKind.batch, doneStatus.count | inTransaction(context), command.bulk, rows.length);
}
