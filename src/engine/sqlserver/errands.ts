import { concat } from '../../base/bytes.ts';
import type { RelaySink } from '../../core/engine.ts';
import { message, packetStatus, packetType } from '../../wire/tds/packets.ts';
import type { Results } from '../../wire/tds/results.ts';
import type { RpcArgument } from '../../wire/tds/rpc.ts';
import { procedure, rpcCall, rpcCalls } from '../../wire/tds/rpc.ts';
import { sqlBatch } from '../../wire/tds/sql-batch.ts';
import { done, doneStatus, error, token } from '../../wire/tds/tokens.ts';
import type { SqlServerMemory } from './memory.ts';
import type { Template } from './prepared.ts';
import { inReading } from './prepared.ts';
import type { Question } from './question.ts';
import type { Replies } from './replies.ts';
import { RESET } from './state.ts';
import type { Tracker } from './tracker.ts';

interface Parts {
  readonly party: { readonly sink: Pick<RelaySink, 'toServer' | 'fail'> };
  readonly tracker: Tracker;
  readonly replies: Replies;
}

/** What we ask of the database ourselves, between two requests of the client's. */
export class Errands {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /**
   * Brings the connection to the session's state. Returns whether that takes something: then the client's request must wait for
   * it. A reset that is due goes along.
   */
  bring(memory: SqlServerMemory): boolean {
    const { wanted } = this.#parts.tracker;
    let way = wanted.wayFrom(memory.state, memory.beginning);
    if (way === RESET) {
      memory.reset();
      way = wanted.wayFrom(memory.state, memory.beginning);
    }
    memory.state = wanted;
    if (way === undefined || way === RESET) return false;
    const isReset = memory.resetDue;
    this.#batch(memory, way, ({ errors: [error] }) => {
      if (error === undefined) return;
      // Where it cannot be brought from what it was, it may be from the beginning.
      if (isReset) this.#parts.party.sink.fail({ name: 'restoreFailed', detail: error.message });
      else memory.reset();
    });
    return true;
  }

  /**
   * Prepares a statement that the connection does not have, in the state in which it was first prepared: the connection need not be
   * in the session's state afterwards. `failed` gets what the database has said, for the client.
   */
  prepare(memory: SqlServerMemory, template: Template, failed: (tokens: Uint8Array) => void): void {
    const { state, beginning } = memory;
    const read = inReading(state, template.reading);
    const way = read.wayFrom(state, beginning);
    const cannot = way === RESET || state.wayFrom(read, beginning) === RESET;
    if (way === undefined || cannot) return this.#prepare(memory, template, failed);
    memory.state = read;
    this.#batch(memory, way, ({ errors: [problem] }) => {
      if (problem === undefined) this.#prepare(memory, template, failed);
      else this.#parts.party.sink.fail({ name: 'restoreFailed', detail: problem.message });
    });
  }

  #prepare(
    memory: SqlServerMemory,
    template: Template,
    failed: (tokens: Uint8Array) => void,
  ): void {
    const call = rpcCall(
      procedure.prepare,
      [OUT_HANDLE, { text: template.parameters }, { text: template.text }, { int: 1 }],
      memory.transaction,
      memory.tdsVersion,
    );
    this.#send(memory, packetType.rpc, call, (results) => {
      const [handle] = results.returnValues;
      if (typeof handle === 'number' && handle !== 0) memory.prepared.add(template, handle);
      else failed(errorsOf(results, memory.tdsVersion));
    });
  }

  /** Closes statements that are too many. */
  close(memory: SqlServerMemory, handles: readonly number[]): void {
    const [version, transaction] = [memory.tdsVersion, memory.transaction];
    const calls = handles.map((int) => ({ procedure: procedure.unprepare, arguments: [{ int }] }));
    this.#send(memory, packetType.rpc, rpcCalls(calls, transaction, version), nothing);
  }

  /** Asks what the session has left behind. */
  ask(memory: SqlServerMemory, question: Question): void {
    this.#batch(memory, question.sql, (results) => {
      const next = this.#parts.tracker.answered(memory, question, results);
      if (next !== undefined) this.ask(memory, next);
    });
  }

  #batch(memory: SqlServerMemory, sql: string, whenDone: (results: Results) => void): void {
    const payload = sqlBatch(sql, memory.transaction, memory.tdsVersion);
    this.#send(memory, packetType.sqlBatch, payload, whenDone);
  }

  #send(
    memory: SqlServerMemory,
    type: number,
    payload: Uint8Array,
    whenDone: (results: Results) => void,
  ): void {
    const status = memory.resetDue ? packetStatus.resetConnection : 0;
    memory.resetDue = false;
    this.#parts.replies.expectOwn(memory, whenDone);
    this.#parts.party.sink.toServer(message(type, payload, memory.packetBytes, status));
  }
}

const OUT_HANDLE: RpcArgument = { name: '', int: undefined, isOutput: true };

function nothing(): void {}

function errorsOf({ errors }: Results, version: number): Uint8Array {
  const status = doneStatus.error;
  const said = errors.map((one) => error(one, version));
  return concat([...said, done(token.doneProc, status, 0, 0n, version)]);
}
