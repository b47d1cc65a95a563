import { Violation } from '../../base/assert.ts';
import { latin1, u8 } from '../../base/bytes.ts';
import { limits } from '../../base/limits.ts';
import { readParse, readQuery } from '../../wire/postgres/frontend-read.ts';
import { HEADER_BYTES } from '../../wire/postgres/framing.ts';
import { frontend } from '../../wire/postgres/message-types.ts';
import type { StreamingClassifier } from './classifier.ts';
import { Classifier } from './classifier.ts';
import type { Effects } from './effects.ts';
import { NO_EFFECTS } from './effects.ts';
import { owed } from './ledger.ts';
import type { PostgresMemory } from './memory.ts';
import type { Place } from './place.ts';
import type { Executed } from './sql-names.ts';
import { ENDING } from './state.ts';
import type { Traffic } from './traffic.ts';

/** All sessions share what has been learnt about statement texts. */
const classifier = new Classifier();

/** Describe's and Close's kind byte. */
const STATEMENT = 0x53;
const PORTAL = 0x50;

/** The client's messages one by one, as they go to the database: what is owed for them, and what they leave behind. */
export class Requests {
  readonly #parts: Traffic;
  #memory: PostgresMemory | undefined;
  /** Messages of the extended protocol have been sent, and no Sync after them (trap PG-03). */
  isUnsynced = false;
  /** The client has executed something in the batch at hand. */
  #hasExecuted = false;
  /** Nothing more may be sent until all replies are there. */
  #waits = false;
  /** Portals whose statements have effects. */
  #portals: Map<string, Executed> | undefined;
  /** The chunk in which the first Bind of the batch at hand stands, and where. */
  #batchIn: Uint8Array | undefined;
  #batchAt = 0;
  /** It cannot be sent again. */
  #isBatchLost = false;
  /** What has just been bound to a portal that is described next. */
  #bound: Executed | undefined;
  #streaming: StreamingClassifier | undefined;
  /** Where the stream is in its message: in the statement's name, in its text, behind it. */
  #streamIn: 'name' | 'text' | 'rest' = 'text';

  constructor(parts: Traffic) {
    this.#parts = parts;
  }

  /** The request is over. */
  end(): void {
    this.#waits = false;
    this.#hasExecuted = false;
    this.#portals = undefined;
    this.#bound = undefined;
    this.#memory = undefined;
  }

  /** As at the beginning. */
  get isClear(): boolean {
    return (
      this.#memory === undefined &&
      !this.isUnsynced &&
      !this.#hasExecuted &&
      !this.#waits &&
      this.#portals === undefined &&
      this.#bound === undefined &&
      this.#batchIn === undefined &&
      !this.#isBatchLost &&
      this.#streaming === undefined
    );
  }

  /** The next message must wait for the replies to those before it. */
  get mustWait(): boolean {
    return this.#waits && !this.isUnsynced && !this.#parts.ledger.isEmpty;
  }

  /** Everything that is owed has come: waiting is over. */
  allIsAnswered(): void {
    this.#waits = false;
  }

