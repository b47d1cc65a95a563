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
import type { Statements } from './statements.ts';

/** One call, and the statement that it prepares, runs or closes. */
interface Step {
  readonly call: Call;
  readonly template: Template | undefined;
  /** The client's handle for what it prepares. */
  readonly handle: number | undefined;
}

/**
 * How one request goes out: with the transaction's descriptor and the handles of statements exchanged for those of the connection
 * that it gets.
 */
export class Sending {
  readonly #statements: Statements;
  readonly #steps: readonly Step[];

  /** @param wanted the session's state: a statement that is prepared keeps some of it */
  constructor(
    request: Request,
    statements: Statements,
    memory: SqlServerMemory,
    wanted: SessionState,
  ) {
    this.#statements = statements;
    this.#steps =
      request.calls.length === 0
        ? NO_STEPS
        : request.calls.map((call) => {
            const { prepares, handle } = call;
            if (prepares === undefined)
              return {
                call,
                template: handle === undefined ? undefined : statements.at(handle),
                handle: undefined,
              };
            const { templates } = memory.target;
            const template = templates.of(readingOf(wanted), prepares.parameters, prepares.text);
            return { call, template, handle: statements.next() };
          });
  }

  /** For each call the handle that the client is to be given, if any. */
  get handles(): readonly (number | undefined)[] {
    return this.#steps.some(({ handle }) => handle !== undefined)
      ? this.#steps.map(({ handle }) => handle)
      : NO_HANDLES;
  }

  /** A statement that must be there first, and is not. */
  missingOn({ prepared }: SqlServerMemory): Template | undefined {
    for (const { call, template } of this.#steps) {
      const isNeeded = call.prepares === undefined && template !== undefined;
      if (isNeeded && !prepared.has(template)) return template;
    }
    return undefined;
  }

  /** Sends it. Returns who sends the rest, where there is one. @param status of the first packet */
  send(
    sink: Pick<RelaySink, 'toServer'>,
    memory: SqlServerMemory,
    parcel: Parcel,
    status: number,
  ): Repacker | undefined {
    this.#exchange(memory, parcel);
    const { type, bytes, start, end, packetAt, isCut } = parcel;
    // What was the client's only packet may not be the first of several as it is.
    const first = status & ~packetStatus.endOfMessage;
    if (isCut) {
      const upload = new Repacker(type, memory.packetBytes, first);
      const packets = upload.add(bytes, start, end);
      if (packets.length > 0) sink.toServer(packets);
      return upload;
    }
    if (packetAt === undefined || end - packetAt > memory.packetBytes) {
      sink.toServer(message(type, bytes.subarray(start, end), memory.packetBytes, first));
      return undefined;
    }
    bytes[packetAt + 1] = status;
    const isWhole = packetAt === 0 && end === bytes.length;
    sink.toServer(isWhole ? bytes : bytes.subarray(packetAt, end));
    return undefined;
  }

  /** Exchanges the handle of a call that comes late in a long request; of its parameters it is the first. */
  exchangeLate(memory: SqlServerMemory, call: Call, bytes: Uint8Array): void {
    const { handleAt, handle = 0 } = call;
    if (handleAt === undefined) return;
    writeInt(bytes, handleAt, exchanged(call, this.#statements.at(handle), memory));
  }

  /** The client's call of this number has prepared its statement, or could not. */
  prepared(memory: SqlServerMemory, at: number, original: number | undefined): void {
    const step = this.#steps[at];
    if (step?.template === undefined || step.handle === undefined) return;
    if (original === undefined || original === 0) return; // it has failed (trap TD-07)
    this.#statements.add(step.handle, step.template);
    memory.prepared.add(step.template, original);
  }

  /** The client's call of this number is over: what it was to close is closed. */
  called({ prepared }: SqlServerMemory, at: number): void {
    const { call, template } = this.#steps[at] ?? {};
    if (call?.handle === undefined || !isClosing(call)) return;
    this.#statements.close(call.handle);
    if (call.prepares === undefined && template !== undefined) prepared.remove(template);
  }

  #exchange(memory: SqlServerMemory, { type, bytes, start, end }: Parcel): void {
    if (hasHeaders.includes(type)) {
      const at = isWide(memory.tdsVersion) ? transactionAt(bytes, start, end) : undefined;
      if (at !== undefined) writeDescriptor(bytes, at, memory.transaction);
    }
    // What a call before it in the same request will have closed is not there.
    const closed = new Set<number>();
    for (const { call } of this.#steps) {
      const { handleAt, handle = 0 } = call;
      if (handleAt === undefined) continue;
      const template = closed.has(handle) ? undefined : this.#statements.at(handle);
      writeInt(bytes, start + handleAt, exchanged(call, template, memory));
      if (isClosing(call)) closed.add(handle);
    }
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

const NO_STEPS: readonly Step[] = [];
const NO_HANDLES: readonly undefined[] = [];

const hasHeaders: readonly number[] = [
  packetType.sqlBatch,
  packetType.rpc,
  packetType.transactionManager,
];

/** No database gets there. */
const NO_HANDLE = 0x3fff_ffff;

const DESCRIPTOR_BYTES = 8;

/** Clients know of the last transaction that they were told of, which is over where there is none (trap TD-18). */
function writeDescriptor(bytes: Uint8Array, at: number, descriptor: bigint): void {
  if (descriptor === 0n) {
    for (let next = at; next < at + DESCRIPTOR_BYTES; next += 1) bytes[next] = 0;
    return;
  }
  writeInt(bytes, at, Number(BigInt.asIntN(32, descriptor)));
  writeInt(bytes, at + 4, Number(BigInt.asIntN(32, descriptor >> 32n)));
}

function writeInt(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >> 8;
  bytes[at + 2] = value >> 16;
  bytes[at + 3] = value >> 24;
}
