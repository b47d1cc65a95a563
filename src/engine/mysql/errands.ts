import { concat, utf8 } from '../../base/bytes.ts';
import { capability } from '../../wire/mysql/capabilities.ts';
import { command } from '../../wire/mysql/commands.ts';
import { packet } from '../../wire/mysql/framing.ts';
import type { SessionChange } from '../../wire/mysql/session-track.ts';
import type { MysqlMemory } from './memory.ts';
import { lacksMetadata, readOnlyRow } from './own.ts';
import type { Party } from './party.ts';
import type { Replies } from './replies.ts';
import type { Shape } from './reply.ts';
import { shape } from './reply.ts';
import { query } from './ask.ts';
import type { SessionState, Way } from './state.ts';
import { UNKNOWN } from './state.ts';
import type { Question } from './question.ts';
import type { Tracker } from './tracker.ts';

interface Parts {
  readonly party: Pick<Party, 'sink' | 'lastInsertId'>;
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
   *
   * @param isBack nobody else has been there since the session was
   */
  bring(memory: MysqlMemory, isBack: boolean): boolean {
    if (memory.mayOweReports && !isBack) {
      this.#collectReports(memory);
      return true;
    }
    return this.go(memory, this.#parts.tracker.wanted, nothing);
  }

  /**
   * Brings the connection to a state, and calls `then` when it is there: at once where it is already, and then returns false.
   * Where it cannot be brought there, `otherwise` hears why; without one the session ends.
   */
  go(
    memory: MysqlMemory,
    state: SessionState,
    then: () => void,
    otherwise?: (error: Uint8Array) => void,
  ): boolean {
    const way = state.wayFrom(memory.state, memory.beginning);
    memory.state = state;
    if (way === undefined) then();
    else this.#take(way, memory, then, otherwise ?? ((error) => this.#failed(error)));
    return way !== undefined;
  }

  #take(
    way: Way,
    memory: MysqlMemory,
    then: () => void,
    otherwise: (error: Uint8Array) => void,
  ): void {
    const { party, replies } = this.#parts;
    const commands = commandsOf(way, memory);
    let problem: Uint8Array | undefined;
    for (let left = commands.length; left > 0; left -= 1) {
      const done = (error: Uint8Array | undefined): void => {
        problem ??= error;
        if (left > 1) return;
        if (problem === undefined) then();
        else otherwise(problem);
      };
      replies.expectOwn({ shape: shape.ok, packets: [], done });
    }
    party.sink.toServer(concat(commands));
  }

  /** Makes LAST_INSERT_ID() what it is to the session. */
  recallLastInsertId(memory: MysqlMemory): void {
    const done = (error: Uint8Array | undefined): void => {
      if (error !== undefined) this.#failed(error);
    };
    const { lastInsertId } = this.#parts.party;
    memory.lastInsertId.bring(lastInsertId);
    this.send(ourQuery(`SET last_insert_id = ${lastInsertId}`, memory), shape.ok, done);
  }

  /** What an error has kept the database from telling is nobody's: it is undone on the way to the next session's state. */
  #collectReports(memory: MysqlMemory): void {
    const done = (error: Uint8Array | undefined): void => {
      if (error !== undefined) this.#failed(error);
    };
    const reported = (changes: readonly SessionChange[]): void => {
      for (const change of changes) {
        if (change.kind === 'schema') memory.state = memory.state.in(change.name);
        else if (change.kind === 'systemVariable')
          memory.state = memory.state.with([[change.name, UNKNOWN]]);
      }
    };
    this.#parts.replies.expectOwn({ shape: shape.ok, packets: [], done, reported });
    this.#parts.party.sink.toServer(ourQuery('DO 0', memory));
  }

  /** Asks what variables are. */
  ask(memory: MysqlMemory, question: Question): void {
    this.send(ourQuery(question.sql, memory), shape.results, (error, packets) => {
      const { tracker } = this.#parts;
      if (error === undefined && lacksMetadata(packets, memory.capabilities)) {
        // The session has asked for that: what its variables are cannot be told.
        tracker.pin('setting', METADATA);
        return;
      }
      const row =
        error === undefined ? (readOnlyRow(packets, memory.capabilities) ?? 'none') : undefined;
      for (const next of tracker.answered(memory, question, row)) this.ask(memory, next);
    });
  }

  /** Sends a command. `done` gets the packets of its reply, and the last of them alone where it is an error. */
  send(
    bytes: Uint8Array,
    of: Shape,
    done: (error: Uint8Array | undefined, packets: readonly Uint8Array[]) => void,
  ): void {
    const packets: Uint8Array[] = [];
    this.#parts.replies.expectOwn({ shape: of, packets, done: (error) => done(error, packets) });
    this.#parts.party.sink.toServer(bytes);
  }

  #failed(error: Uint8Array): void {
    this.#parts.party.sink.fail({ name: 'restoreFailed', original: error });
  }
}

const METADATA = 'resultset_metadata';

function nothing(): void {}

/** COM_SET_OPTION, with its words for yes and no. */
function severalStatements(wanted: string, { capabilities: { flags } }: MysqlMemory): Uint8Array {
  const isOn = wanted === '' ? (flags & capability.multiStatements) !== 0 : wanted === 'ON';
  return Uint8Array.of(command.setOption, isOn ? 0 : 1, 0);
}

function ourQuery(sql: string, { capabilities }: MysqlMemory): Uint8Array {
  return packet(0, query(sql, capabilities));
}

function commandsOf(way: Way, memory: MysqlMemory): readonly Uint8Array[] {
  const { several, schema, sql } = way;
  return [
    ...(several === undefined ? [] : [packet(0, severalStatements(several, memory))]),
    ...(schema === undefined ? [] : [packet(0, Uint8Array.of(command.initDb), utf8(schema))]),
    ...(sql === undefined ? [] : [ourQuery(sql, memory)]),
  ];
}
