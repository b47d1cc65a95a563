import { must, Violation } from '../../base/assert.ts';
import { Assembly } from '../../base/assembly.ts';
import { concat, u8 } from '../../base/bytes.ts';
import { limits } from '../../base/limits.ts';
import type { Fit } from '../../core/engine.ts';
import type { Fault } from '../../core/fault.ts';
import {
  HEADER_BYTES,
  MAX_PACKET_BYTES,
  packetBytes,
  packetStatus,
  packetType,
} from '../../wire/tds/packets.ts';
import { done, doneStatus, token } from '../../wire/tds/tokens.ts';
import { Crew } from './crew.ts';
import { errorTokens } from './faults.ts';
import { Gathering, Single } from './gathering.ts';
import type { SqlServerMemory } from './memory.ts';
import { answerCalls } from './own-answers.ts';
import type { Party } from './party.ts';
import { RESET_DONE } from './replies.ts';
import type { Parcel, Request } from './requests.ts';
import { asksForReset, isAttention, MARS_BYTE, NO_CALLS, wantsCoordinator } from './requests.ts';
import { NO_STATEMENTS } from './statements.ts';
import type { Upload } from './upload.ts';

/** What becomes of a packet of the client's: it has been dealt with, or waits where it is. */
type Verdict = 'taken' | 'hold';

/**
 * Serves a session while it has something under way: a scanner over the client's packets. Requests are served one at a time. A request
 * is looked at when all of it is there, waits for a connection in the session's state, and goes out as it came but for what `Sending`
 * exchanges; what comes back is `Replies`' part, and what we ask ourselves in between is `Errands`'.
 *
 * Few of thousands of sessions are busy at a time: these use the same few services in turn, which stay in the processor's caches.
 */
