import { Violation } from '../../base/assert.ts';
import { concat, EMPTY, i32be, u8 } from '../../base/bytes.ts';
import { limits } from '../../base/limits.ts';
import type { Fit, Relay, RelayOptions, RelaySink } from '../../core/engine.ts';
import type { Fault } from '../../core/fault.ts';
import { readyForQuery } from '../../wire/postgres/backend.ts';
import { checkMessageLength, HEADER_BYTES } from '../../wire/postgres/framing.ts';
import { query, sync } from '../../wire/postgres/frontend.ts';
import { frontend } from '../../wire/postgres/message-types.ts';
import { say } from './faults.ts';
import { owed } from './ledger.ts';
import type { PostgresMemory } from './memory.ts';
import { outfitOf } from './outfit.ts';
import { Parameters } from './parameters.ts';
import type { PostgresPrincipal } from './principal.ts';
import type { Way } from './state.ts';
import { both, FRESH, inside } from './state.ts';
import { SequenceGuard } from './sequence-guard.ts';
import { Statements } from './statements.ts';
import { Tracker } from './tracker.ts';
import type { Party } from './traffic.ts';
import { Traffic } from './traffic.ts';
import { NOBODYS } from './unnamed.ts';

/** What to do with a message of the client's. */
const pass = 0;
const drop = 1;
/** The message stays where it is: there is no connection yet, or it must wait for replies. */
const hold = 2;
/** The client says goodbye. */
const stop = 3;

/**
 * One session after login: a scanner over the client's messages. Runs of messages that need no thought go to the database
 * in one write; large ones stream through. What each message means is `Requests`' part, and what comes back is `Replies`'.
 */
export class PostgresRelay implements Relay<PostgresMemory>, Party {
  readonly sink: RelaySink;
  readonly tracker: Tracker;
  readonly statements: Statements;
  readonly parameters: Parameters;
  readonly sequences: SequenceGuard;
  /** Only while something is under way. */
  #traffic: Traffic | undefined;
  #memory: PostgresMemory | undefined;
  /** Brings the connection to the session's state: to be sent ahead of what comes next. */
  #way: Way | undefined;
  /** Bytes still to come of the current message, and whether they are passed on. */
  #remaining = 0;
  #passing = true;
  /** A request is under way, or a transaction. */
  #busy = false;
  /** Called, and not returned yet. */
  #atWork = false;
  /** A message waits for replies. */
  #holding = false;
  /** The request that waited will not be served: its messages are dropped up to its end. */
  #refusing: 'no' | 'from here' | 'to Sync' = 'no';
  /** The client wants its request stopped, which the database has not come to yet. */
  #cancelDue = false;

  constructor(
    sink: RelaySink,
    who: PostgresPrincipal,
    welcome: PostgresMemory,
    { pinning, maxPreparedStatements }: RelayOptions,
  ) {
    const outfit = outfitOf(who, welcome);
    this.sink = sink;
    this.tracker = new Tracker(sink, { pinning, login: who.user, outfit });
    this.statements = new Statements(this.tracker, welcome, maxPreparedStatements);
    this.parameters = new Parameters(this.tracker, outfit.told);
    this.sequences = new SequenceGuard(this.tracker, pinning === 'minimal');
  }

