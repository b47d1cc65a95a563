import { latin1 } from '../../base/bytes.ts';
import type { Dialect } from './dialect.ts';
import type { Effects } from './effects.ts';
import { Judge } from './judge.ts';
import { Prefilter } from './prefilter.ts';
import { SqlDigest } from './sql-digest.ts';
import { SqlWords } from './sql-words.ts';

/** Classifies a text that comes in pieces. */
export interface StreamingClassifier {
  feed(bytes: Uint8Array, start: number, end: number): void;
  /** To be called once, after the last piece. */
  finish(): Effects | undefined;
}

/** How much is read at a time until a digest is full. */
const PIECE_BYTES = 1_024;
const CACHED_TEXT_BYTES = 4_096;
const CACHED_TEXTS = 2_048;
const CACHED_DIALECTS = 16;

/** What is known of the texts of one dialect. */
interface Learnt {
  readonly prefilter: Prefilter;
  readonly effects: Map<string, Effects | undefined>;
}

/**
 * Says what statements do beyond their transaction, by their text alone. What routines, triggers and views of the database do
 * cannot be seen. Sound rather than exact: in doubt a text is said to have an effect.
 */
export class Classifier {
  readonly #learnt = new Map<string, Learnt>();
  #dialect: Dialect | undefined;
  #current: Learnt | undefined;

  /** Classifies the text `bytes[start, end)`; undefined where there is nothing to know of it, as of nearly all texts. */
  classify(bytes: Uint8Array, start: number, end: number, dialect: Dialect): Effects | undefined {
    const learnt = this.#learntOf(dialect);
    if (!learnt.prefilter.mayMatter(bytes, start, end)) return undefined;
    if (end - start > CACHED_TEXT_BYTES) return judge(bytes, start, end, dialect);
    const text = latin1(bytes, start, end);
    const known = learnt.effects.get(text);
    if (known !== undefined || learnt.effects.has(text)) return known;
    const effects = judge(bytes, start, end, dialect);
    forget(learnt.effects, CACHED_TEXTS);
    learnt.effects.set(text, effects);
    return effects;
  }

  #learntOf(dialect: Dialect): Learnt {
    if (this.#dialect === dialect && this.#current !== undefined) return this.#current;
    const key = JSON.stringify(dialect);
    let learnt = this.#learnt.get(key);
    if (learnt === undefined) {
      forget(this.#learnt, CACHED_DIALECTS);
      learnt = { prefilter: new Prefilter(dialect), effects: new Map() };
      this.#learnt.set(key, learnt);
    }
    this.#dialect = dialect;
    this.#current = learnt;
    return learnt;
  }
}

/** For a text that is too long to be held. */
export function beginStreaming(dialect: Dialect): StreamingClassifier {
  return new Stream(dialect);
}

/** The text without its values, for logs. */
export function digestOf(bytes: Uint8Array, start: number, end: number, dialect: Dialect): string {
  const digest = new SqlDigest();
  const words = new SqlWords(digest, dialect);
  for (let at = start; at < end && !digest.full; at += PIECE_BYTES) {
    words.feed(bytes, at, Math.min(end, at + PIECE_BYTES));
  }
  words.finish();
  return digest.text;
}

function judge(
  bytes: Uint8Array,
  start: number,
  end: number,
  dialect: Dialect,
): Effects | undefined {
  // A text within a text within a text is not looked into.
  const nested = (text: Uint8Array): Effects | undefined =>
    hear(text, 0, text.length, dialect, undefined).effects(() => '');
  const outer = hear(bytes, start, end, dialect, nested);
  return outer.effects(() => digestOf(bytes, start, end, dialect));
}

function hear(
  bytes: Uint8Array,
  start: number,
  end: number,
  dialect: Dialect,
  nested: ((text: Uint8Array) => Effects | undefined) | undefined,
): Judge {
  const heard = new Judge(dialect, nested, () => words.distrust());
  const words = new SqlWords(heard, dialect);
  words.feed(bytes, start, end);
  words.finish();
  return heard;
}

class Stream implements StreamingClassifier {
  readonly #judge: Judge;
  readonly #words: SqlWords;
  readonly #digest = new SqlDigest();
  readonly #digestWords: SqlWords;

  constructor(dialect: Dialect) {
    this.#judge = new Judge(dialect, undefined, () => this.#words.distrust());
    this.#words = new SqlWords(this.#judge, dialect);
    this.#digestWords = new SqlWords(this.#digest, dialect);
  }

  feed(bytes: Uint8Array, start: number, end: number): void {
    this.#words.feed(bytes, start, end);
    if (!this.#digest.full) this.#digestWords.feed(bytes, start, end);
  }

  finish(): Effects | undefined {
    this.#words.finish();
    this.#digestWords.finish();
    return this.#judge.effects(() => this.#digest.text);
  }
}

/** The oldest makes room for the newest. */
function forget(map: Map<string, unknown>, limit: number): void {
  if (map.size < limit) return;
  for (const oldest of map.keys()) {
    map.delete(oldest);
    return;
  }
}