export class Service {
  readonly #crew: Crew;
  /** Packets that arrive in pieces; and a request of several. */
  #assembly: Assembly | undefined;
  #gathering: Gathering | undefined;
  /** A request of one packet. */
  readonly #single = new Single();
  /** The request at hand has been looked at; and it is known how it goes out. */
  #isKnown = false;
  #isSending = false;
  /** The rest of a long request, which is passed on as it arrives. */
  #upload: Upload | undefined;
  /** A request is under way, or a transaction. */
  #busy = false;
  /** The request is over, and the session keeps its connection for the moment; it has kept it for long enough. */
  #isResting = false;
  #isRelaxed = false;
  /** The connection is as the session wants it. */
  #isReady = false;
  /** A request waits: for a connection, or for what we ask ourselves, which is being prepared for it. */
  #holding = false;
  #isServing = false;
  /** What has come behind the request that waits has been looked at; and it was an attention. */
  #isOverheard = false;
  #isGivenUp = false;
  /** What the request that waited is answered with, in place of being served. */
  #answer: Uint8Array | undefined;
  /** The client has asked for a reset with the request at hand: of what it has on its connection, or it has nothing on any. */
  #reset: 'on its connection' | 'of nothing' | undefined;
  /** `INSERT BULK` has been answered: the rows come next, in a message of their own. */
  #awaitsRows = false;
  /** The client may ask for what the last statement has left behind, which anything else would wipe out. */
  #lingers = false;

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
    this.#isServing = false;
    this.#isOverheard = false;
    this.#isGivenUp = false;
    this.#awaitsRows = false;
    this.#lingers = false;
    this.#single.forget();
    this.#crew.forget();
    if (spare.length < SPARES) spare.push(this);
  }

  /** The session has nothing under way and no connection: only then may somebody else be served. */
  get isClear(): boolean {
    return (
      !this.#holding &&
      !this.#busy &&
      !this.#isKnown &&
      this.#assembly === undefined &&
      this.#gathering === undefined &&
      this.#upload === undefined &&
      this.#answer === undefined &&
      this.#reset === undefined &&
      this.#crew.isClear
    );
  }

  get #party(): Party {
    return this.#crew.party;
  }

  get quiet(): boolean {
    return this.#crew.replies.nothingOwed && this.#upload === undefined;
  }

  get inTransaction(): boolean {
    const { memory } = this.#crew;
    return this.#busy && memory !== undefined && this.#isTied(memory);
  }

  get tidy(): boolean {
    return this.#crew.replies.nothingOwed && !this.#crew.tracker.hasWork;
  }

  /** An error of ours would be understood. */
  get canSpeak(): boolean {
    return this.#crew.replies.canSpeak;
  }

  /** What a DONE of ours says of the session's transaction: the same as the database's last one. */
  get #transactionBit(): number {
    if (!this.inTransaction) return 0;
    return (this.#crew.memory?.reader?.lastDone ?? 0) & doneStatus.inTransaction;
  }

  get #asksForPrevious(): boolean {
    return this.#isKnown && this.#crew.request.effects?.asksForPrevious === true;
  }

  fit(memory: SqlServerMemory): Fit {
    if (this.#asksForPrevious) return this.#hasLeft(memory) ? 'as wanted' : 'other';
    if (memory.resetDue) return 'other';
    if (memory.state === this.#party.wanted) return 'as wanted';
    return memory.state.isFresh ? 'fresh' : 'other';
  }

  attached(memory: SqlServerMemory): void {
    const party = this.#party;
    this.#crew.memory = memory;
    this.#busy = true;
    this.#isReady = false;
    const isKnown = !this.#asksForPrevious || this.#hasLeft(memory);
    if (memory.stay !== party.stay) memory.stay = party.stay = nextStay();
    // What a statement has left there is another session's. Those who ask for it keep their connection from here on.
    if (!isKnown && this.#crew.request.effects?.isUnsure !== true) party.who.habits.add('previous');
    if (!isKnown || this.#mayAskForOthers(memory)) memory.reset();
  }

  /** Where it stays, it may ask for an identity that is not its own when it is too late for a reset. */
  #mayAskForOthers({ identityOf }: SqlServerMemory): boolean {
    const { stay, who } = this.#party;
    return identityOf !== 0 && identityOf !== stay && who.habits.has('previous');
  }

  /** What is asked for is what this session has left there, or nobody has. */
  #hasLeft(memory: SqlServerMemory): boolean {
    const { stay } = this.#party;
    if (memory.stay !== stay) return false;
    if (this.#crew.request.effects?.asksForIdentity !== true) return true;
    return memory.identityOf === 0 || memory.identityOf === stay;
  }

  refuse(fault: Fault): void {
    this.#answer = this.#failed(fault);
  }

  relax(): void {
    if (!this.#holding) this.#rise();
  }

  // ---- from the client ----------------------------------------------------------------------------------------------

  fromClient(given: Uint8Array): number {
    const early = this.#assembly?.length ?? 0;
    const bytes = this.#assembly?.join(given) ?? given;
    let at = 0;
    while (bytes.length - at >= HEADER_BYTES) {
      const length = lengthAt(bytes, at);
      if (bytes.length - at < length) break;
      if (this.#packet(bytes, at, length) === 'hold') return this.#holdAt(bytes, at, early);
      at += length;
    }
    if (at < bytes.length) (this.#assembly ??= new Assembly()).keep(bytes, at);
    else this.#assembly = undefined;
    this.#holding = false;
    this.#settle();
    return given.length;
  }

  givesUp(bytes: Uint8Array): boolean {
    if (!this.#holding || this.#isOverheard || bytes.length === 0) return false;
    this.#isOverheard = true;
    this.#isGivenUp = isAttention(bytes, 0);
    return this.#isGivenUp;
  }

  /** Leaves the packet at `at` where it is. Returns how much of what was given has been dealt with. */
  #holdAt(bytes: Uint8Array, at: number, early: number): number {
    this.#holding = true;
    const next = at + lengthAt(bytes, at);
    this.#isOverheard = next < bytes.length;
    if (this.#isOverheard) this.#isGivenUp = isAttention(bytes, next);
    if (at < early) this.#assembly?.keep(bytes.subarray(0, early), at);
    else this.#assembly = undefined;
    return Math.max(0, at - early);
  }

  #packet(bytes: Uint8Array, at: number, length: number): Verdict {
    if (isAttention(bytes, at)) return this.#attention(bytes, at, length);
    if (this.#upload !== undefined) return this.#goOn(this.#upload, bytes, at, length);
    const status = u8(bytes, at + 1);
    const isLast = (status & packetStatus.endOfMessage) !== 0;
    if (this.#gathering === undefined && isLast) {
      const isIgnored = (status & packetStatus.ignore) !== 0;
      return isIgnored ? this.#ignore() : this.#serve(this.#single.of(bytes, at, length));
    }
    this.#gathering ??= new Gathering(u8(bytes, at), u8(bytes, at + 1));
    this.#gathering.add(bytes, at, length);
    if (!this.#gathering.isReady) return 'taken';
    return this.#gathering.isIgnored ? this.#ignore() : this.#serve(this.#gathering.parcel());
  }

  /** The client wants its request stopped (trap TD-08). */
  #attention(bytes: Uint8Array, at: number, length: number): Verdict {
    this.#isGivenUp = false;
    if (this.#crew.replies.owesClient) {
      this.#crew.replies.stopping();
      this.#party.sink.toServer(bytes.subarray(at, at + length));
    } else this.#crew.replies.sayStopped(this.#transactionBit);
    return 'taken';
  }

  /** The rest of a long request. What its client has called off is not run. */
  #goOn(upload: Upload, bytes: Uint8Array, at: number, length: number): Verdict {
    upload.add(bytes.subarray(at + HEADER_BYTES, at + length));
    const status = u8(bytes, at + 1);
    if ((status & packetStatus.endOfMessage) === 0) return 'taken';
    this.#upload = undefined;
    const ignored = status & packetStatus.ignore;
    upload.end(ignored);
    // Its reply may have come before its end.
    if (upload.isRead && this.#isKnown) {
      const { request, tracker } = this.#crew;
      request.effects = ignored === 0 ? upload.effects : undefined;
      tracker.sent(request.effects, request.digest);
    }
    return 'taken';
  }

  /**
   * The client has called off its request before the database has heard of it (trap TD-09). Where it has done so by an attention,
   * that comes next and is answered, too: clients wait for both.
   */
  #ignore(): Verdict {
    this.#crew.replies.say(this.#end());
    return this.#drop();
  }

  /** A request of which all is there that is looked at. */
  #serve(parcel: Parcel): Verdict {
    if (!this.#crew.replies.nothingOwed) return 'hold';
    this.#isServing = false;
    // The attention comes next, and is answered by itself: clients wait for the end of a reply ahead of that.
    if (this.#isGivenUp) return this.#ignore();
    // Who begins anew has no use for what it keeps: what it leaves there is to be known as it is.
    if (!this.#isKnown && asksForReset(parcel.status)) this.#rise();
    if (!this.#crew.replies.nothingOwed) return 'hold';
    if (!this.#isKnown && this.#mustAskBefore(parcel)) return this.#wait();
    if (!this.#isKnown) this.#look(parcel);
    const answer = this.#answer ?? this.#ownAnswer();
    if (answer !== undefined) return this.#say(answer);
    // Whoever waits must not wait for a client that has no use for what it keeps.
    if (this.#isResting && !this.#asksForPrevious) this.#rise();
    if (!this.#crew.replies.nothingOwed) return 'hold';
    if (!this.#busy && !this.#party.sink.wantServer()) return 'hold';
    this.#busy = true;
    this.#isResting = false;
    const memory = must(this.#crew.memory, 'a connection without a memory of it');
    if (!this.#isReady && this.#crew.errands.bring(memory)) return this.#wait();
    this.#isReady = true;
    this.#isRelaxed = false;
    if (!this.#isSending) this.#crew.sending.begin(memory);
    this.#isSending = true;
    const missing = this.#crew.sending.missingOn(memory);
    if (missing !== undefined) {
      this.#crew.errands.prepare(memory, missing, (tokens) => {
        this.#answer = tokens;
      });
      this.#isReady = memory.state === this.#party.wanted;
      return this.#wait();
    }
    this.#begin(memory, parcel);
    return 'taken';
  }

  /** In a transaction: what a call prepares is read as the settings are. Returns whether the database is asked. */
  #mustAskBefore({ type, status }: Parcel): boolean {
    const { memory, tracker, errands } = this.#crew;
    if (!this.#busy || memory === undefined) return false;
    if (type !== packetType.rpc || asksForReset(status)) return false;
    const question = tracker.unsettled(memory);
    if (question !== undefined) errands.ask(memory, question);
    return question !== undefined;
  }

  #wait(): Verdict {
    this.#isServing = true;
    return 'hold';
  }

  #look(parcel: Parcel): void {
    if (asksForReset(parcel.status)) this.#beginAnew();
    const { tdsVersion, welcome, statements = NO_STATEMENTS } = this.#party;
    const { classifier } = welcome.target;
    const { inspector, request } = this.#crew;
    inspector.inspect(parcel, { classifier, tdsVersion, statements }, request);
    this.#isKnown = true;
  }

  /** What is answered without the database. */
  #ownAnswer(): Uint8Array | undefined {
    const { request } = this.#crew;
    if (wantsCoordinator(request)) return this.#failed(NO_COORDINATOR);
    if (request.calls.length === 0) return undefined;
    const { statements } = this.#party;
    if (statements?.isFull === true && prepares(request)) return this.#failed(TOO_MANY);
    return answerCalls(request, statements ?? NO_STATEMENTS, {
      version: this.#party.tdsVersion,
      inTransaction: this.inTransaction,
      transactionBit: this.#transactionBit,
    });
  }

  #failed(fault: Fault): Uint8Array {
    return concat([errorTokens(fault, this.#party.tdsVersion), this.#end()]);
  }

  /** Of what has failed. */
  #end(): Uint8Array {
    const status = doneStatus.error | this.#transactionBit;
    return done(token.done, status, 0, 0n, this.#party.tdsVersion);
  }

  #say(tokens: Uint8Array): Verdict {
    const hasReset = this.#reset !== undefined;
    this.#crew.replies.say(hasReset ? concat([RESET_DONE.subarray(HEADER_BYTES), tokens]) : tokens);
    return this.#drop();
  }

  /** The request at hand is over, or will not be served. */
  #drop(): Verdict {
    this.#gathering = undefined;
    this.#isKnown = false;
    this.#isSending = false;
    this.#answer = undefined;
    this.#reset = undefined;
    return 'taken';
  }

  /** The connection has the session's state: the request goes out. */
  #begin(memory: SqlServerMemory, parcel: Parcel): void {
    const { replies, tracker, cursors, sending, request } = this.#crew;
    const reset = this.#reset;
    this.#reset = undefined;
    this.#gathering = undefined;
    this.#awaitsRows = false;
    this.#party.sink.request();
    const asked = parcel.status;
    let status = asked;
    if (reset === 'on its connection') {
      memory.resetSkipsTransaction = (asked & packetStatus.resetConnection) === 0;
      replies.expect(memory, 'pass');
    } else if (memory.resetDue) {
      memory.resetDue = false;
      status = (asked & ~RESETS) | packetStatus.resetConnection;
      replies.expect(memory, reset === undefined ? 'hide' : 'pass');
    } else {
      status = asked & ~RESETS;
      replies.expect(memory, reset === undefined ? 'pass' : 'say');
    }
    tracker.sent(request.effects, request.digest);
    tracker.measure(request.textBytes);
    if (prepares(request)) tracker.prepares(request.digest);
    cursors.sent(request);
    this.#upload = sending.send(memory, parcel, status);
  }

  /**
   * The client begins anew, as drivers' pools do for whoever comes next: with nothing set and nothing prepared. What it has on a
   * connection the database resets (trap TD-04); where it has nothing there is nothing to reset.
   */
  #beginAnew(): void {
    const { memory, tracker, cursors } = this.#crew;
    this.#reset = memory === undefined ? 'of nothing' : 'on its connection';
    tracker.begin(this.#party.welcome.target);
    this.#party.statements?.clear();
    cursors.clear();
    this.#awaitsRows = false;
    if (memory === undefined) {
      this.#party.stay = undefined; // what it has left anywhere is another's by now
      return;
    }
    memory.wasReset();
    this.#isReady = true;
  }

  // ---- from the database --------------------------------------------------------------------------------------------

  fromServer(bytes: Uint8Array): void {
    const { memory, replies } = this.#crew;
    if (memory === undefined) throw new Violation('a reply without a request');
    const owedClient = replies.owesClient;
    replies.relay(memory, bytes);
    if (!replies.nothingOwed) return;
    if (owedClient) this.#ended(memory);
    this.#settle();
    if (!this.#holding || !replies.nothingOwed) return;
    this.#holding = false;
    this.#party.sink.again();
  }

  /** The reply to the client's request is over. */
  #ended(memory: SqlServerMemory): void {
    const { tracker, cursors, request, replies } = this.#crew;
    const isError = replies.hadError;
    tracker.ended(memory, { isError });
    if (cursors.ended(isError)) {
      if (cursors.isEmpty) tracker.unpin('cursor');
      else tracker.pin('cursor', request.digest());
    }
    const effects = this.#isKnown ? request.effects : undefined;
    this.#isKnown = false;
    this.#isSending = false;
    this.#lingers = false;
    this.#awaitsRows = false;
    if (effects === undefined) return;
    this.#awaitsRows = effects.startsBulkLoad && !effects.isUnsure && !isError;
    if (!effects.mayInsert || (isError && !replies.hasInserted)) return;
    memory.identityOf = memory.stay;
    this.#lingers = this.#party.who.habits.has('previous');
  }

  /** Only this connection will do for what comes next. */
  #isTied(memory: SqlServerMemory): boolean {
    return memory.inTransaction || this.#awaitsRows;
  }

  /** Ends a rest: the connection goes, as soon as all is settled. */
  #rise(): void {
    if (!this.#isResting) return;
    this.#isResting = false;
    this.#isRelaxed = true;
    this.#busy = true;
    this.#settle();
  }

  /** The request may be over: the connection can go once it is known what it was left with. */
  #settle(): void {
    const { memory, replies, tracker, errands } = this.#crew;
    if (!this.#busy || memory === undefined || !replies.nothingOwed) return;
    if (this.#isServing || this.#upload !== undefined || this.#awaitsRows) return;
    if (this.#isTied(memory) && !tracker.doubtsTransaction) return;
    const question = tracker.question(memory);
    if (question !== undefined) {
      errands.ask(memory, question);
      return;
    }
    if (this.#isTied(memory)) return;
    if (this.#lingers && !this.#isRelaxed) {
      this.#busy = false;
      this.#isResting = true;
      this.#party.sink.rest();
      return;
    }
    const surplus = memory.prepared.takeSurplus(this.#party.options.maxPreparedStatements);
    if (surplus.length > 0) {
      errands.close(memory, surplus);
      return;
    }
    this.#busy = false;
    if (memory.state !== this.#party.wanted) this.#isReady = false;
    if (!tracker.isPinned) this.#crew.memory = undefined;
    this.#party.sink.boundary();
  }
}

const SPARES = 256;
const spare: Service[] = [];

const RESETS = packetStatus.resetConnection | packetStatus.resetConnectionSkipTran;

const NO_COORDINATOR: Fault = {
  name: 'unsupported',
  detail: 'distributed transactions (MS DTC) cannot be joined through the proxy.',
};

const TOO_MANY: Fault = { name: 'tooManyStatements', limit: limits.sessionStatements.value };

/** It prepares a statement. */
function prepares({ calls }: Request): boolean {
  return calls !== NO_CALLS && calls.some((call) => call.prepares !== undefined);
}

function lengthAt(bytes: Uint8Array, at: number): number {
  if (u8(bytes, at) === MARS_BYTE)
    throw new Violation('MARS (MultipleActiveResultSets) was not agreed on: turn it off');
  const length = packetBytes(bytes, at);
  if (length > MAX_PACKET_BYTES) throw new Violation(`a packet of ${length} bytes`);
  return length;
}

let stays = 0;

function nextStay(): number {
  stays += 1;
  return stays;
}