  get quiet(): boolean {
    if (this.#traffic?.isOver === false) return false;
    if (this.#remaining > 0 && this.#passing) return false;
    return this.#memory === undefined || !this.#memory.inMessage;
  }

  get inTransaction(): boolean {
    return this.#memory !== undefined && this.#memory.status !== 'I';
  }

  get tidy(): boolean {
    return this.#traffic?.ledger.isEmpty !== false && this.#memory?.unsettled !== true;
  }

  fit(memory: PostgresMemory): Fit {
    if (memory.state === this.tracker.wanted) return 'as wanted';
    return memory.state === FRESH ? 'fresh' : 'other';
  }

  get #open(): Traffic {
    if (this.#traffic === undefined) {
      this.#traffic = Traffic.of(this);
      this.statements.sitAt(this.#traffic);
    }
    return this.#traffic;
  }

  /** The relay can be called while it is at work: the pool may have an answer at once. Returns whether it is not. */
  #enter(): boolean {
    const isOutermost = !this.#atWork;
    this.#atWork = true;
    return isOutermost;
  }

  /** What the session has no need of any more goes to whoever needs it next. */
  #leave(): void {
    this.#atWork = false;
    if (this.#busy || this.#holding || this.#remaining > 0) return;
    const traffic = this.#traffic;
    if (traffic?.isClear !== true) return;
    this.#traffic = undefined;
    this.statements.sitAt(undefined);
    traffic.release();
  }

  attached(memory: PostgresMemory): void {
    this.#memory = memory;
    this.#busy = true;
    memory.status = 'I';
    const forgetting = this.sequences.attached(memory);
    this.statements.attached(memory);
    const { wanted } = this.tracker;
    this.#way = both(forgetting, wanted.wayFrom(memory.state));
    memory.state = wanted;
    if (this.#way !== undefined) return;
    const news = this.parameters.news(memory);
    if (news.length > 0) this.sink.toClient(news);
  }

  fromClient(given: Uint8Array): number {
    const isOutermost = this.#enter();
    const taken = this.#take(given);
    if (isOutermost) this.#leave();
    return taken;
  }

  #take(given: Uint8Array): number {
    const { assembly, outbox } = this.#open;
    const early = assembly.length;
    const bytes = early === 0 ? given : assembly.join(given);
    const end = bytes.length;
    outbox.open(bytes);
    let at = Math.min(this.#remaining, end);
    if (at > 0) this.#continue(bytes, at);
    while (end - at >= HEADER_BYTES) {
      const type = u8(bytes, at);
      const bodyBytes = checkMessageLength(i32be(bytes, at + 1));
      const start = at + HEADER_BYTES;
      if (start + bodyBytes > end && mustSeeMore(type, bytes, start, bodyBytes)) break;
      const bodyEnd = Math.min(start + bodyBytes, end);
      const verdict = this.#begin(type, bytes, at, bodyEnd, bodyBytes);
      if (verdict === stop) {
        outbox.close(at);
        this.sink.finish();
        return given.length;
      }
      if (verdict === hold) return this.#holdAt(bytes, at, early);
      this.#remaining = start + bodyBytes - bodyEnd;
      this.#passing = verdict === pass;
      if (verdict === drop) {
        outbox.upTo(at);
        outbox.resumeAt(bodyEnd);
      }
      at = bodyEnd;
    }
    outbox.close(at);
    if (at < end) assembly.keep(bytes, at);
    else if (early > 0) assembly.drop();
    this.#afterMessages();
    return given.length;
  }

  fromServer(bytes: Uint8Array): void {
    const isOutermost = this.#enter();
    this.#hear(bytes);
    if (isOutermost) this.#leave();
  }

  #hear(bytes: Uint8Array): void {
    const memory = this.#memory;
    if (memory === undefined) throw new Violation('a reply without a request');
    const { replies } = this.#open;
    replies.relay(memory, bytes);
    if (replies.farewell) return; // nobody else may get this connection: it ends, and the session with it
    if (this.#cancelDue && !this.#isApart) this.#cancelNow();
    const { resolved } = replies;
    this.#afterMessages();
    if (!resolved && !this.#holding) return;
    this.#holding = false;
    this.sink.again();
  }

  refuse(fault: Fault): void {
    this.#refusing = 'from here';
    this.sink.toClient(say(fault, 'ERROR'));
  }

  lost(fault: Fault): Uint8Array {
    return this.#traffic?.replies.canSpeak !== false ? say(fault, 'FATAL') : EMPTY;
  }

  cancel(): boolean {
    if (this.quiet) return false;
    this.#cancelDue = this.#isApart;
    return !this.#cancelDue;
  }

  /** The database is at something of ours that must not be hit in the client's stead (trap PG-42). */
  get #isApart(): boolean {
    const head = this.#traffic?.ledger.head;
    return head === owed.ownStep || head === owed.ownSync || head === owed.ownQuery;
  }

  relax(): void {
    if (this.#busy || !this.sequences.relax() || this.tracker.isPinned) return;
    this.#memory = undefined;
    this.sink.boundary();
  }

  #cancelNow(): void {
    this.#cancelDue = false;
    if (!this.quiet) this.sink.cancelNow();
  }

  /** Deals with the next bytes of a message that began in an earlier chunk. */
  #continue(bytes: Uint8Array, until: number): void {
    this.#remaining -= until;
    const { requests, outbox } = this.#open;
    if (this.#passing) requests.stream(bytes, 0, until, this.#remaining === 0);
    else outbox.resumeAt(until);
  }

  /** Leaves the message at `at` where it is. Returns how much of what was given has been dealt with. */
  #holdAt(bytes: Uint8Array, at: number, early: number): number {
    const { assembly, outbox } = this.#open;
    outbox.close(at);
    this.#remaining = 0;
    if (at < early) assembly.keep(bytes.subarray(0, early), at);
    else assembly.drop();
    this.#afterMessages();
    return Math.max(0, at - early);
  }

  /** A message begins at `at`; what has arrived of it ends at `end`. */
  #begin(type: number, bytes: Uint8Array, at: number, end: number, bodyBytes: number): number {
    if (type === frontend.terminate) return stop;
    const starts = startsRequest(type);
    if (this.#refusing !== 'no') return this.#refuseMessage(type);
    const { replies, requests } = this.#open;
    const mustWait = replies.isDoubtful || requests.mustWait || this.tracker.asksForDefaults;
    if (mustWait) return this.#wait();
    if (!starts) return this.#beginCopyOrFlush(type);
    if (!this.#busy || this.#memory === undefined) {
      if (!this.sink.wantServer()) return hold;
      this.#busy = true;
    }
    const memory = this.#memory;
    if (memory === undefined) throw new Violation('a connection without a memory of it');
    if (this.#way !== undefined) this.#goThe(this.#way, at, memory);
    const place = { bytes, type, at, start: at + HEADER_BYTES, end, bodyBytes };
    return requests.take(memory, place) ? pass : this.#wait();
  }

  #wait(): number {
    this.#holding = true;
    return hold;
  }

  /** Brings the connection to the session's state, in the same write as the request (trap PG-61). */
  #goThe(way: Way, at: number, memory: PostgresMemory): void {
    this.#way = undefined;
    this.#open.ahead(way, at, memory);
  }

