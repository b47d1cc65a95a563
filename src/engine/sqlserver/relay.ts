import { must, Violation } from '../../base/assert.ts';
import { Assembly } from '../../base/assembly.ts';
import { concat, EMPTY, u8 } from '../../base/bytes.ts';
import { limits } from '../../base/limits.ts';
import type { Fit, Relay, RelayOptions, RelaySink } from '../../core/engine.ts';
import type { Fault } from '../../core/fault.ts';
import type { Repacker } from '../../wire/tds/packets.ts';
import {
  HEADER_BYTES,
  MAX_PACKET_BYTES,
  packetBytes,
  packetStatus,
} from '../../wire/tds/packets.ts';
import { done, doneStatus, token } from '../../wire/tds/tokens.ts';
import { Cursors } from './cursors.ts';
import { Errands } from './errands.ts';
import { errorTokens, say } from './faults.ts';
import { Gathering, single } from './gathering.ts';
import type { SqlServerMemory } from './memory.ts';
import { answerCalls } from './own-answers.ts';
import type { Template } from './prepared.ts';
import type { SqlServerPrincipal } from './principal.ts';
import type { Hearer, Owed } from './replies.ts';
import { Replies, RESET_DONE } from './replies.ts';
import type { LongRequest, Parcel, Request } from './requests.ts';
import { asksForReset, inspect, isAttention, MARS_BYTE, wantsCoordinator } from './requests.ts';
import { Sending } from './sending.ts';
import { SessionState } from './state.ts';
import { Statements } from './statements.ts';
import { Tracker } from './tracker.ts';

/** What becomes of a packet of the client's: it has been dealt with, or waits where it is. */
type Verdict = 'taken' | 'hold';

/**
 * One session after login: a scanner over the client's packets. Its requests are served one at a time. A request is looked at when
 * all of it is there, waits for a connection in the session's state, and goes out as it came but for what `Sending` exchanges; what
 * comes back is `Replies`' part, and what we ask ourselves in between is `Errands`'.
 */
export class SqlServerRelay implements Relay<SqlServerMemory>, Hearer {
  readonly sink: RelaySink<SqlServerMemory, SqlServerPrincipal>;
  readonly #who: SqlServerPrincipal;
  readonly #welcome: SqlServerMemory;
  readonly #options: RelayOptions;
  readonly #tracker: Tracker;
  readonly #replies: Replies;
  readonly #errands: Errands;
  readonly #statements = new Statements();
  readonly #cursors = new Cursors();
  /** Packets that arrive in pieces; and a request of several. */
  #assembly: Assembly | undefined;
  #gathering: Gathering | undefined;
  /** What the request at hand is about, and how it goes out. */
  #request: Request | undefined;
  #sending: Sending | undefined;
  /** The rest of a long request, which is passed on as it arrives. */
  #upload: Repacker | undefined;
  /** Reads it. */
  #long: LongRequest | undefined;
  #memory: SqlServerMemory | undefined;
  /** Where the session was last, unless others have been there since: `SqlServerMemory.stay`. */
  #stay: number | undefined;
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

  constructor(
    sink: RelaySink<SqlServerMemory, SqlServerPrincipal>,
    who: SqlServerPrincipal,
    welcome: SqlServerMemory,
    options: RelayOptions,
  ) {
    this.sink = sink;
    this.#who = who;
    this.#welcome = welcome;
    this.#options = options;
    const wanted = SessionState.fresh(welcome.welcome.database);
    this.#tracker = new Tracker(sink, { options, wanted });
    this.#replies = new Replies(this);
    this.#errands = new Errands({ sink, tracker: this.#tracker, replies: this.#replies });
  }

  get packetBytes(): number {
    return this.#who.packetBytes;
  }

  get tdsVersion(): number {
    return this.#welcome.tdsVersion;
  }

  get quiet(): boolean {
    return this.#replies.nothingOwed && this.#upload === undefined;
  }

  get inTransaction(): boolean {
    return this.#busy && this.#memory !== undefined && this.#isTied(this.#memory);
  }

  get tidy(): boolean {
    return this.#replies.nothingOwed && !this.#tracker.hasWork;
  }

  /** What a DONE of ours says of the session's transaction: the same as the database's last one. */
  get #transactionBit(): number {
    if (!this.inTransaction) return 0;
    return (this.#memory?.reader?.lastDone ?? 0) & doneStatus.inTransaction;
  }

