import { Violation } from '../../base/assert.ts';
import { ucs2, u8 } from '../../base/bytes.ts';
import { limits } from '../../base/limits.ts';
import { packetStatus, packetType } from '../../wire/tds/packets.ts';
import type { Parameter, RpcHead } from '../../wire/tds/rpc.ts';
import { procedure, readCall, readRpcHead, rpcFlag, RpcParameters } from '../../wire/tds/rpc.ts';
import { sqlAt } from '../../wire/tds/sql-batch.ts';
import { readTransactionRequest, tmRequest } from '../../wire/tds/transaction-manager.ts';
import { LongBatch } from './long-batch.ts';
import type { Glimpse, Onlooker } from './long-calls.ts';
import { LongCalls } from './long-calls.ts';
import type { Template } from './prepared.ts';
import type { Classifier } from './sql/classifier.ts';
import type { Effects } from './sql/effects.ts';
import { UNSEEN, UNSURE } from './sql/effects.ts';

/** A request as it arrived: its payload, and the packet that it fills where it is only one. */
export interface Parcel {
  readonly type: number;
  /** The status of its first packet. */
  readonly status: number;
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
  /** Where the packet begins in `bytes`; undefined where there are several, whose payloads have been put together. */
  readonly packetAt: number | undefined;
  /** There is more of it, which is passed on as it arrives. */
  readonly isCut: boolean;
}

/** One call of a remote procedure. */
export interface Call {
  readonly procedure: number | string;
  /** Where the handle that it names stands in the payload, counted from its beginning: an integer of four bytes. */
  readonly handleAt: number | undefined;
  /** Of a call that prepares: what is to be closed first, as JDBC has it. */
  readonly handle: number | undefined;
  /** The statement that it prepares. */
  readonly prepares: { readonly parameters: string; readonly text: string } | undefined;
}

/** What a request is about. */
export interface Request {
  readonly effects: Effects | undefined;
  readonly calls: readonly Call[];
  /** Of a request to the transaction manager. */
  readonly transactionRequest: number | undefined;
  /** How long its text is. */
  readonly textBytes: number;
  /** Its text, for logs. */
  readonly digest: () => string;
  /** Of one that goes on: what reads the rest. */
  readonly long?: LongRequest;
}

/** Reads what follows of a request that is too long to be put together. */
export interface LongRequest {
  /** The beginning ends there, counted from the payload's beginning: what is behind it has not been told apart. */
  readonly from: number;
  readonly reader: {
    /** More of it has come. Returns what can be passed on now. */
    add(bytes: Uint8Array): Uint8Array;
    /** There is no more. Returns what is left. */
    end(): Uint8Array;
    /** What all of it does, when there is no more. */
    readonly effects: Effects | undefined;
  };
  /** Puts the connection's handle in place of the client's. It is told who does. */
  exchange: (call: Call, bytes: Uint8Array) => void;
}

/** All that it asks is that prepared statements be closed. */
export function onlyCloses({ calls }: Request): boolean {
  return calls.length > 0 && calls.every((call) => call.procedure === procedure.unprepare);
}

/** It is to join a transaction of several databases, or to begin one (trap TD-31). */
export function wantsCoordinator({ transactionRequest }: Request): boolean {
  return (
    transactionRequest === tmRequest.getDtcAddress ||
    transactionRequest === tmRequest.propagate ||
    transactionRequest === tmRequest.promote
  );
}

/** What must be known to look into a request. */
export interface Knowledge {
  readonly classifier: Classifier;
  readonly tdsVersion: number;
  /** A statement that the session has prepared. */
  readonly statementOf: (handle: number) => Template | undefined;
}

/** Looks into a request. Throws `Violation` where it cannot be one. */
export function inspect(parcel: Parcel, known: Knowledge): Request {
  const { classifier, tdsVersion: version } = known;
  const { type, bytes, start, end, isCut } = parcel;
  switch (type) {
    case packetType.sqlBatch: {
      const from = sqlAt(bytes, start, end, version);
      if (from === undefined) throw new Violation('a batch that is shorter than its headers');
      if (isCut) return inspectLong(parcel, from, classifier);
      const text = ucs2(bytes, from, end);
      return {
        effects: classifier.batch(text),
        calls: NO_CALLS,
        transactionRequest: undefined,
        textBytes: end - from,
        digest: () => classifier.digest(text),
      };
    }
    case packetType.rpc:
      return inspectCalls(parcel, known);
    case packetType.transactionManager: {
      const { request, isolation } = readTransactionRequest(bytes, start, end, version);
      const effects = classifier.transaction(isolation);
      return { ...PLAIN, effects, transactionRequest: request };
    }
    default:
      return PLAIN;
  }
}

