import { Violation } from '../../base/assert.ts';
import { concat, EMPTY, i32be, u8 } from '../../base/bytes.ts';
import type { Relay, RelaySink } from '../../core/engine.ts';
import type { Fault } from '../../core/fault.ts';
import type { PinReason } from '../../core/pin.ts';
import { errorResponse, parameterStatus, readyForQuery } from '../../wire/postgres/backend.ts';
import { checkMessageLength, HEADER_BYTES } from '../../wire/postgres/framing.ts';
import { frontend } from '../../wire/postgres/message-types.ts';
import { say } from './faults.ts';
import { Inspector } from './inspector.ts';
import { owed } from './ledger.ts';
import type { ParameterSet, PostgresMemory } from './memory.ts';
import { Replies } from './replies.ts';

/** What to do with a message of the client's. */
const pass = 0;
const drop = 1;
/** There is no connection yet: the message stays where it is. */
const hold = 2;
/** The client says goodbye. */
const stop = 3;

/**
 * One session after login: a scanner over the client's messages. Runs of messages that need no thought go to the database
 * in one write; large ones stream through. What comes back is `Replies`' part.
 */
export class PostgresRelay implements Relay<PostgresMemory> {
  readonly #sink: RelaySink;
  readonly #replies: Replies;
  readonly #inspector: Inspector;
  #memory: PostgresMemory | undefined;
  /** The parameters as the client was last told. */
  #told: ParameterSet;
  /** The first bytes of a message of which nobody can tell yet what it means: mostly a part of a header. */
  #header: Uint8Array = EMPTY;
  /** Bytes still to come of the current message, and whether they are passed on. */
  #remaining = 0;
  #passing = true;
  /** A request is under way, or a transaction. */
  #open = false;
  /** Messages of the extended protocol have been sent, and no Sync after them (trap PG-03). */
  #unsynced = false;
  /** A statement was parsed and nothing bound since: a later request may run it, so it must stay there (trap PG-90). */
  #unbound = false;
  /** A Parse has been sent, and no Sync since: where it is skipped, so is what comes with it. */
  #parsedInBatch = false;
  /** A message waits until it is known whose statement it means. */
  #holding = false;
  /** The request that waited will not be served: its messages are dropped up to its end. */
  #refusing: 'no' | 'from here' | 'to Sync' = 'no';
  #pinned = false;
  /** Nobody has looked yet at the parameters that the session began with. */
  #unread = true;

  constructor(sink: RelaySink, welcome: PostgresMemory) {
    this.#sink = sink;
    this.#told = welcome.initial;
    this.#replies = new Replies(sink);
    this.#inspector = new Inspector((reason, digest) => this.#pin(reason, digest));
  }