  /** A message begins. Returns false where it must wait. */
  take(memory: PostgresMemory, place: Place): boolean {
    const { replies, ledger, sink } = this.#parts;
    const { type } = place;
    this.#memory = memory;
    if (type === frontend.sync) {
      if (this.#batchIn === place.bytes) replies.sent(place.bytes, this.#batchAt, place.end);
      this.#batchIn = undefined;
      this.#isBatchLost = false;
      this.isUnsynced = false;
      this.#hasExecuted = false;
      this.#parts.statements.hasExecuted = false;
      replies.synced();
      ledger.push(owed.sync);
      return true;
    }
    if (replies.isSkipping) {
      // The database passes over it; a query does not end what it would otherwise (trap PG-02).
      if (type !== frontend.query && type !== frontend.functionCall) this.isUnsynced = true;
      return true;
    }
    switch (type) {
      case frontend.query:
        return this.#query(memory, place);
      case frontend.parse:
        return this.#parse(place);
      case frontend.bind:
        return this.#bind(place);
      case frontend.execute:
        this.isUnsynced = true;
        return this.#execute(memory, place);
      case frontend.describe:
      case frontend.close:
        this.isUnsynced = true;
        return this.#describeOrClose(place);
      case frontend.functionCall:
        sink.request();
        ledger.push(owed.functionCall);
        return true;
      default:
        throw new Violation(`invalid frontend message type ${type}`);
    }
  }

  /** The next part of a message that is too large to be looked at as a whole. */
  stream(bytes: Uint8Array, start: number, end: number, isLast: boolean): void {
    if (this.#streaming === undefined) return;
    this.#look(this.#streaming, bytes, start, end);
    if (!isLast) return;
    const effects = this.#streaming.finish();
    this.#streaming = undefined;
    if (effects === NO_EFFECTS) return;
    this.#note(effects);
    // Names in such a text are the client's own on this connection.
    if (effects.names.length > 0) this.#parts.tracker.pin('preparedStatement', effects.digest);
  }

  #query(memory: PostgresMemory, place: Place): boolean {
    const { replies, ledger, statements, tracker, sink } = this.#parts;
    const { bytes, start, end, bodyBytes } = place;
    const isWhole = end - start === bodyBytes;
    const textEnd = isWhole ? readQuery(bytes, start, end) : end;
    const effects = isWhole ? classifier.classify(bytes, start, textEnd) : NO_EFFECTS;
    if (this.#mustKnowMore(effects)) return false;
    if (this.isUnsynced) this.#endBatch(memory, place);
    sink.request();
    // It ends what unsynced messages began, as a Sync would.
    this.isUnsynced = false;
    replies.synced();
    if (!isWhole) {
      ledger.push(owed.query, statements.query(place, NO_EFFECTS));
      this.#beginStream('text', bytes, start, end);
      return true;
    }
    tracker.measure(textEnd - start);
    if (effects === NO_EFFECTS) {
      ledger.push(owed.query, statements.query(place, effects));
      return true;
    }
    const before = ledger.size;
    this.#run(memory, place, effects);
    const assumption = statements.query(place, effects);
    // Where something of ours fails the database skips this query, and would skip those behind it.
    if (ledger.size > before) this.#waits = true;
    ledger.push(owed.query, assumption);
    return true;
  }

  /**
   * A query comes where a Sync should: if we have executed something in this batch, and the client has not, that must end as if
   * it had not been.
   */
  #endBatch(memory: PostgresMemory, { at }: Place): void {
    const { statements } = this.#parts;
    const mustEnd = statements.hasExecuted && !this.#hasExecuted && memory.status === 'I';
    statements.hasExecuted = false;
    this.#hasExecuted = false;
    if (mustEnd) this.#parts.ahead(ENDING, at, memory);
  }

  #parse(place: Place): boolean {
    const { statements, sink, tracker, ledger } = this.#parts;
    const { bytes, start, end, bodyBytes } = place;
    this.isUnsynced = true;
    if (end - start < bodyBytes) {
      const isNamed = u8(bytes, start) !== 0;
      if (isNamed) tracker.pin('preparedStatement', 'a statement that is too long to be shared');
      ledger.push(owed.parse, isNamed ? undefined : statements.dropUnnamed());
      this.#beginStream('name', bytes, start, end);
      return true;
    }
    const parsed = readParse(bytes, start, end);
    const effects = classifier.classify(bytes, parsed.sqlStart, parsed.sqlEnd);
    if (this.#mustKnowMore(effects)) return false;
    tracker.measure(parsed.sqlEnd - parsed.sqlStart);
    if (parsed.nameEnd > start && statements.isFull) {
      sink.fail({ name: 'tooManyStatements', limit: limits.sessionStatements.value });
      return true;
    }
    if (statements.parse(place, parsed, effects)) return true;
    this.#waits = true;
    return false;
  }

  #bind(place: Place): boolean {
    const { statements } = this.#parts;
    const { bytes, start } = place;
    const portalEnd = nulAfter(place, start);
    const nameStart = portalEnd + 1;
    const nameEnd = nulAfter(place, nameStart);
    this.isUnsynced = true;
    const isFirst = this.#batchIn === undefined && !this.#isBatchLost;
    const isDescribed = isDescribedNext(place, portalEnd);
    const executed = statements.bind(place, nameStart, nameEnd, isFirst, isDescribed);
    if (executed === undefined) {
      this.#waits = true;
      return false;
    }
    this.#bound = isDescribed ? executed : undefined;
    if (isFirst) this.#beginBatch(place, statements.isTrusted(executed, isDescribed));
    if (executed.effects === NO_EFFECTS && this.#portals === undefined) return true;
    this.#portals ??= new Map();
    const portal = latin1(bytes, start, portalEnd);
    if (executed.effects === NO_EFFECTS) this.#portals.delete(portal);
    else this.#portals.set(portal, executed);
    return true;
  }

  /** What begins with this Bind can be sent again, unless the client would take the rows for others. */
  #beginBatch({ bytes, at }: Place, isTrusted: boolean): void {
    this.#isBatchLost = isTrusted;
    if (isTrusted) return;
    this.#batchIn = bytes;
    this.#batchAt = at;
  }