const NO_CALLS: readonly Call[] = [];

const PLAIN: Request = {
  effects: undefined,
  calls: NO_CALLS,
  transactionRequest: undefined,
  textBytes: 0,
  digest: () => '',
};

function inspectLong({ bytes, start, end }: Parcel, from: number, classifier: Classifier): Request {
  const reader = new LongBatch();
  reader.add(bytes.subarray(from, end));
  const long = { from: end - start, reader, exchange: nothing };
  const beginning = ucs2(bytes, from, Math.min(end, from + SHOWN_BYTES));
  const digest = (): string => classifier.digest(beginning);
  return { ...PLAIN, effects: UNSEEN, textBytes: end - from, digest, long };
}

function nothing(): void {}

/** So much of a long text is enough for a log. */
const SHOWN_BYTES = 16_384;

function inspectCalls(parcel: Parcel, known: Knowledge): Request {
  const { bytes, start, end, isCut } = parcel;
  const { classifier, tdsVersion: version } = known;
  const calls: Call[] = [];
  const heard: Effects[] = [];
  let text = '';
  let isInCall = true;
  let at = start;
  let head = readRpcHead(bytes, start, end, version);
  while (head !== undefined) {
    askForMetadata(bytes, head);
    const parameters = new RpcParameters(bytes, head.parametersAt, end, version, !isCut);
    const first = firstOf(parameters, lookedAt(head));
    const call = callOf(head, first, start);
    calls.push(call);
    const template = templateOf(call, known);
    const said = template?.text ?? saidOf(head, first);
    text ||= said ?? shownOf(head, first);
    const isUnseen = isCut && said === undefined && texted.includes(head.procedure);
    const effects = isUnseen ? UNSURE : effectsOf(head, said, first, { classifier, template });
    if (effects !== undefined) heard.push(effects);
    const next = parameters.skip();
    isInCall = next === undefined;
    at = next ?? parameters.at;
    head = next === undefined ? undefined : readCall(bytes, next, end);
  }
  if (calls.length === 0) throw new Violation('RPC: no procedure is named');
  const effects = heard.length < 2 ? heard[0] : classifier.together(heard);
  return {
    effects,
    calls,
    transactionRequest: undefined,
    textBytes: UNIT_BYTES * text.length,
    digest: () => classifier.digest(text),
    ...(isCut ? { long: longCalls(known, { effects, isInCall, from: at - start }) } : {}),
  };
}

