import { Violation } from '../../base/assert.ts';
import { ucs2 } from '../../base/bytes.ts';
import { packetType } from '../../wire/tds/packets.ts';
import type { Parameter } from '../../wire/tds/rpc-parameters.ts';
import { RpcParameters } from '../../wire/tds/rpc-parameters.ts';
import type { RpcHead } from '../../wire/tds/rpc.ts';
import { procedure, readCall, readRpcHead, rpcFlag, rpcHeadSlot } from '../../wire/tds/rpc.ts';
import { sqlAt } from '../../wire/tds/sql-batch.ts';
import { readTransactionRequest } from '../../wire/tds/transaction-manager.ts';
import { LongBatch } from './long-batch.ts';
import type { Glimpse, Onlooker } from './long-calls.ts';
import { LongCalls } from './long-calls.ts';
import type { Template } from './prepared.ts';
import type { LongRequest, Parcel, Request } from './requests.ts';
import { Call } from './requests.ts';
import type { Classifier } from './sql/classifier.ts';
import { INSERTS } from './sql/classifier.ts';
import type { Effects } from './sql/effects.ts';
import { UNSEEN, UNSURE } from './sql/effects.ts';
import type { Statements } from './statements.ts';

/** What must be known to look into a request. */
export interface Knowledge {
  readonly classifier: Classifier;
  readonly tdsVersion: number;
  /** What the session has prepared. */
  readonly statements: Pick<Statements, 'at'>;
}

/** Of a text in UTF-16. */
const UNIT_BYTES = 2;
const INT_BYTES = 4;

/** Looks into requests, one at a time, and makes few objects. */
export class Inspector {
  readonly #head = rpcHeadSlot();
  readonly #parameters = new RpcParameters();

  /** Puts what it finds into `request`. Throws `Violation` where it cannot be one. */
  inspect(parcel: Parcel, known: Knowledge, request: Request): void {
    request.begin();
    switch (parcel.type) {
      case packetType.sqlBatch:
        return inspectBatch(parcel, known, request);
      case packetType.rpc:
        this.#inspectCalls(parcel, known, request);
        this.#parameters.forget();
        return;
      case packetType.transactionManager: {
        const { bytes, start, end } = parcel;
        const asked = readTransactionRequest(bytes, start, end, known.tdsVersion);
        request.effects = known.classifier.transaction(asked.isolation);
        request.transactionRequest = asked.request;
        return;
      }
      default:
    }
  }

  #inspectCalls(parcel: Parcel, known: Knowledge, request: Request): void {
    const { bytes, start, end } = parcel;
    let heard: Effects[] | undefined;
    let isInCall = true;
    let at = start;
    let head = readRpcHead(bytes, start, end, known.tdsVersion, this.#head);
    while (head !== undefined) {
      askForMetadata(bytes, head);
      this.#parameters.begin(bytes, head.parametersAt, end, known.tdsVersion, !parcel.isCut);
      const effects = this.#inspectCall(head, parcel, known, request);
      if (request.effects === undefined) request.effects = effects;
      else if (effects !== undefined) (heard ??= [request.effects]).push(effects);
      const next = this.#parameters.skip();
      isInCall = next === undefined;
      at = next ?? this.#parameters.at;
      head = next === undefined ? undefined : readCall(bytes, next, end, this.#head);
    }
    if (request.calls.length === 0) throw new Violation('RPC: no procedure is named');
    if (heard !== undefined) request.effects = known.classifier.together(heard);
    const { effects } = request;
    if (parcel.isCut) request.long = longCalls(known, { effects, isInCall, from: at - start });
  }

  #inspectCall(
    head: RpcHead,
    parcel: Parcel,
    known: Knowledge,
    request: Request,
  ): Effects | undefined {
    const call = request.call(head.procedure);
    switch (head.procedure) {
      case procedure.executeSql:
        return this.#executeSql(parcel, known, request);
      case procedure.execute:
      case procedure.unprepare:
        return this.#byHandle(call, parcel, known, request);
      default:
        return inspectOther(call, this.#parameters, parcel, known, request);
    }
  }

  #executeSql(parcel: Parcel, { classifier }: Knowledge, request: Request): Effects | undefined {
    const parameters = this.#parameters;
    if (parameters.read() !== 'read') return unsaid(procedure.executeSql, parcel, classifier);
    const { valueAt, valueEnd } = parameters;
    if (parameters.isPlainText) {
      const effects = classifier.executeSqlAt(parcel.bytes, valueAt, valueEnd);
      note(request, parcel.bytes, valueAt, valueEnd, effects);
      return effects;
    }
    const said = parameters.text();
    if (said === undefined) return unsaid(procedure.executeSql, parcel, classifier);
    say(request, said);
    return classifier.executeSql(said);
  }

