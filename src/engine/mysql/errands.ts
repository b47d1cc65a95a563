import { utf8 } from '../../base/bytes.ts';
import type { RelaySink } from '../../core/engine.ts';
import { command } from '../../wire/mysql/commands.ts';
import { packet } from '../../wire/mysql/framing.ts';
import type { SessionChange } from '../../wire/mysql/session-track.ts';
import type { MysqlMemory } from './memory.ts';
import { readOnlyRow } from './own.ts';
import type { Replies } from './replies.ts';
import { shape } from './reply.ts';
import type { Question, Tracker } from './tracker.ts';

interface Parts {
  readonly sink: Pick<RelaySink, 'toServer' | 'fail'>;
  readonly tracker: Tracker;
  readonly replies: Replies;
}

/** What we ask of the database ourselves, between two commands of the client's. */
export class Errands {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /**
   * Brings the connection to the session's state. Returns whether that takes something: then the client's command must wait for
   * it, for the database would run it whether or not we have failed (traps MY-51, MY-58).
   */
  bring(memory: MysqlMemory, session: object): boolean {
    const { sink, tracker, replies } = this.#parts;
    if (memory.mayOweReports && memory.lastUsedBy !== session) {
      this.#collectReports(memory);
      return true;
    }
    const { wanted } = tracker;
    const way = wanted.wayFrom(memory.state, memory.beginning);
    memory.state = wanted;
    if (way === undefined) return false;
    sink.toServer(way.bytes);
    for (let count = 0; count < way.commands; count += 1) {
      replies.expectOwn({
        shape: shape.ok,
        packets: [],
        done: (error) => {
          if (error !== undefined) sink.fail({ name: 'restoreFailed', original: error });
        },
      });
    }
    return true;
  }

  /** What an error has kept the database from telling is nobody's: it is taken back on the way to the next session's state. */
  #collectReports(memory: MysqlMemory): void {
    this.#send('DO 0', (error) => {
      if (error !== undefined)
        this.#parts.sink.fail({ name: 'restoreFailed', original: error });
    }, (changes) => {
      for (const change of changes) {
        if (change.kind === 'schema') memory.state = memory.state.in(change.name);
        else if (change.kind === 'systemVariable')
          memory.state = memory.state.with([[change.name, UNKNOWN]]);
      }
    });
  }

  /** Asks what variables are. */
  ask(memory: MysqlMemory, question: Question): void {
    const packets: Uint8Array[] = [];
    const done = (error: Uint8Array | undefined): void => {
      const row = error === undefined ? readOnlyRow(packets, memory.capabilities) : undefined;
      for (const next of this.#parts.tracker.answered(memory, question, row))
        this.ask(memory, next);
    };
    this.#parts.replies.expectOwn({ shape: shape.results, packets, done });
    this.#parts.sink.toServer(query(question.sql));
  }

  #send(
    sql: string,
    done: (error: Uint8Array | undefined) => void,
    reported: (changes: readonly SessionChange[]) => void,
  ): void {
    this.#parts.replies.expectOwn({ shape: shape.ok, packets: [], done, reported });
    this.#parts.sink.toServer(query(sql));
  }
}

/** A value that no session wants: it differs from all. */
const UNKNOWN = '';

function query(sql: string): Uint8Array {
  return packet(0, Uint8Array.of(command.query), utf8(sql));
}
