import type { RelaySink } from '../../core/engine.ts';
import { transactionAt } from '../../wire/tds/headers.ts';
import { message, packetStatus, packetType, Repacker } from '../../wire/tds/packets.ts';
import { procedure } from '../../wire/tds/rpc.ts';
import { isWide } from '../../wire/tds/versions.ts';
import type { SqlServerMemory } from './memory.ts';
import type { Template } from './prepared.ts';
import { readingOf } from './prepared.ts';
import type { Call, Parcel, Request } from './requests.ts';
import type { SessionState } from './state.ts';
import { Statements } from './statements.ts';
import { Upload } from './upload.ts';

/** Who shares the work. */
interface Parts {
  readonly party: {
    readonly sink: Pick<RelaySink, 'toServer'>;
    wanted: SessionState;
    statements: Statements | undefined;
  };
  readonly request: Request;
}

/**
 * How the request at hand goes out: with the transaction's descriptor and the handles of statements exchanged for those of the connection
 * that it gets.
 */
export class Sending {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Makes the statements that the request prepares: they keep some of the session's state. */
  begin(memory: SqlServerMemory): void {
    const { party, request } = this.#parts;
    for (const call of request.calls) {
      const { prepares } = call;
      if (prepares === undefined) continue;
      party.statements ??= new Statements();
      const { templates } = memory.target;
      const read = readingOf(party.wanted);
      call.template = templates.of(read, prepares.parameters, prepares.text);
      call.given = party.statements.next();
    }
  }

  /** A statement that must be there first, and is not. */
  missingOn({ prepared }: SqlServerMemory): Template | undefined {
    const { calls } = this.#parts.request;
    if (calls.length === 0) return undefined;
    for (const { prepares, template } of calls) {
      const isNeeded = prepares === undefined && template !== undefined;
      if (isNeeded && !prepared.has(template)) return template;
    }
    return undefined;
  }

  /** Sends it. Returns who sends the rest, where there is one. @param status of the first packet */
  send(memory: SqlServerMemory, parcel: Parcel, status: number): Upload | undefined {
    const { sink } = this.#parts.party;
    this.#exchange(memory, parcel);
    const { type, bytes, start, end, packetAt, isCut } = parcel;
    // What was the client's only packet may not be the first of several as it is.
    const first = status & ~packetStatus.endOfMessage;
    if (isCut) return this.#sendLong(memory, parcel, first);
    if (packetAt === undefined || end - packetAt > memory.packetBytes) {
      sink.toServer(message(type, bytes.subarray(start, end), memory.packetBytes, first));
      return undefined;
    }
    bytes[packetAt + 1] = status;
    const isWhole = packetAt === 0 && end === bytes.length;
    sink.toServer(isWhole ? bytes : bytes.subarray(packetAt, end));
    return undefined;
  }

  /** What the client is given for the handle of the statement that its call of this number prepares, if it does. */
  handleOf(at: number): number | undefined {
    return this.#parts.request.calls[at]?.given;
  }

  /** The client's call of this number has prepared its statement, or could not. */
  prepared(memory: SqlServerMemory, at: number, original: number | undefined): void {
    const { party, request } = this.#parts;
    const { template, given } = request.calls[at] ?? {};
    if (template === undefined || given === undefined) return;
    if (original === undefined || original === 0) return; // it has failed (trap TD-07)
    party.statements?.add(given, template);
    memory.prepared.add(template, original);
  }

  /** The client's call of this number is over: what it was to close is closed. */
  called({ prepared }: SqlServerMemory, at: number): void {
    const { party, request } = this.#parts;
    const call = request.calls[at];
    if (call?.handle === undefined || !isClosing(call)) return;
    party.statements?.close(call.handle);
    if (call.prepares === undefined && call.template !== undefined) prepared.remove(call.template);
  }

  /** Sends as much of it as is there; how it goes on is seen as it passes. */
  #sendLong(memory: SqlServerMemory, parcel: Parcel, status: number): Upload {
    const { type, bytes, start, end } = parcel;
    const { party, request } = this.#parts;
    const { long } = request;
    const upload = new Upload(
      party.sink,
      new Repacker(type, memory.packetBytes, status),
      long?.reader,
    );
    const from = long === undefined ? end : start + long.from;
    if (long !== undefined) long.exchange = (call, late) => this.#exchangeLate(memory, call, late);
    upload.pass(bytes.subarray(start, from));
    if (from < end) upload.add(bytes.subarray(from, end));
    return upload;
  }

  /** Exchanges the handle of a call that comes late in a long request; of its parameters it is the first. */
  #exchangeLate(memory: SqlServerMemory, call: Call, bytes: Uint8Array): void {
    const { handleAt, handle = 0 } = call;
    if (handleAt === undefined) return;
    const template = this.#parts.party.statements?.at(handle);
    writeInt(bytes, handleAt, exchanged(call, template, memory));
  }

  #exchange(memory: SqlServerMemory, { type, bytes, start, end }: Parcel): void {
    if (hasHeaders(type) && isWide(memory.tdsVersion)) {
      const at = transactionAt(bytes, start, end);
      if (at !== undefined) writeDescriptor(bytes, at, memory.transaction);
    }
    const { calls } = this.#parts.request;
    // What a call before it in the same request will have closed is not there.
    const closed = calls.length > 1 ? new Set<number>() : undefined;
    for (const call of calls) {
      const { handleAt, handle = 0 } = call;
      if (handleAt === undefined) continue;
      const template = closed?.has(handle) === true ? undefined : this.#named(call);
      writeInt(bytes, start + handleAt, exchanged(call, template, memory));
      if (isClosing(call)) closed?.add(handle);
    }
  }

  /** What a call names by its handle: of one that prepares what it is to close. */
  #named({ prepares, template, handle = 0 }: Call): Template | undefined {
    return prepares === undefined ? template : this.#parts.party.statements?.at(handle);
  }
}

function isClosing({ procedure: called, prepares }: Call): boolean {
  return called === procedure.unprepare || prepares !== undefined;
}

/** The connection's handle in place of the client's. One that we have not given may be another session's there (trap TD-06). */
function exchanged(
  { handle = 0, prepares }: Call,
  template: Template | undefined,
  { prepared }: SqlServerMemory,
): number {
  // What is closed so the session alone forgets.
  if (prepares !== undefined) return handle === 0 || template !== undefined ? 0 : NO_HANDLE;
  return template === undefined ? NO_HANDLE : (prepared.use(template) ?? NO_HANDLE);
}

function hasHeaders(type: number): boolean {
  return (
    type === packetType.sqlBatch ||
    type === packetType.rpc ||
    type === packetType.transactionManager
  );
}

/** No database gets there. */
const NO_HANDLE = 0x3fff_ffff;

/** Clients know of the last transaction that they were told of, which is over where there is none (trap TD-18). */
function writeDescriptor(bytes: Uint8Array, at: number, descriptor: bigint): void {
  if (descriptor === 0n) {
    writeInt(bytes, at, 0);
    writeInt(bytes, at + 4, 0);
    return;
  }
  DESCRIPTOR[0] = descriptor;
  bytes.set(DESCRIPTOR_AS_BYTES, at);
}

const DESCRIPTOR = new BigUint64Array(1);
/** From the small end on, as all the machines have it that this runs on. */
const DESCRIPTOR_AS_BYTES = new Uint8Array(DESCRIPTOR.buffer);

function writeInt(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >> 8;
  bytes[at + 2] = value >> 16;
  bytes[at + 3] = value >> 24;
}
