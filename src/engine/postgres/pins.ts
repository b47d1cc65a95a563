import { latin1 } from '../../base/bytes.ts';
import type { PinReason } from '../../core/pin.ts';
import { SqlDigest } from './sql-digest.ts';
import { SqlWords } from './sql-words.ts';
import type { WordVisitor } from './sql-words.ts';

/** What a text of one or more statements leaves behind on its connection. */
export interface Verdict {
  /** In the order in which they were met; empty where the text leaves nothing behind. */
  readonly reasons: readonly PinReason[];
  /** The text without its values, for logs; empty where there is no reason. */
  readonly digest: string;
}

export const CLEAN: Verdict = { reasons: [], digest: '' };

/** Classifies a text that comes in pieces. */
export interface StreamingClassifier {
  feed(bytes: Uint8Array, start: number, end: number): void;
  /** To be called once, after the last piece. */
  finish(): Verdict;
}

/** Functions that leave something behind, wherever they are called: a mention is taken for a call. */
const functions: ReadonlyMap<string, PinReason> = new Map<string, PinReason>([
  ['set_config', 'setting'],
  ['set_limit', 'setting'],
  ['nextval', 'sequence'],
  ['setval', 'sequence'],
  ['currval', 'sequence'],
  ['lastval', 'sequence'],
  ['pg_advisory_lock', 'sessionLock'],
  ['pg_advisory_lock_shared', 'sessionLock'],
  ['pg_try_advisory_lock', 'sessionLock'],
  ['pg_try_advisory_lock_shared', 'sessionLock'],
  ['pg_advisory_unlock', 'sessionLock'],
  ['pg_advisory_unlock_shared', 'sessionLock'],
  ['pg_advisory_unlock_all', 'sessionLock'],
  ['setseed', 'hiddenState'],
  // A named connection to another database, a base backup, a replication origin, a replication slot that may be temporary.
  ['dblink_connect', 'hiddenState'],
  ['dblink_connect_u', 'hiddenState'],
  ['pg_backup_start', 'hiddenState'],
  ['pg_start_backup', 'hiddenState'],
  ['pg_replication_origin_session_setup', 'hiddenState'],
  ['pg_create_physical_replication_slot', 'hiddenState'],
  ['pg_create_logical_replication_slot', 'hiddenState'],
  ['pg_copy_physical_replication_slot', 'hiddenState'],
  ['pg_copy_logical_replication_slot', 'hiddenState'],
  // These run a text that they are given.
  ['query_to_xml', 'hiddenState'],
  ['query_to_xml_and_xmlschema', 'hiddenState'],
  ['ts_stat', 'hiddenState'],
  ['ts_rewrite', 'hiddenState'],
]);

/** The name of every session's own temporary schema begins so. */
const TEMPORARY_SCHEMA = 'pg_temp';

/** The words that leave something behind when a statement begins with them; a few need a second look. */
const openings: ReadonlyMap<string, PinReason | 'depends'> = new Map<string, PinReason | 'depends'>(
  [
    ['set', 'depends'],
    ['reset', 'setting'],
    ['discard', 'setting'],
    ['prepare', 'depends'],
    ['deallocate', 'preparedStatement'],
    ['listen', 'listen'],
    ['unlisten', 'listen'],
    ['load', 'library'],
  ],
);

const leavingWords = [...openings.keys()].join('|');
const elsewhere = `${shortest([...functions.keys(), TEMPORARY_SCHEMA]).join('|')}|temp\\b|temporary\\b|hold\\b|u&"`;

/**
 * The prefilter: a text that neither expression matches leaves nothing behind. A statement begins at the text's
 * beginning, after a semicolon or after a comment, hence after `/` or a newline; no loop may cross a newline, lest a text
 * of newlines take quadratic time. Two expressions are twice as fast as one with both.
 */
const opens = new RegExp(`(?:^|[;/\\n\\r])[ \\t\\f\\v]*(?:${leavingWords}|do|call)\\b`, 'i');
const mentions = new RegExp(elsewhere, 'i');

/**
 * What must not stand anywhere in a text that DO runs or CALL passes on, its strings and comments included. EXECUTE, escapes
 * and other languages than PL/pgSQL can hide anything.
 */
const suspicious = new RegExp(
  `\\b(?:${leavingWords}|execute)\\b|${elsewhere}|\\\\|u&|\\blanguage\\b(?!\\s+plpgsql\\b)`,
  'i',
);

/** What comes before TEMP and TEMPORARY where they make an object temporary. */
const temporaryAfter = new Set(['create', 'replace', 'global', 'local', 'into']);