  /**
   * Flush and copy messages start nothing. Without a connection they come too late, after an error ended the copy: the
   * database would pass over them, and so do we (trap PG-07).
   */
  #beginCopyOrFlush(type: number): number {
    if (!this.#busy || this.#memory === undefined) return drop;
    const { replies } = this.#open;
    if (type === frontend.flush) replies.flush();
    if (type === frontend.copyDone || type === frontend.copyFail) replies.endsCopy();
    return pass;
  }

  /** Answers like a database that skips: a query is ended at once, the extended protocol at its Sync. */
  #refuseMessage(type: number): number {
    const simple = type === frontend.query || type === frontend.functionCall;
    const ends = type === frontend.sync || (simple && this.#refusing === 'from here');
    this.#refusing = ends ? 'no' : 'to Sync';
    if (ends) this.sink.toClient(readyForQuery('I'));
    return drop;
  }

  #afterMessages(): void {
    const memory = this.#memory;
    if (!this.#busy || memory === undefined) return;
    // What we ask ourselves must not land inside a message of the client's.
    if (this.#remaining > 0 && this.#passing) return;
    const { replies, requests, own, ledger } = this.#open;
    const retry = replies.takeRetry();
    if (retry !== undefined) this.#sendAgain(retry);
    if (replies.takeBarrier()) this.#ask(memory, query(''));
    if (replies.needsSync) this.#endSkipping();
    if (own.mustAskAgain && ledger.isEmpty) this.#audit(memory, own.question);
    if (!ledger.isEmpty) return;
    requests.allIsAnswered();
    if (!this.quiet) return;
    if (memory.status === 'I') this.#settle(memory);
    else if (memory.status === 'T' && this.tracker.hasLostDefaults)
      this.#goApart(memory, inside(this.tracker.restoreDefaults()));
  }

  /** A batch of which nothing has been run. */
  #sendAgain(batch: Uint8Array): void {
    const { outbox, replies } = this.#open;
    outbox.open(batch);
    for (let at = 0; at < batch.length;) {
      const bodyBytes = i32be(batch, at + 1) - 4;
      const end = at + HEADER_BYTES + bodyBytes;
      this.#begin(u8(batch, at), batch, at, end, bodyBytes);
      at = end;
    }
    outbox.close(batch.length);
    replies.forgetBatch();
  }