  get #asksForPrevious(): boolean {
    return this.#request?.effects?.asksForPrevious === true;
  }

  fit(memory: SqlServerMemory): Fit {
    if (this.#asksForPrevious) return this.#hasLeft(memory) ? 'as wanted' : 'other';
    if (memory.resetDue) return 'other';
    if (memory.state === this.#tracker.wanted) return 'as wanted';
    return memory.state.isFresh ? 'fresh' : 'other';
  }

  attached(memory: SqlServerMemory): void {
    this.#memory = memory;
    this.#busy = true;
    this.#isReady = false;
    const isKnown = !this.#asksForPrevious || this.#hasLeft(memory);
    if (memory.stay !== this.#stay) memory.stay = this.#stay = nextStay();
    // What a statement has left there is another session's. Those who ask for it keep their connection from here on.
    if (!isKnown && this.#request?.effects?.isUnsure !== true) this.#who.habits.add('previous');
    if (!isKnown || this.#mayAskForOthers(memory)) memory.reset();
  }

  /** Where it stays, it may ask for an identity that is not its own when it is too late for a reset. */
  #mayAskForOthers({ identityOf }: SqlServerMemory): boolean {
    return this.#who.habits.has('previous') && identityOf !== 0 && identityOf !== this.#stay;
  }

  /** What is asked for is what this session has left there, or nobody has. */
  #hasLeft(memory: SqlServerMemory): boolean {
    if (memory.stay !== this.#stay) return false;
    if (this.#request?.effects?.asksForIdentity !== true) return true;
    return memory.identityOf === 0 || memory.identityOf === this.#stay;
  }

  refuse(fault: Fault): void {
    this.#answer = this.#failed(fault);
  }

  lost(fault: Fault): Uint8Array {
    return this.#replies.canSpeak ? say(fault, this.tdsVersion) : EMPTY;
  }

  /** An attention goes the way of the request; here it can only be that the request has not gone yet. */
  cancel(): boolean {
    return false;
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
      return isIgnored ? this.#ignore() : this.#serve(single(bytes, at, length));
    }
    this.#gathering ??= new Gathering(u8(bytes, at), u8(bytes, at + 1));
    this.#gathering.add(bytes, at, length);
    if (!this.#gathering.isReady) return 'taken';
    return this.#gathering.isIgnored ? this.#ignore() : this.#serve(this.#gathering.parcel());
  }

  /** The client wants its request stopped (trap TD-08). */
  #attention(bytes: Uint8Array, at: number, length: number): Verdict {
    this.#isGivenUp = false;
    if (this.#replies.owesClient) {
      this.#replies.stopping();
      this.sink.toServer(bytes.subarray(at, at + length));
    } else this.#replies.sayStopped(this.#transactionBit);
    return 'taken';
  }

  /** The rest of a long request. */
  #goOn(upload: Repacker, bytes: Uint8Array, at: number, length: number): Verdict {
    const more = bytes.subarray(at + HEADER_BYTES, at + length);
    const known = this.#long?.reader.add(more) ?? more;
    this.#send(upload.add(known, 0, known.length));
    const status = u8(bytes, at + 1);
    if ((status & packetStatus.endOfMessage) === 0) return 'taken';
    this.#upload = undefined;
    if (this.#long !== undefined) this.#read(this.#long, upload, status);
    this.#send(upload.finish(status & packetStatus.ignore));
    return 'taken';
  }

  /** All of a long request has been read. What its client has called off is not run. */
  #read({ reader }: LongRequest, upload: Repacker, status: number): void {
    this.#long = undefined;
    const rest = reader.end();
    this.#send(upload.add(rest, 0, rest.length));
    const isIgnored = (status & packetStatus.ignore) !== 0;
    const effects = isIgnored ? undefined : reader.effects;
    const request = this.#request;
    if (request === undefined) return; // its reply has come before its end
    this.#request = { ...request, effects };
    this.#tracker.sent(effects, request.digest);
  }

  #send(bytes: Uint8Array): void {
    if (bytes.length > 0) this.sink.toServer(bytes);
  }

  /**
   * The client has called off its request before the database has heard of it (trap TD-09). Where it has done so by an attention,
   * that comes next and is answered, too: clients wait for both.
   */
  #ignore(): Verdict {
    this.#replies.say(this.#end());
    return this.#drop();
  }

  /** A request of which all is there that is looked at. */
  #serve(parcel: Parcel): Verdict {
    if (!this.#replies.nothingOwed) return 'hold';
    this.#isServing = false;
    // The attention comes next, and is answered by itself: clients wait for the end of a reply ahead of that.
    if (this.#isGivenUp) return this.#ignore();
    // Who begins anew has no use for what it keeps: what it leaves there is to be known as it is.
    if (this.#request === undefined && asksForReset(parcel.status)) this.#rise();
    if (!this.#replies.nothingOwed) return 'hold';
    const request = (this.#request ??= this.#look(parcel));
    const answer = this.#answer ?? this.#answerTo(request);
    if (answer !== undefined) return this.#say(answer);
    // Whoever waits must not wait for a client that has no use for what it keeps.
    if (!this.#asksForPrevious) this.#rise();
    if (!this.#replies.nothingOwed) return 'hold';
    if (!this.#busy && !this.sink.wantServer()) return 'hold';
    this.#busy = true;
    this.#isResting = false;
    const memory = must(this.#memory, 'a connection without a memory of it');
    if (!this.#isReady && this.#errands.bring(memory)) return this.#wait();
    this.#isReady = true;
    this.#isRelaxed = false;
    this.#sending ??= new Sending(request, this.#statements, memory, this.#tracker.wanted);
    const missing = this.#sending.missingOn(memory);
    if (missing !== undefined) {
      this.#errands.prepare(memory, missing, (tokens) => {
        this.#answer = tokens;
      });
      this.#isReady = memory.state === this.#tracker.wanted;
      return this.#wait();
    }
    this.#begin(memory, parcel, request, this.#sending);
    return 'taken';
  }

  #wait(): Verdict {
    this.#isServing = true;
    return 'hold';
  }

  #look(parcel: Parcel): Request {
    if (asksForReset(parcel.status)) this.#beginAnew();
    const { tdsVersion } = this;
    const { classifier } = this.#welcome.target;
    const statementOf = (handle: number): Template | undefined => this.#statements.at(handle);
    return inspect(parcel, { classifier, tdsVersion, statementOf });
  }

  /** What is answered without the database. */
  #answerTo(request: Request): Uint8Array | undefined {
    if (wantsCoordinator(request)) return this.#failed(NO_COORDINATOR);
    if (request.calls.length === 0) return undefined;
    const prepares = request.calls.some((call) => call.prepares !== undefined);
    if (prepares && this.#statements.isFull) return this.#failed(TOO_MANY);
    return answerCalls(request, this.#statements, {
      version: this.tdsVersion,
      inTransaction: this.inTransaction,
      transactionBit: this.#transactionBit,
    });
  }

  #failed(fault: Fault): Uint8Array {
    return concat([errorTokens(fault, this.tdsVersion), this.#end()]);
  }

  /** Of what has failed. */
  #end(): Uint8Array {
    const status = doneStatus.error | this.#transactionBit;
    return done(token.done, status, 0, 0n, this.tdsVersion);
  }

  #say(tokens: Uint8Array): Verdict {
    const hasReset = this.#reset !== undefined;
    this.#replies.say(hasReset ? concat([RESET_DONE.subarray(HEADER_BYTES), tokens]) : tokens);
    return this.#drop();
  }

  /** The request at hand is over, or will not be served. */
  #drop(): Verdict {
    this.#gathering = undefined;
    this.#request = undefined;
    this.#sending = undefined;
    this.#answer = undefined;
    this.#reset = undefined;
    return 'taken';
  }

  /** The connection has the session's state: the request goes out. */
  #begin(memory: SqlServerMemory, parcel: Parcel, request: Request, sending: Sending): void {
    const { status, reset } = this.#withReset(memory, parcel.status);
    this.#gathering = undefined;
    this.#awaitsRows = false;
    this.sink.request();
    this.#replies.expect(memory, { reset, handles: sending.handles });
    this.#tracker.sent(request.effects, request.digest);
    this.#tracker.measure(request.textBytes);
    if (request.calls.some(({ prepares }) => prepares !== undefined))
      this.#tracker.prepares(request.digest);
    this.#cursors.sent(request);
    const { long } = request;
    if (long === undefined) this.#upload = sending.send(this.sink, memory, parcel, status);
    else this.#beginLong(memory, { parcel, long, sending, status });
  }

  /** Sends as much of it as is known; how it goes on is seen as it passes. */
  #beginLong(
    memory: SqlServerMemory,
    parts: { parcel: Parcel; long: LongRequest; sending: Sending; status: number },
  ): void {
    const { parcel, long, sending, status } = parts;
    const end = parcel.start + long.from;
    const upload = sending.send(this.sink, memory, { ...parcel, end }, status);
    this.#upload = upload;
    this.#long = long;
    long.exchange = (call, bytes) => sending.exchangeLate(memory, call, bytes);
    if (end === parcel.end) return;
    const known = long.reader.add(parcel.bytes.subarray(end, parcel.end));
    if (upload !== undefined) this.#send(upload.add(known, 0, known.length));
  }

  /** The status of the first packet, and what the client hears of a reset. */
  #withReset(
    memory: SqlServerMemory,
    asked: number,
  ): { readonly status: number; readonly reset: Owed['reset'] } {
    const reset = this.#reset;
    this.#reset = undefined;
    if (reset === 'on its connection') {
      memory.resetSkipsTransaction = (asked & packetStatus.resetConnection) === 0;
      return { status: asked, reset: 'pass' };
    }
    const status = asked & ~RESETS;
    if (!memory.resetDue) return { status, reset: reset === undefined ? 'pass' : 'say' };
    memory.resetDue = false;
    return {
      status: status | packetStatus.resetConnection,
      reset: reset === undefined ? 'hide' : 'pass',
    };
  }

  /**
   * The client begins anew, as drivers' pools do for whoever comes next: with nothing set and nothing prepared. What it has on a
   * connection the database resets (trap TD-04); where it has nothing there is nothing to reset.
   */
  #beginAnew(): void {
    const memory = this.#memory;
    this.#reset = memory === undefined ? 'of nothing' : 'on its connection';
    this.#tracker.begin(this.#welcome.target);
    this.#statements.clear();
    this.#cursors.clear();
    this.#awaitsRows = false;
    if (memory === undefined) return;
    memory.wasReset();
    this.#isReady = true;
  }

  // ---- from the database --------------------------------------------------------------------------------------------

  fromServer(bytes: Uint8Array): void {
    const memory = this.#memory;
    if (memory === undefined) throw new Violation('a reply without a request');
    const owedClient = this.#replies.owesClient;
    this.#replies.relay(memory, bytes);
    if (!this.#replies.nothingOwed) return;
    if (owedClient) this.#ended(memory);
    this.#settle();
    if (!this.#holding || !this.#replies.nothingOwed) return;
    this.#holding = false;
    this.sink.again();
  }

  changed(type: number, bytes: Uint8Array, start: number, end: number): void {
    if (this.#memory !== undefined) this.#tracker.envChanged(this.#memory, type, bytes, start, end);
  }

  called(call: number): void {
    if (this.#memory !== undefined) this.#sending?.called(this.#memory, call);
  }

  prepared(call: number, original: number | undefined): void {
    if (this.#memory !== undefined) this.#sending?.prepared(this.#memory, call, original);
  }

  /** The reply to the client's request is over. */
  #ended(memory: SqlServerMemory): void {
    const request = this.#request;
    const isError = this.#replies.hadError;
    this.#tracker.ended(memory, { isError });
    if (this.#cursors.ended(isError)) {
      if (this.#cursors.isEmpty) this.#tracker.unpin('cursor');
      else this.#tracker.pin('cursor', request?.digest() ?? '');
    }
    const { startsBulkLoad = false, isUnsure = false, mayInsert = false } = request?.effects ?? {};
    this.#awaitsRows = startsBulkLoad && !isUnsure && !isError;
    const hasInserted = mayInsert && (!isError || this.#replies.hasInserted);
    if (hasInserted) memory.identityOf = memory.stay;
    this.#lingers = hasInserted && this.#who.habits.has('previous');
    this.#request = undefined;
    this.#sending = undefined;
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
    const memory = this.#memory;
    if (!this.#busy || memory === undefined || !this.#replies.nothingOwed) return;
    if (this.#isServing || this.#upload !== undefined || this.#awaitsRows) return;
    if (this.#isTied(memory) && !this.#tracker.doubtsTransaction) return;
    const question = this.#tracker.question(memory);
    if (question !== undefined) {
      this.#errands.ask(memory, question);
      return;
    }
    if (this.#isTied(memory)) return;
    if (this.#lingers && !this.#isRelaxed) {
      this.#busy = false;
      this.#isResting = true;
      this.sink.rest();
      return;
    }
    const surplus = memory.prepared.takeSurplus(this.#options.maxPreparedStatements);
    if (surplus.length > 0) {
      this.#errands.close(memory, surplus);
      return;
    }
    this.#busy = false;
    if (memory.state !== this.#tracker.wanted) this.#isReady = false;
    if (!this.#tracker.isPinned) this.#memory = undefined;
    this.sink.boundary();
  }
}

const RESETS = packetStatus.resetConnection | packetStatus.resetConnectionSkipTran;

const NO_COORDINATOR: Fault = {
  name: 'unsupported',
  detail: 'distributed transactions (MS DTC) cannot be joined through the proxy.',
};

const TOO_MANY: Fault = { name: 'tooManyStatements', limit: limits.sessionStatements.value };

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