/** How much is read at a time until a digest is full. */
const PIECE_BYTES = 1_024;
const CACHED_TEXT_BYTES = 4_096;
const CACHED_VERDICTS = 2_048;

/**
 * Says what statements leave behind on their connection, by their text alone. What functions, procedures and triggers of
 * the database do cannot be seen. Sound rather than exact: in doubt a text is said to leave something behind.
 * The assumptions of `SqlWords` are its own.
 */
export class Classifier {
  readonly #cache = new Map<string, Verdict>();

  /** Classifies the text `bytes[start, end)`. */
  classify(bytes: Uint8Array, start: number, end: number): Verdict {
    const text = latin1(bytes, start, end);
    if (!opens.test(text) && !mentions.test(text)) return CLEAN;
    if (text.length > CACHED_TEXT_BYTES) return this.#examine(text, bytes, start, end);
    const known = this.#cache.get(text);
    if (known !== undefined) return known;
    const verdict = this.#examine(text, bytes, start, end);
    this.#remember(text, verdict);
    return verdict;
  }

  /** Of a text that comes in pieces, DO and CALL are never said to be clean. */
  beginStreaming(): StreamingClassifier {
    return new Stream();
  }

  /** The text without its values, for logs, whatever it leaves behind. */
  digest(bytes: Uint8Array, start: number, end: number): string {
    const digest = new SqlDigest();
    const words = new SqlWords(digest);
    for (let at = start; at < end && !digest.full; at += PIECE_BYTES) {
      words.feed(bytes, at, Math.min(end, at + PIECE_BYTES));
    }
    words.finish();
    return digest.text;
  }

  #examine(text: string, bytes: Uint8Array, start: number, end: number): Verdict {
    const judge = new Judge();
    const words = new SqlWords(judge);
    words.feed(bytes, start, end);
    words.finish();
    const reasons = judge.reasons(() => suspicious.test(text));
    return reasons.length === 0 ? CLEAN : { reasons, digest: this.digest(bytes, start, end) };
  }

  /** The oldest makes room for the newest. */
  #remember(text: string, verdict: Verdict): void {
    if (this.#cache.size === CACHED_VERDICTS) {
      for (const oldest of this.#cache.keys()) {
        this.#cache.delete(oldest);
        break;
      }
    }
    this.#cache.set(text, verdict);
  }
}

class Stream implements StreamingClassifier {
  readonly #judge = new Judge();
  readonly #words = new SqlWords(this.#judge);
  readonly #digest = new SqlDigest();
  readonly #digestWords = new SqlWords(this.#digest);