  #byHandle(
    call: Call,
    { start }: Parcel,
    { classifier, statements }: Knowledge,
    request: Request,
  ): Effects | undefined {
    const parameters = this.#parameters;
    call.handle = 0;
    if (parameters.read() === 'read') {
      const { valueAt, valueEnd } = parameters;
      if (valueEnd - valueAt === INT_BYTES) call.handleAt = valueAt - start;
      call.handle = parameters.int() ?? 0;
    }
    const template = statements.at(call.handle);
    call.template = template;
    if (call.procedure === procedure.unprepare) return classifier.numbered(procedure.unprepare);
    if (template === undefined) return classifier.numbered(procedure.execute);
    say(request, template.text);
    return effectsOfPrepared(template, classifier);
  }
}

function inspectBatch(
  { bytes, start, end, isCut }: Parcel,
  { classifier, tdsVersion }: Knowledge,
  request: Request,
): void {
  const from = sqlAt(bytes, start, end, tdsVersion);
  if (from === undefined) throw new Violation('a batch that is shorter than its headers');
  if (isCut) {
    const reader = new LongBatch();
    reader.add(bytes.subarray(from, end));
    request.effects = UNSEEN;
    request.long = { from: end - start, reader, exchange: nothing };
    request.textBytes = end - from;
    request.text = ucs2(bytes, from, Math.min(end, from + SHOWN_BYTES));
    return;
  }
  const effects = classifier.batchAt(bytes, from, end);
  request.effects = effects;
  note(request, bytes, from, end, effects);
}

/** So much of a long text is enough for a log. */
const SHOWN_BYTES = 16_384;

function nothing(): void {}

/** It says `bytes[start, end)`. Only what something may come of is logged. */
function note(
  request: Request,
  bytes: Uint8Array,
  start: number,
  end: number,
  effects: Effects | undefined,
): void {
  if (request.textBytes === 0) request.textBytes = end - start;
  if (effects !== undefined && effects !== INSERTS && request.text === '')
    request.text = ucs2(bytes, start, end);
}

/** Of several calls the first that says something is logged. */
function say(request: Request, text: string): void {
  if (request.textBytes === 0) request.textBytes = UNIT_BYTES * text.length;
  if (request.text === '') request.text = text;
}

/** Of a call that runs a text, which is not there, or not yet. */
function unsaid(called: number, { isCut }: Parcel, classifier: Classifier): Effects | undefined {
  return isCut ? UNSURE : classifier.numbered(called);
}

/** Clients that know a statement's columns may do without their description, but rows cannot be told apart without it. */
function askForMetadata(bytes: Uint8Array, { flags, flagsAt }: RpcHead): void {
  const unwanted = rpcFlag.noMetadata | rpcFlag.reuseMetadata;
  if ((flags & unwanted) !== 0) bytes[flagsAt] = flags & ~unwanted;
}

/** What is called more rarely. */
function inspectOther(
  call: Call,
  parameters: RpcParameters,
  parcel: Parcel,
  { classifier }: Knowledge,
  request: Request,
): Effects | undefined {
  const called = call.procedure;
  const first = firstOf(parameters);
  if (called === procedure.prepare || called === procedure.prepExec)
    notePreparing(call, first, parcel.start);
  const said = saidOf(called, first);
  const text = said ?? shownOf(called, first);
  if (text !== '') say(request, text);
  if (typeof called === 'string') return classifier.procedure(called, first);
  if (said === undefined && texted.includes(called)) return unsaid(called, parcel, classifier);
  // What is only prepared is not run.
  const isRun = said !== undefined && called !== procedure.prepare;
  return isRun ? classifier.executeSql(said) : classifier.numbered(called);
}

