import { latin1 } from '../../base/bytes.ts';
import type { Effects } from './effects.ts';
import { NO_EFFECTS } from './effects.ts';
import {
  functions,
  Judge,
  sequenceReaders,
  STATEMENT_LIST,
  TEMPORARY_SCHEMA,
  unlocks,
} from './judge.ts';
import { mayMatter } from './prefilter.ts';
import { SqlDigest } from './sql-digest.ts';
import { SqlWords } from './sql-words.ts';

/** Classifies a text that comes in pieces. */
export interface StreamingClassifier {
  feed(bytes: Uint8Array, start: number, end: number): void;
  /** To be called once, after the last piece. */
  finish(): Effects;
}

/** The words that matter where a statement begins with them. */
const leavingWords =
  'set|reset|discard|prepare|execute|deallocate|listen|unlisten|load|declare|close|drop';
const names = [
  'set_config',
  'set_limit',
  ...functions.keys(),
  ...unlocks,
  ...sequenceReaders,
  TEMPORARY_SCHEMA,
  STATEMENT_LIST,
];
const elsewhere = `${shortest(names).join('|')}|temp\\b|temporary\\b|hold\\b|u&"`;

/**
 * The second filter, for what the first has stopped. A statement begins at the text's beginning, after a semicolon or after a
 * comment, hence after `/` or a newline; no loop may cross a newline, lest a text of newlines take quadratic time. Two
 * expressions are twice as fast as one with both.
 */
const opens = new RegExp(`(?:^|[;/\\n\\r])[ \\t\\f\\v]*(?:${leavingWords}|do|call)\\b`, 'i');
const mentions = new RegExp(`${elsewhere}|execute\\b|pg_settings\\b`, 'i');

/**
 * What must not stand anywhere in a text that DO runs or CALL passes on, its strings and comments included. EXECUTE, escapes
 * and other languages than PL/pgSQL can hide anything.
 */
const suspicious = new RegExp(
  `\\b(?:set|reset|discard|prepare|deallocate|listen|unlisten|load|execute)\\b|${elsewhere}|\\\\|u&|\\blanguage\\b(?!\\s+plpgsql\\b)`,
  'i',
);

/** How much is read at a time until a digest is full. */
const PIECE_BYTES = 1_024;
const CACHED_TEXT_BYTES = 4_096;
const CACHED_TEXTS = 2_048;

/**
 * Says what statements do beyond their transaction, by their text alone. What functions, procedures and triggers of the
 * database do cannot be seen. Sound rather than exact: in doubt a text is said to have an effect.
 * The assumptions of `SqlWords` are its own.
 */
export class Classifier {
  readonly #cache = new Map<string, Effects>();

  /** Classifies the text `bytes[start, end)`. */
  classify(bytes: Uint8Array, start: number, end: number): Effects {
    if (!mayMatter(bytes, start, end)) return NO_EFFECTS;
    const text = latin1(bytes, start, end);
    if (!opens.test(text) && !mentions.test(text)) return NO_EFFECTS;
    if (text.length > CACHED_TEXT_BYTES) return this.#examine(text, bytes, start, end);
    const known = this.#cache.get(text);
    if (known !== undefined) return known;
    const effects = this.#examine(text, bytes, start, end);
    this.#remember(text, effects);
    return effects;
  }

  /** Of a text that comes in pieces, DO and CALL are never said to be clean, and no value is told. */
  beginStreaming(): StreamingClassifier {
    return new Stream();
  }

  #examine(text: string, bytes: Uint8Array, start: number, end: number): Effects {
    const judge = new Judge((from, to) => text.slice(from, to));
    const words = new SqlWords(judge);
    words.feed(bytes, start, end);
    words.finish();
    return (
      judge.effects(end - start, () => suspicious.test(text), digestOf(bytes, start, end)) ??
      NO_EFFECTS
    );
  }

  /** The oldest makes room for the newest. */
  #remember(text: string, effects: Effects): void {
    if (this.#cache.size === CACHED_TEXTS) {
      for (const oldest of this.#cache.keys()) {
        this.#cache.delete(oldest);
        break;
      }
    }
    this.#cache.set(text, effects);
  }
}

/** The text without its values, for logs. */
export function digestOf(bytes: Uint8Array, start: number, end: number): string {
  const digest = new SqlDigest();
  const words = new SqlWords(digest);
  for (let at = start; at < end && !digest.full; at += PIECE_BYTES) {
    words.feed(bytes, at, Math.min(end, at + PIECE_BYTES));
  }
  words.finish();
  return digest.text;
}

class Stream implements StreamingClassifier {
  readonly #judge = new Judge();
  readonly #words = new SqlWords(this.#judge);
  readonly #digest = new SqlDigest();
  readonly #digestWords = new SqlWords(this.#digest);
  #bytes = 0;

  feed(bytes: Uint8Array, start: number, end: number): void {
    this.#bytes += end - start;
    this.#words.feed(bytes, start, end);
    if (!this.#digest.full) this.#digestWords.feed(bytes, start, end);
  }

  finish(): Effects {
    this.#words.finish();
    this.#digestWords.finish();
    return this.#judge.effects(this.#bytes, () => true, this.#digest.text) ?? NO_EFFECTS;
  }
}

/** Which words a search for all of them needs: not those that begin with another one. */
function shortest(words: readonly string[]): string[] {
  return words.filter((word) => !words.some((other) => other !== word && word.startsWith(other)));
}