function longCalls(
  known: Knowledge,
  parts: { readonly effects: Effects | undefined; isInCall: boolean; readonly from: number },
): LongRequest {
  const { classifier, tdsVersion: version } = known;
  const onlooker: Onlooker = {
    begin(head, bytes) {
      askForMetadata(bytes, head);
      return preparing.includes(head.procedure) ? 1 : lookedAt(head);
    },
    hear(head, first, bytes) {
      const call = callOf(head, first, 0);
      long.exchange(call, bytes);
      // What it makes is not followed.
      if (preparing.includes(head.procedure)) return UNSURE;
      const template = templateOf(call, known);
      const said = template?.text ?? saidOf(head, first);
      const isUnseen = said === undefined && texted.includes(head.procedure);
      return isUnseen ? UNSURE : effectsOf(head, said, first, { classifier, template });
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

/** What they prepare, or open, is followed where they are a request's first calls. */
const preparing: readonly (number | string)[] = [
  procedure.prepare,
  procedure.prepExec,
  procedure.cursorOpen,
  procedure.cursorPrepare,
  procedure.cursorExecute,
  procedure.cursorPrepExec,
];

/** Clients that know a statement's columns may do without their description, but rows cannot be told apart without it. */
function askForMetadata(bytes: Uint8Array, { flags, flagsAt }: RpcHead): void {
  const unwanted = rpcFlag.noMetadata | rpcFlag.reuseMetadata;
  if ((flags & unwanted) !== 0) bytes[flagsAt] = flags & ~unwanted;
}

/** What runs a text that is given to them. */
const texted: readonly (number | string)[] = [
  procedure.executeSql,
  procedure.prepExec,
  procedure.cursorOpen,
  procedure.cursorPrepExec,
];

/** Of a text in UTF-16. */
const UNIT_BYTES = 2;

/** Enough to know what a call is about. */
function lookedAt({ procedure: called }: RpcHead): number {
  switch (called) {
    case procedure.executeSql:
    case procedure.execute:
    case procedure.unprepare:
      return 1;
    default:
      return 5;
  }
}

function firstOf(parameters: RpcParameters, count: number): readonly Parameter[] {
  const found: Parameter[] = [];
  while (found.length < count) {
    const parameter = parameters.next();
    if (typeof parameter === 'string') break;
    found.push(parameter);
  }
  return found;
}

function callOf(head: RpcHead, parameters: readonly Glimpse[], start: number): Call {
  const [first, second, third] = parameters;
  const isInt = first !== undefined && first.valueEnd - first.valueAt === INT_BYTES;
  const handleAt = isInt ? first.valueAt - start : undefined;
  switch (head.procedure) {
    case procedure.execute:
    case procedure.unprepare:
      return {
        procedure: head.procedure,
        handleAt,
        handle: first?.int() ?? 0,
        prepares: undefined,
      };
    case procedure.prepare:
    case procedure.prepExec: {
      const text = third?.text();
      const prepares = text === undefined ? undefined : { parameters: second?.text() ?? '', text };
      return { procedure: head.procedure, handleAt, handle: first?.int(), prepares };
    }
    default:
      return {
        procedure: head.procedure,
        handleAt: undefined,
        handle: undefined,
        prepares: undefined,
      };
  }
}

const INT_BYTES = 4;

/** The statement that a call runs, which has been prepared before. */
function templateOf(call: Call, { statementOf }: Knowledge): Template | undefined {
  return call.procedure === procedure.execute ? statementOf(call.handle ?? 0) : undefined;
}

/** The text that a call brings along. */
function saidOf(head: RpcHead, parameters: readonly Glimpse[]): string | undefined {
  switch (head.procedure) {
    case procedure.executeSql:
      return parameters[0]?.text();
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
function shownOf({ procedure: called }: RpcHead, parameters: readonly Parameter[]): string {
  if (typeof called === 'string') return called;
  if (called === procedure.cursorPrepare) return parameters[2]?.text() ?? '';
  return called === procedure.cursorPrepExec ? (parameters[3]?.text() ?? '') : '';
}

function effectsOfPrepared(template: Template, classifier: Classifier): Effects | undefined {
  if (template.effects === undefined)
    template.effects = classifier.executeSql(template.text) ?? null;
  return template.effects ?? undefined;
}

function effectsOf(
  head: RpcHead,
  said: string | undefined,
  parameters: readonly Glimpse[],
  {
    classifier,
    template,
  }: { readonly classifier: Classifier; readonly template: Template | undefined },
): Effects | undefined {
  const { procedure: called } = head;
  if (typeof called === 'string') return classifier.procedure(called, parameters);
  if (template !== undefined) return effectsOfPrepared(template, classifier);
  // What is only prepared is not run.
  const isRun = said !== undefined && called !== procedure.prepare;
  return isRun ? classifier.executeSql(said) : classifier.numbered(called);
}

/** What a packet's status asks of the connection. */
export function asksForReset(status: number): boolean {
  return (status & (packetStatus.resetConnection | packetStatus.resetConnectionSkipTran)) !== 0;
}

/** The first byte of a multiplexed session's packets (MARS), which nobody has been offered. */
export const MARS_BYTE = 0x53;

/** A request longer than this is passed on as it arrives. */
export const INSPECTED_BYTES = limits.inspectedRequestBytes.value;

export function isAttention(bytes: Uint8Array, at: number): boolean {
  return u8(bytes, at) === packetType.attention;
}