/** Of a request that is too long to be put together: what follows its first calls. */
function longCalls(
  known: Knowledge,
  parts: { readonly effects: Effects | undefined; isInCall: boolean; readonly from: number },
): LongRequest {
  const { classifier, statements, tdsVersion: version } = known;
  const onlooker: Onlooker = {
    begin(head, bytes) {
      askForMetadata(bytes, head);
      return typeof head.procedure === 'string' ? LOOKED_AT : 1;
    },
    hear({ procedure: called }, first, bytes) {
      const call = new Call();
      call.begin(called);
      if (handled.includes(called)) noteHandle(call, first[0], 0);
      long.exchange(call, bytes);
      // What it makes is not followed.
      if (followed.includes(called)) return UNSURE;
      if (typeof called === 'string') return classifier.procedure(called, first);
      if (called === procedure.execute) {
        const template = statements.at(call.handle ?? 0);
        if (template !== undefined) return effectsOfPrepared(template, classifier);
      }
      if (called !== procedure.executeSql) return classifier.numbered(called);
      const said = first[0]?.text();
      return said === undefined ? UNSURE : classifier.executeSql(said);
    },
    together: (effects) => classifier.together(effects),
  };
  const long: LongRequest = {
    from: parts.from,
    reader: new LongCalls(onlooker, { ...parts, version }),
    exchange: nothing,
  };
  return long;
}

/** Whose first parameter is the handle of a statement that is prepared. */
const handled: readonly (number | string)[] = [
  procedure.execute,
  procedure.unprepare,
  procedure.prepare,
  procedure.prepExec,
];

/** What they prepare, or open, is followed where they are a request's first calls. */
const followed: readonly (number | string)[] = [
  procedure.prepare,
  procedure.prepExec,
  procedure.cursorOpen,
  procedure.cursorPrepare,
  procedure.cursorExecute,
  procedure.cursorPrepExec,
];

/** What runs a text that is given to them. */
const texted: readonly number[] = [
  procedure.prepExec,
  procedure.cursorOpen,
  procedure.cursorPrepExec,
];

/** Enough to know what a call is about. */
const LOOKED_AT = 5;

function firstOf(parameters: RpcParameters): readonly Parameter[] {
  const found: Parameter[] = [];
  while (found.length < LOOKED_AT) {
    const parameter = parameters.next();
    if (typeof parameter === 'string') break;
    found.push(parameter);
  }
  return found;
}

function notePreparing(call: Call, parameters: readonly Parameter[], start: number): void {
  const [first, second, third] = parameters;
  noteHandle(call, first, start);
  const text = third?.text();
  call.prepares = text === undefined ? undefined : { parameters: second?.text() ?? '', text };
}

function noteHandle(call: Call, first: Glimpse | undefined, start: number): void {
  const isInt = first !== undefined && first.valueEnd - first.valueAt === INT_BYTES;
  call.handleAt = isInt ? first.valueAt - start : undefined;
  call.handle = first?.int();
}

/** The text that a call brings along. */
function saidOf(called: number | string, parameters: readonly Parameter[]): string | undefined {
  switch (called) {
    case procedure.prepare:
    case procedure.prepExec:
      return parameters[2]?.text();
    case procedure.cursorOpen:
      return parameters[1]?.text();
    default:
      return undefined;
  }
}

/** What a log shows of a call whose text is not read. */
function shownOf(called: number | string, parameters: readonly Parameter[]): string {
  if (typeof called === 'string') return called;
  if (called === procedure.cursorPrepare) return parameters[2]?.text() ?? '';
  return called === procedure.cursorPrepExec ? (parameters[3]?.text() ?? '') : '';
}

function effectsOfPrepared(template: Template, classifier: Classifier): Effects | undefined {
  if (template.effects === undefined)
    template.effects = classifier.executeSql(template.text) ?? null;
  return template.effects ?? undefined;
}