  feed(bytes: Uint8Array, start: number, end: number): void {
    this.#words.feed(bytes, start, end);
    if (!this.#digest.full) this.#digestWords.feed(bytes, start, end);
  }

  finish(): Verdict {
    this.#words.finish();
    this.#digestWords.finish();
    const reasons = this.#judge.reasons(() => true);
    return reasons.length === 0 ? CLEAN : { reasons, digest: this.#digest.text };
  }
}

/** Which words a search for all of them needs: not those that begin with another one. */
function shortest(words: readonly string[]): string[] {
  return words.filter((word) => !words.some((other) => other !== word && word.startsWith(other)));
}

/** What the words so far of a statement lead to, where that depends on the next one. */
type Opening = 'set' | 'setScope' | 'prepare' | 'prepareTransaction' | 'declare' | 'other';

/** Words that stand between SET and what it sets only for the transaction, unless they are the name of a setting. */
const setScopes = new Set(['local', 'transaction', 'constraints']);

/** Hears a text's words and gathers its reasons. */
class Judge implements WordVisitor {
  readonly #reasons = new Set<PinReason>();
  readonly #config = new ConfigCall(() => this.#reasons.add('setting'));
  /** Undefined before the first word of a statement. */
  #opening: Opening | undefined;
  /** The statement begins with INSERT or MERGE: its INTO makes no table. */
  #insertsInto = false;
  /** The bare word just before; empty where there was none. */
  #previous = '';
  /** DO or CALL: there is more to this text than its words. */
  #opaque = false;

  /** To be asked once, at the end. `isSuspicious` is asked only where the words do not show all. */
  reasons(isSuspicious: () => boolean): readonly PinReason[] {
    this.#config.end();
    if (this.#opaque && isSuspicious()) this.#reasons.add('hiddenState');
    return [...this.#reasons];
  }

  space(): void {}

  word(word: string, quoted: boolean): void {
    this.#config.word(word, quoted);
    const bare = quoted ? '' : word;
    if (this.#opening === undefined) this.#open(bare);
    else this.#goOn(bare);
    if (word === 'set_config') this.#config.begin();
    else this.#add(functions.get(word));
    if (word.startsWith(TEMPORARY_SCHEMA)) this.#add('temporaryObject');
    if ((bare === 'temp' || bare === 'temporary') && this.#makesTemporary()) {
      this.#add('temporaryObject');
    }
    this.#previous = bare;
  }

  value(): void {
    this.#config.value();
    if (this.#opening !== 'prepareTransaction') this.#goOn('');
    this.#opening = 'other';
    this.#previous = '';
  }

  mark(byte: number): void {
    this.#config.mark(byte);
    this.#previous = '';
    if (byte === SEMICOLON) {
      this.#opening = undefined;
      this.#insertsInto = false;
    } else if (this.#opening === 'setScope') this.#decide('setting');
    else if (this.#opening !== 'declare') this.#goOn('');
  }

  riddle(): void {
    this.#add('hiddenState');
  }

  /** The first word of a statement. */
  #open(word: string): void {
    this.#opening = word === 'set' || word === 'prepare' || word === 'declare' ? word : 'other';
    this.#insertsInto = word === 'insert' || word === 'merge';
    this.#opaque ||= word === 'do' || word === 'call';
    const reason = openings.get(word);
    if (reason !== 'depends') this.#add(reason);
  }

  /** A further token of a statement: a bare word, or '' for anything else. */
  #goOn(word: string): void {
    switch (this.#opening) {
      case 'set':
        if (setScopes.has(word)) this.#opening = 'setScope';
        else this.#decide('setting');
        return;
      case 'setScope':
        // SET LOCAL TO x and SET local.x = 1 name a setting.
        return this.#decide(word === 'to' ? 'setting' : undefined);
      case 'prepare':
        if (word === 'transaction') this.#opening = 'prepareTransaction';
        else this.#decide('preparedStatement');
        return;
      case 'prepareTransaction':
        // PREPARE TRANSACTION 'x' has a string here; this is a statement of that name.
        return this.#decide('preparedStatement');
      case 'declare':
        if (word === 'for') this.#opening = 'other';
        else if (word === 'hold' && this.#previous === 'with') this.#decide('heldCursor');
        return;
      default:
        this.#opening = 'other';
    }
  }

  #decide(reason: PinReason | undefined): void {
    this.#opening = 'other';
    this.#add(reason);
  }

  #makesTemporary(): boolean {
    return temporaryAfter.has(this.#previous) && !this.#insertsInto;
  }

  #add(reason: PinReason | undefined): void {
    if (reason !== undefined) this.#reasons.add(reason);
  }
}

const OPEN_PARENTHESIS = 0x28;
const CLOSE_PARENTHESIS = 0x29;
const COMMA = 0x2c;
const SEMICOLON = 0x3b;

/** Follows a call of set_config: only a third argument that is plainly `true` confines it to its transaction. */
class ConfigCall {
  readonly #leaves: () => void;
  /** Undefined outside a call, 0 before its parenthesis. */
  #depth: number | undefined;
  #commas = 0;
  #argument: 'empty' | 'true' | 'other' = 'empty';

  constructor(leaves: () => void) {
    this.#leaves = leaves;
  }

  /** The function's name was the last word. Calls within calls are not followed. */
  begin(): void {
    this.end();
    this.#depth = 0;
    this.#commas = 0;
  }

  word(word: string, quoted: boolean): void {
    if (this.#depth === undefined) return;
    const isTrue = word === 'true' && !quoted && this.#argument === 'empty';
    this.#argue(isTrue ? 'true' : 'other');
  }

  value(): void {
    if (this.#depth !== undefined) this.#argue('other');
  }

  mark(byte: number): void {
    if (this.#depth === undefined) return;
    if (byte === SEMICOLON) this.end();
    else if (byte === OPEN_PARENTHESIS) {
      this.#argument = this.#depth === 0 ? 'empty' : 'other';
      this.#depth += 1;
    } else if (byte === COMMA && this.#depth === 1) {
      this.#commas += 1;
      this.#argument = 'empty';
    } else if (byte === CLOSE_PARENTHESIS && this.#depth === 1) {
      if (this.#commas === 2 && this.#argument === 'true') this.#depth = undefined;
      else this.end();
    } else {
      this.#argue('other');
      if (byte === CLOSE_PARENTHESIS && this.#depth !== undefined) this.#depth -= 1;
    }
  }

  /** It did not turn out to be harmless. */
  end(): void {
    if (this.#depth === undefined) return;
    this.#depth = undefined;
    this.#leaves();
  }

  #argue(argument: 'true' | 'other'): void {
    if (this.#depth === 0) this.end();
    else this.#argument = argument;
  }
}