  get quiet(): boolean {
    if (!this.#replies.nothingOwed || this.#unsynced) return false;
    if (this.#remaining > 0 && this.#passing) return false;
    return this.#memory === undefined || !this.#memory.inMessage;
  }

  get inTransaction(): boolean {
    return this.#memory !== undefined && this.#memory.status !== 'I';
  }

  attached(memory: PostgresMemory): void {
    this.#memory = memory;
    this.#open = true;
    this.#parsedInBatch = false;
    this.#replies.attached(memory);
    if (memory.parameters === this.#told && !this.#unread) return;
    this.#tell(memory.parameters);
    this.#unread = false;
    this.#pinHidden(unreadable(memory.parameters));
  }

  fromClient(given: Uint8Array): number {
    const early = this.#header.length;
    const bytes = early === 0 ? given : concat([this.#header, given]);
    this.#header = EMPTY;
    const end = bytes.length;
    let at = Math.min(this.#remaining, end);
    if (at > 0) this.#continue(bytes, at);
    let from = this.#passing ? 0 : at;
    while (at < end) {
      if (end - at < HEADER_BYTES) {
        this.#header = bytes.slice(at);
        break;
      }
      const start = at + HEADER_BYTES;
      const bodyBytes = checkMessageLength(i32be(bytes, at + 1));
      if (start + bodyBytes > end && this.#mustSeeMore(bytes, at, end)) {
        this.#header = bytes.slice(at);
        break;
      }
      const bodyEnd = Math.min(start + bodyBytes, end);
      const verdict = this.#begin(u8(bytes, at), bytes, start, bodyEnd, bodyBytes);
      if (verdict === hold || verdict === stop) {
        this.#forward(bytes, from, at);
        if (verdict === stop) {
          this.#sink.finish();
          return given.length;
        }
        this.#betweenMessages();
        // A held header goes back to where it was: what is returned counts the given bytes only.
        if (at < early) this.#header = bytes.slice(at, early);
        return Math.max(0, at - early);
      }
      this.#remaining = start + bodyBytes - bodyEnd;
      this.#passing = verdict === pass;
      if (verdict === drop) {
        this.#forward(bytes, from, at);
        from = bodyEnd;
      }
      at = bodyEnd;
    }
    this.#forward(bytes, from, at);
    this.#betweenMessages();
    this.#checkBoundary();
    return given.length;
  }

  fromServer(bytes: Uint8Array): void {
    const memory = this.#memory;
    if (memory === undefined) throw new Violation('a reply without a request');
    this.#replies.relay(memory, bytes);
    this.#told = memory.parameters;
    if (this.#replies.farewell) return; // nobody else may get this connection: it ends, and the session with it
    this.#betweenMessages();
    this.#checkBoundary();
    if (!this.#replies.resolved && !this.#holding) return;
    this.#holding = false;
    this.#sink.again();
  }

  refuse(fault: Fault): void {
    this.#refusing = 'from here';
    this.#sink.toClient(say(fault, 'ERROR'));
  }

  lost(fault: Fault): Uint8Array {
    return this.#replies.canSpeak ? say(fault, 'FATAL') : EMPTY;
  }

  /** Deals with the next bytes of a message that began in an earlier chunk. */
  #continue(bytes: Uint8Array, until: number): void {
    this.#remaining -= until;
    if (this.#passing) this.#inspector.feed(bytes, 0, until, this.#remaining === 0);
  }

  #forward(bytes: Uint8Array, from: number, to: number): void {
    if (to > from)
      this.#sink.toServer(from === 0 && to === bytes.length ? bytes : bytes.subarray(from, to));
  }

  /** A message begins; its body, as far as it has arrived, is `bytes[start, end)`. */
  #begin(type: number, bytes: Uint8Array, start: number, end: number, bodyBytes: number): number {
    if (type === frontend.terminate) return stop;
    const starts = startsRequest(type);
    if (this.#refusing !== 'no') return this.#refuseMessage(type);
    if (this.#replies.doubtful) return hold;
    if (!starts) return this.#beginCopyOrFlush(type);
    const begins = !this.#open || this.#memory === undefined;
    if (!this.#isAtHome && usesStatement(type, bytes, start, end) !== 'named') {
      return this.#refuseStranger(begins);
    }
    if (begins) {
      if (!this.#sink.wantServer()) return hold;
      this.#open = true;
    }
    switch (type) {
      case frontend.query:
        this.#sink.request();
        // It ends what unsynced messages began, as a Sync would.
        this.#unsynced = false;
        this.#unbound = false;
        this.#parsedInBatch = false;
        this.#replies.expect(owed.query);
        this.#inspector.query(bytes, start, end, bodyBytes);
        break;
      case frontend.parse:
        this.#unsynced = true;
        this.#unbound = true;
        this.#parsedInBatch ||= isUnnamed(bytes, start, end);
        this.#replies.expect(isUnnamed(bytes, start, end) ? owed.parseUnnamed : owed.parse);
        this.#inspector.parse(bytes, start, end, bodyBytes);
        break;
      case frontend.execute:
        this.#sink.request();
        this.#unsynced = true;
        this.#replies.expect(owed.execute);
        break;
      case frontend.sync:
        this.#unsynced = false;
        this.#parsedInBatch = false;
        this.#replies.expect(owed.sync);
        break;
      case frontend.functionCall:
        this.#sink.request();
        this.#replies.expect(owed.functionCall);
        break;
      default:
        this.#unsynced = true;
        if (type === frontend.bind) this.#unbound = false;
        this.#replies.expect(extended(type));
    }
    return pass;
  }

  /**
   * Flush and copy messages start nothing. Without a connection they come too late, after an error ended the copy: the
   * database would pass over them, and so do we (trap PG-07).
   */
  #beginCopyOrFlush(type: number): number {
    if (!this.#open || this.#memory === undefined) return drop;
    if (type === frontend.copyDone || type === frontend.copyFail)
      this.#replies.expect(owed.copyEnd);
    return pass;
  }

  /**
   * A request that uses a statement without having prepared one means what its own session prepared without a name in an
   * earlier request. On whatever connection it gets there may be another session's by now, and that must neither run nor be
   * described (trap PG-90). In the middle of a request no client is known to do it, and the session ends.
   */
  #refuseStranger(begins: boolean): number {
    if (!begins && !this.#unsynced && !this.#replies.nothingOwed) {
      this.#holding = true; // a Parse on its way may or may not be skipped: its reply will tell
      return hold;
    }
    if (!begins) throw new Violation('a statement without a name from an earlier request');
    const message = 'unnamed prepared statement does not exist';
    this.#sink.toClient(errorResponse({ severity: 'ERROR', code: '26000', message }));
    this.#refusing = 'to Sync';
    return drop;
  }

  /** Whatever statement without a name there is on the connection, it is not another session's. */
  get #isAtHome(): boolean {
    if (this.#replies.skipping) return true; // the database looks at nothing before the next Sync
    return (this.#open || this.#pinned) && (this.#parsedInBatch || this.#replies.cleared);
  }

  /** A message that may mean another session's statement, and has not told its name yet. */
  #mustSeeMore(bytes: Uint8Array, at: number, end: number): boolean {
    if (u8(bytes, at) === frontend.parse) return end - at === HEADER_BYTES;
    if (this.#isAtHome || end - at > NAMES_BYTES) return false;
    return usesStatement(u8(bytes, at), bytes, at + HEADER_BYTES, end) === undefined;
  }

  /** Answers like a database that skips: a query is ended at once, the extended protocol at its Sync. */
  #refuseMessage(type: number): number {
    const simple = type === frontend.query || type === frontend.functionCall;
    const ends = type === frontend.sync || (simple && this.#refusing === 'from here');
    this.#refusing = ends ? 'no' : 'to Sync';
    if (ends) this.#sink.toClient(readyForQuery('I'));
    return drop;
  }

  /** What `Replies` has to ask the database must not land inside a message of the client's. */
  #betweenMessages(): void {
    if (this.#remaining === 0 || !this.#passing) this.#replies.sendBarrier();
  }

  #checkBoundary(): void {
    const memory = this.#memory;
    if (!this.#open || memory === undefined || memory.status !== 'I') return;
    if (!this.quiet) return;
    if (!this.#pinned && memory.parameters !== memory.initial) this.#pinHidden(changesOf(memory));
    if (this.#unbound && this.#replies.parsed && !this.#pinned)
      this.#pin('preparedStatement', 'a statement without a name, not run yet');
    this.#open = false;
    if (!this.#pinned) this.#memory = undefined;
    this.#sink.boundary();
  }

  #pinHidden(why: string | undefined): void {
    if (why !== undefined && !this.#pinned) this.#pin('hiddenState', why);
  }

  #pin(reason: PinReason, digest: string): void {
    this.#pinned = true;
    this.#sink.pin(reason, digest);
  }

  /** The connection's parameters differ from what the client was told last: tells it, as a database would. */
  #tell(parameters: ParameterSet): void {
    for (const [name, value] of parameters) {
      if (this.#told.get(name) !== value) this.#sink.toClient(parameterStatus(name, value));
    }
    this.#told = parameters;
  }
}

/** No statement said so, yet reported parameters have changed: a function did it, or the configuration. */
function changesOf(memory: PostgresMemory): string | undefined {
  const changed = [...memory.parameters].filter(
    ([name, value]) => memory.initial.get(name) !== value,
  );
  if (changed.length === 0) return undefined;
  return `changed without a SET: ${changed.map(([name]) => name).join(', ')}`;
}

/** Encodings in which a byte of a character can look like a quote or a backslash: what pins cannot be told from the text. */
const AMBIGUOUS_ENCODINGS: readonly string[] = [
  'SJIS',
  'BIG5',
  'GBK',
  'GB18030',
  'UHC',
  'JOHAB',
  'SHIFT_JIS_2004',
];

/** Why statements cannot be read under these parameters; undefined where they can. */
function unreadable(parameters: ParameterSet): string | undefined {
  const encoding = parameters.get('client_encoding') ?? '';
  if (AMBIGUOUS_ENCODINGS.includes(encoding)) return `client_encoding is ${encoding}`;
  if (parameters.get('standard_conforming_strings') === 'off')
    return 'standard_conforming_strings is off';
  return undefined;
}

/** Describe's kind byte for a statement, as against a portal. */
const STATEMENT = 0x53;
/** Names longer than this are not waited for. */
const NAMES_BYTES = 1_024;

/**
 * Which statement a message needs that begins at `start` and has arrived up to `end`: one with a name (or none at all), the
 * one without a name, or undefined where that has not arrived.
 */
function usesStatement(
  type: number,
  bytes: Uint8Array,
  start: number,
  end: number,
): 'named' | 'unnamed' | undefined {
  if (type !== frontend.bind && type !== frontend.describe) return 'named';
  let name = start + 1; // behind Describe's kind
  if (type === frontend.bind) {
    const portalEnd = bytes.indexOf(0, start);
    name = portalEnd < 0 ? end : portalEnd + 1;
  } else if (start < end && u8(bytes, start) !== STATEMENT) {
    return 'named';
  }
  if (name >= end) return undefined;
  return u8(bytes, name) === 0 ? 'unnamed' : 'named';
}

/** Whether a Parse, of which one byte has arrived at least, has no name. */
function isUnnamed(bytes: Uint8Array, start: number, end: number): boolean {
  return start < end && u8(bytes, start) === 0;
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

function extended(type: number): number {
  switch (type) {
    case frontend.bind:
      return owed.bind;
    case frontend.describe:
      return owed.describe;
    default:
      return owed.close;
  }
}