  /** The request is over. The connection may go once it is known what it was left with. */
  #settle(memory: PostgresMemory): void {
    const { tracker } = this;
    const question = tracker.settle(memory);
    if (question !== undefined) this.#audit(memory, question);
    if (tracker.asksForDefaults) return;
    const way = tracker.wanted.wayFrom(memory.state);
    memory.state = tracker.wanted;
    // The client's next request may come before the answer, but not before this.
    if (way !== undefined) this.#goApart(memory, way);
    if (question !== undefined || way !== undefined) return;
    this.sequences.settle(memory);
    memory.unsettled = false;
    this.#open.endRequest();
    this.#busy = false;
    if (!tracker.isPinned) this.#memory = undefined;
    this.sink.boundary();
    if (this.sequences.isExpecting) this.sink.rest();
  }

  #audit(memory: PostgresMemory, question: string): void {
    const { own, ledger } = this.#open;
    own.asks(question);
    ledger.push(owed.ownQuery);
    this.#ask(memory, query(question));
  }

  #ask(memory: PostgresMemory, message: Uint8Array): void {
    memory.ownReadies += 1;
    memory.unnamed = undefined;
    this.sink.toServer(message);
  }

  /** Runs statements of ours by themselves. */
  #goApart(memory: PostgresMemory, way: Way): void {
    const { ledger } = this.#open;
    for (const code of way.owed) ledger.push(code);
    ledger.push(owed.ownSync);
    this.#ask(memory, concat([way.bytes, sync()]));
    memory.unnamed = NOBODYS;
  }

  /** Something of ours has failed on the way of a simple query, which the database skips, too: no Sync of the client's comes. */
  #endSkipping(): void {
    const { replies, requests, ledger } = this.#open;
    replies.needsSync = false;
    if (requests.isUnsynced) return;
    replies.synced();
    ledger.push(owed.sync);
    this.sink.toServer(sync());
  }
}

/** A message whose names have not arrived yet, or whose text must be looked at as a whole. */
function mustSeeMore(type: number, bytes: Uint8Array, start: number, bodyBytes: number): boolean {
  const end = bytes.length;
  switch (type) {
    case frontend.query:
      return bodyBytes <= limits.inspectedMessageBytes.value;
    case frontend.parse:
      return bodyBytes <= limits.inspectedMessageBytes.value || end === start;
    case frontend.describe:
    case frontend.close:
    case frontend.execute:
      if (bodyBytes > limits.statementNameBytes.value + 16)
        throw new Violation('a name that is too long');
      return true;
    case frontend.bind:
      return !hasNames(bytes, start) && end - start < 2 * limits.statementNameBytes.value;
    default:
      return false;
  }
}

/** The names of the portal and of the statement are there. */
function hasNames(bytes: Uint8Array, start: number): boolean {
  const portalEnd = bytes.indexOf(0, start);
  return portalEnd >= 0 && bytes.indexOf(0, portalEnd + 1) >= 0;
}

/** False for Flush and copy messages. A type that does not exist is met here, before it costs a connection. */
function startsRequest(type: number): boolean {
  switch (type) {
    case frontend.query:
    case frontend.parse:
    case frontend.bind:
    case frontend.describe:
    case frontend.execute:
    case frontend.close:
    case frontend.sync:
    case frontend.functionCall:
      return true;
    case frontend.flush:
    case frontend.copyData:
    case frontend.copyDone:
    case frontend.copyFail:
      return false;
    default:
      throw new Violation(`invalid frontend message type ${type}`);
  }
}