  #execute(memory: PostgresMemory, place: Place): boolean {
    const { statements, ledger, sink } = this.#parts;
    const portal =
      this.#portals === undefined
        ? ''
        : latin1(place.bytes, place.start, nulAfter(place, place.start));
    const executed = this.#portals?.get(portal);
    if (executed !== undefined && this.#mustKnowMore(executed.effects)) return false;
    this.#hasExecuted = true;
    sink.request();
    if (executed !== undefined) this.#run(memory, place, executed.effects);
    ledger.push(owed.execute, executed === undefined ? undefined : statements.execute(executed));
    return true;
  }

  #describeOrClose(place: Place): boolean {
    const { statements, ledger } = this.#parts;
    const { type, bytes, start } = place;
    const nameEnd = nulAfter(place, start + 1);
    if (u8(bytes, start) === STATEMENT) {
      return type === frontend.describe
        ? statements.describe(place, start + 1, nameEnd)
        : statements.close(place, start + 1, nameEnd);
    }
    if (type === frontend.describe) {
      statements.describePortal(this.#bound);
      this.#bound = undefined;
    } else {
      this.#portals?.delete(latin1(bytes, start + 1, nameEnd));
      ledger.push(owed.close);
    }
    return true;
  }

  /**
   * What comes ahead of such a statement depends on whether a transaction is open, and which statements it means on what
   * became of the requests before it; and what RESET ALL resets on what they have set.
   */
  #mustKnowMore({ names, readsSequences, resets }: Effects): boolean {
    const depends = names.length > 0 || readsSequences || resets !== 'none';
    return depends && this.#parts.ledger.hasAnyEnd;
  }

  /** A statement with effects is about to be sent. */
  #run(memory: PostgresMemory, place: Place, effects: Effects): void {
    if (effects.readsSequences) this.#parts.sequences.asks(memory, effects, place, this.#parts);
    if (effects.listsStatements) this.#parts.statements.keepOnlyOwn(place.at);
    this.#note(effects);
    for (const { verb, name } of effects.names) {
      const statement = verb === 'execute' ? this.#parts.statements.find(name) : undefined;
      if (statement !== undefined && statement.effects !== NO_EFFECTS)
        this.#run(memory, place, { ...statement.effects, names: [] });
    }
  }

  #note(effects: Effects): void {
    const { tracker } = this.#parts;
    tracker.note(effects);
    if (effects.pins.includes('sequence')) this.#parts.sequences.used();
    if (this.#memory !== undefined) this.#memory.unsettled = true;
    if (tracker.hasLostDefaults) this.#waits = true;
  }

  #beginStream(first: 'name' | 'text', bytes: Uint8Array, start: number, end: number): void {
    this.#streaming = classifier.beginStreaming();
    this.#streamIn = first;
    this.#look(this.#streaming, bytes, start, end);
    this.#parts.tracker.measure(limits.inspectedMessageBytes.value);
  }

  #look(classifier: StreamingClassifier, bytes: Uint8Array, start: number, end: number): void {
    let from = start;
    if (this.#streamIn === 'name') {
      const nameEnd = bytes.indexOf(0, from);
      if (nameEnd < 0 || nameEnd >= end) return;
      this.#streamIn = 'text';
      from = nameEnd + 1;
    }
    if (this.#streamIn === 'rest') return;
    const textEnd = bytes.indexOf(0, from);
    const isOver = textEnd >= 0 && textEnd < end;
    if (isOver) this.#streamIn = 'rest';
    classifier.feed(bytes, from, isOver ? textEnd : end);
  }
}

/** Whether the client asks next what this portal returns, as far as can be seen yet. */
function isDescribedNext({ bytes, start, end }: Place, portalEnd: number): boolean {
  const nameAt = end + HEADER_BYTES + 1;
  const nameBytes = portalEnd + 1 - start;
  if (nameAt + nameBytes > bytes.length || u8(bytes, end) !== frontend.describe) return false;
  if (u8(bytes, nameAt - 1) !== PORTAL) return false;
  for (let i = 0; i < nameBytes; i += 1)
    if (u8(bytes, start + i) !== u8(bytes, nameAt + i)) return false;
  return true;
}

/** Where the string that begins at `start` ends: it must have arrived. */
function nulAfter({ bytes, end }: Place, start: number): number {
  for (let at = start; at < end; at += 1) if (u8(bytes, at) === 0) return at;
  throw new Violation('a name that does not end');
}
