import { Violation } from '../../base/assert.ts';
import { Assembly } from '../../base/assembly.ts';
import { EMPTY, u8 } from '../../base/bytes.ts';
import type { Fault } from '../../core/fault.ts';
import { command } from '../../wire/mysql/commands.ts';
import {
  HEADER_BYTES,
  MAX_PACKET_BYTES,
  packetBytes,
  sequenceNumber,
} from '../../wire/mysql/framing.ts';
import { serverStatus } from '../../wire/mysql/status-flags.ts';
import type { Changed } from './change-user.ts';
import { changeUser } from './change-user.ts';
import type { Verdict } from './commands.ts';
import { Crew } from './crew.ts';
import type { MysqlMemory } from './memory.ts';
import type { Party } from './party.ts';
import { beginAgain } from './party.ts';
import type { Place } from './place.ts';
import { compressionOf, withSchema } from './principal.ts';

/**
 * Serves a session while it has something under way: a scanner over the client's packets. Commands are served one at a time: the next
 * one stays where it is until the reply to the one before has ended. What a command means is `Commands`' part, what comes back is
 * `Replies`', and what we ask ourselves in between is `Errands`'.
 *
 * Few of thousands of sessions are busy at a time: these use the same few services in turn, which stay in the processor's caches.
 */
export class Service {
  #crew: Crew;
  /** A command that arrives in pieces. */
  #assembly: Assembly | undefined;
  #memory: MysqlMemory | undefined;
  /** Where the command at hand stands. */
  readonly #place: { -readonly [Part in keyof Place]: Place[Part] } = {
    bytes: EMPTY,
    start: 0,
    end: 0,
    length: 0,
  };
  /** The connection is still as the session left it. */
  #isBack = false;
  /** A request is under way, or a transaction. */
  #busy = false;
  /** The request is over, and the session keeps its connection for the moment: `lingers`. */
  #isResting = false;
  /** It has kept it for long enough, or the client asks for nothing that is there. */
  #isRelaxed = false;
  /** The connection is as the session wants it. */
  #isReady = false;
  /** Bytes still to come of the packet at hand; whether its payload goes on in the next one; whether all that is passed on. */
  #remaining = 0;
  #continues = false;
  #passing = true;
  /** A command waits: for the reply to the one before, for a connection, or for what we ask ourselves. */
  #holding = false;
  /** The connection is being prepared for the command that waits. */
  #isServing = false;
  /** So many bytes of a command that waits for a connection have been looked at. */
  #lookedAt = NONE;
  /** The request that waited will not be served. */
  #refusal: Fault | undefined;
  /** The client wants its request stopped, which the database has not come to yet. */
  #cancelDue = false;
  /** The client is talked to apart from all this. */
  #isTalking = false;

  private constructor(party: Party) {
    this.#crew = new Crew(party);
  }

  /** For this session, up to `release`. */
  static of(party: Party): Service {
    const service = spare.pop() ?? new Service(party);
    service.#crew.party = party;
    return service;
  }

  /** To be called once it is clear, by who has it. */
  release(): void {
    this.#isRelaxed = false;
    this.#isReady = false;
    this.#passing = true;
    this.#isServing = false;
    this.#lookedAt = NONE;
    this.#cancelDue = false;
    this.#place.bytes = EMPTY;
    this.#crew.forget();
    if (spare.length < SPARES) spare.push(this);
  }

  /** The session has nothing under way and no connection: only then may somebody else be served. */
  get isClear(): boolean {
    return (
      this.#memory === undefined &&
      !this.#holding &&
      !this.#busy &&
      !this.#isTalking &&
      !this.#inPayload &&
      this.#assembly === undefined &&
      this.#refusal === undefined &&
      this.#crew.isClear
    );
  }

  get #party(): Party {
    return this.#crew.party;
  }

  get quiet(): boolean {
    if (!this.#crew.replies.nothingOwed || (this.#passing && this.#inPayload)) return false;
    return this.#memory === undefined || !this.#memory.inMessage;
  }

  get inTransaction(): boolean {
    return this.#busy && this.#memory !== undefined && this.#isTied(this.#memory);
  }

  get tidy(): boolean {
    return this.#crew.replies.nothingOwed && !this.#crew.tracker.hasWork;
  }

  get #inPayload(): boolean {
    return this.#remaining > 0 || this.#continues;
  }

  /** The client waits for a reply, or for the rest of it, that the database owes. */
  get owesReply(): boolean {
    return this.#crew.replies.owesClient;
  }

  /** Of the next packet to the client; 0 between its commands. */
  get nextNumber(): number {
    return this.#crew.replies.sequence;
  }

  /** An error of ours would be understood: no packet is cut in two. */
  get canSpeak(): boolean {
    return this.#crew.replies.canSpeak;
  }

  /** Only the connection that the session had last can answer. */
  get prefersLast(): boolean {
    return this.#crew.commands.prefersLast;
  }

  attached(memory: MysqlMemory): void {
    const party = this.#party;
    this.#memory = memory;
    this.#busy = true;
    this.#isReady = false;
    this.#isBack = memory.stay === party.stay;
    if (this.#isBack) return;
    memory.stay = party.stay = nextStay();
    memory.lastInsertId.attached(party.lastInsertId);
  }

  fromClient(given: Uint8Array): number {
    const early = this.#assembly?.length ?? 0;
    const bytes = this.#assembly?.join(given) ?? given;
    const end = bytes.length;
    let at = Math.min(this.#remaining, end);
    this.#passRest(bytes, at);
    while (end - at >= HEADER_BYTES) {
      const length = packetBytes(bytes, at);
      const start = at + HEADER_BYTES;
      const bodyEnd = Math.min(start + length, end);
      if (this.#continues || this.#crew.replies.wantsFile) {
        this.#count(bytes, at);
        this.#pass(bytes, at, bodyEnd);
        if (this.#continues) {
          const isLast = length < MAX_PACKET_BYTES && start + length === bodyEnd;
          this.#crew.commands.stream(bytes, start, bodyEnd, isLast);
        }
        if (!this.#continues && length === 0) this.#crew.replies.fileSent();
      } else {
        if (length > 0 && start === end) break;
        const type = length === 0 ? -1 : u8(bytes, start);
        const place = this.#at(bytes, start, bodyEnd, length);
        if (bodyEnd - start < length) {
          const needed = this.#crew.commands.neededBytes(this.#memory, type, place);
          if (bodyEnd - start < needed) break;
        }
        if (type === command.quit) {
          if (!this.#crew.replies.nothingOwed) return this.#holdAt(bytes, at, early);
          this.#party.sink.finish();
          return given.length;
        }
        const verdict = this.#begin(type, place, at);
        if (verdict === 'hold') return this.#holdAt(bytes, at, early);
        if (verdict === 'talk') return this.#stopAt(bytes, bodyEnd, early);
        this.#passing = verdict === 'pass';
        this.#pass(bytes, at, bodyEnd);
      }
      this.#remaining = start + length - bodyEnd;
      this.#continues = length === MAX_PACKET_BYTES;
      if (!this.#continues) this.#crew.replies.heard();
      at = bodyEnd;
    }
    if (at < end) (this.#assembly ??= new Assembly()).keep(bytes, at);
    else this.#assembly = undefined;
    this.#settle();
    return given.length;
  }

  /** One object for all commands: none outlives the call that it is given to. */
  #at(bytes: Uint8Array, start: number, end: number, length: number): Place {
    const place = this.#place;
    place.bytes = bytes;
    place.start = start;
    place.end = end;
    place.length = length;
    return place;
  }

  fromServer(bytes: Uint8Array): void {
    const memory = this.#memory;
    if (memory === undefined) throw new Violation('a reply without a request');
    const owedClient = this.#crew.replies.owesClient;
    this.#crew.replies.relay(memory, bytes);
    if (this.#crew.replies.wantsFile) this.#party.sink.again(); // it may be here already
    if (!this.#crew.replies.nothingOwed) {
      if (this.#cancelDue && !this.#crew.replies.isApart) this.#cancelNow();
      return;
    }
    if (owedClient) this.#crew.commands.ended(memory, this.#crew.replies.last);
    this.#settle();
    if (!this.#holding || !this.#crew.replies.nothingOwed) return;
    this.#holding = false;
    this.#party.sink.again();
  }

  refuse(fault: Fault): void {
    this.#refusal = fault;
  }

  cancel(): boolean {
    const { owesClient, isApart } = this.#crew.replies;
    if (owesClient && !isApart) return true;
    this.#cancelDue = this.#holding;
    return false;
  }

  relax(): void {
    if (this.#holding) return;
    this.#rise();
  }

  /** Ends a rest: the connection goes, as soon as all is settled. */
  #rise(): void {
    if (!this.#isResting) return;
    this.#isResting = false;
    this.#isRelaxed = true;
    this.#busy = true;
    this.#settle();
  }

  /** The client begins again, in the schema that it is in: with nothing set, and nothing prepared (trap MY-25). */
  #reset(): Verdict {
    this.#surrender();
    const party = this.#party;
    beginAgain(party);
    this.#crew = new Crew(party);
    this.#crew.replies.asked();
    return this.#crew.commands.answerOk();
  }

  /** The client signs in anew. */
  #changeUser({ bytes, start, end, length }: Place): Verdict {
    if (end - start < length) throw new Violation(`COM_CHANGE_USER with ${length} bytes`);
    this.#surrender();
    const party = this.#party;
    const payload = bytes.slice(start, end);
    const begin = ({ who, welcome }: Changed): void => {
      this.#isTalking = false;
      party.begin(who, welcome);
      this.#crew = new Crew(party);
      party.sink.become(who);
    };
    this.#isTalking = true;
    party.sink.converse(function* talk(door) {
      begin(yield* changeUser(door, party.house, payload, party.who));
    });
    return 'talk';
  }

  /** What the session has left on its connection it needs no more. */
  #surrender(): void {
    this.#memory = undefined;
    this.#busy = false;
    this.#isResting = false;
    this.#isReady = false;
    this.#party.sink.surrender();
  }

  #cancelNow(): void {
    this.#cancelDue = false;
    this.#party.sink.cancelNow();
  }

  #passRest(bytes: Uint8Array, until: number): void {
    if (until === 0) return;
    this.#remaining -= until;
    this.#pass(bytes, 0, until);
    this.#crew.commands.stream(bytes, 0, until, !this.#inPayload);
  }

  #pass(bytes: Uint8Array, from: number, to: number): void {
    if (!this.#passing) return;
    const isWhole = from === 0 && to === bytes.length;
    this.#party.sink.toServer(isWhole ? bytes : bytes.subarray(from, to));
  }

  /** Leaves the command at `at` where it is. Returns how much of what was given has been dealt with. */
  #holdAt(bytes: Uint8Array, at: number, early: number): number {
    this.#holding = true;
    const taken = this.#stopAt(bytes, at, early);
    this.#settle();
    return taken;
  }

  #stopAt(bytes: Uint8Array, at: number, early: number): number {
    if (at < early) this.#assembly?.keep(bytes.subarray(0, early), at);
    else this.#assembly = undefined;
    return Math.max(0, at - early);
  }

  /** Under compression clients may number a file's packets after the compressed ones: the database's numbers are these. */
  #count(bytes: Uint8Array, at: number): void {
    const { replies } = this.#crew;
    if (this.#isCompressed && replies.wantsFile) bytes[at + 3] = replies.sequence;
    if (sequenceNumber(bytes, at) !== replies.sequence) throw outOfOrder();
    replies.count();
  }

  get #isCompressed(): boolean {
    return compressionOf(this.#party.who) !== undefined;
  }

  /** A command begins. */
  #begin(type: number, place: Place, at: number): Verdict {
    const { commands, errands, replies } = this.#crew;
    if (!replies.nothingOwed) return 'hold';
    this.#isServing = false;
    if (sequenceNumber(place.bytes, at) !== 0) throw outOfOrder();
    replies.asked();
    const refusal = this.#refusal;
    const isKnown = this.#lookedAt === place.end - place.start;
    this.#refusal = undefined;
    this.#lookedAt = NONE;
    if (refusal !== undefined) return commands.refuse(refusal);
    if (type === command.resetConnection) return this.#reset();
    if (type === command.changeUser) return this.#changeUser(place);
    if (!isKnown) {
      commands.look(type, place);
      const early = commands.early(this.#memory, type, place);
      if (early !== undefined) return early;
    }
    // Whoever waits must not wait for a client that has no use for what it keeps.
    if (this.#isResting && !commands.prefersLast) {
      this.#rise();
      if (!replies.nothingOwed) return 'hold';
    }
    if (!this.#busy) {
      if (!this.#party.sink.wantServer()) return this.#await(place);
      this.#busy = true;
    }
    this.#isResting = false;
    const memory = this.#memory;
    if (memory === undefined) throw new Violation('a connection without a memory of it');
    if (!this.#isReady && errands.bring(memory, this.#isBack)) return this.#serve();
    if (commands.recall(memory, type)) return this.#serve();
    this.#isReady = true;
    this.#isRelaxed = false;
    if (this.#cancelDue) {
      this.#cancelDue = false;
      return commands.refuse({ name: 'cancelled' });
    }
    const verdict = commands.begin(memory, type, place);
    return verdict === 'hold' ? this.#serve() : verdict;
  }

  /** Nothing comes in between: what has been found out about the command need not be found out again. */
  #await({ start, end }: Place): Verdict {
    this.#lookedAt = end - start;
    return 'hold';
  }

  #serve(): Verdict {
    this.#isServing = true;
    return 'hold';
  }

  /** Only this connection will do for what comes next. */
  #isTied(memory: MysqlMemory): boolean {
    return (
      (memory.status & serverStatus.inTransaction) !== 0 ||
      this.#crew.commands.mayBeInTransaction(memory) ||
      this.#crew.statements.isHeld ||
      this.#crew.tracker.hasOneShot
    );
  }

  /** The client may ask for what its last statement has left behind, which anything else would wipe out. */
  get #lingers(): boolean {
    return (
      this.#crew.commands.lingers || (this.#crew.tracker.hasWork && this.#crew.commands.hasWarnings)
    );
  }

  /** The request may be over: the connection can go once it is known what it was left with. */
  #settle(): void {
    const memory = this.#memory;
    if (!this.#busy || memory === undefined || !this.#crew.replies.nothingOwed) return;
    if (this.#inPayload && this.#passing) return;
    if (this.#isServing) return;
    if (this.#crew.commands.endsSession) {
      this.#party.sink.finish();
      return;
    }
    if (!this.#holding) this.#cancelDue = false;
    if (this.#isTied(memory)) return;
    if (!this.#isRelaxed && this.#lingers) {
      // It may leave at any moment, and its connection goes to those with whom it shares.
      this.#shareWithOthers(memory);
      this.#busy = false;
      this.#isResting = true;
      this.#party.sink.rest();
      return;
    }
    const question = this.#crew.tracker.question();
    if (question !== undefined) {
      this.#crew.errands.ask(memory, question);
      return;
    }
    this.#shareWithOthers(memory);
    this.#busy = false;
    if (memory.state !== this.#crew.tracker.wanted) this.#isReady = false;
    if (!this.#crew.tracker.isPinned) this.#memory = undefined;
    this.#party.sink.boundary();
  }

  /** Those who are in a schema share with others than those who are in none. */
  #shareWithOthers(memory: MysqlMemory): void {
    const { schema } = this.#crew.tracker.wanted;
    memory.isInSchema = schema !== undefined;
    if ((schema === undefined) === (this.#party.who.schema === undefined)) return;
    this.#party.who = withSchema(this.#party.who, schema);
    this.#party.sink.become(this.#party.who);
  }
}

const NONE = -1;
const SPARES = 256;
const spare: Service[] = [];

let stays = 0;

function nextStay(): number {
  stays += 1;
  return stays;
}

function outOfOrder(): Violation {
  return new Violation('packets out of order');
}
