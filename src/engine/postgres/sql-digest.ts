import { limits } from '../../base/limits.ts';
import type { WordVisitor } from './sql-words.ts';

const LIMIT_BYTES = limits.statementDigestBytes.value;
const ELLIPSIS = '…';
const ELLIPSIS_BYTES = 3;

/**
 * A statement as a log may show it: `$1`, `$2` … for literals and parameters, no comments, single spaces, bare words in
 * lower case, at most `limits.statementDigestBytes`.
 */
export class SqlDigest implements WordVisitor {
  #text = '';
  #bytes = 0;
  #values = 0;
  #full = false;
  #spaced = false;
  #afterValue = false;
  /** The first word of the statement at hand. */
  #opening: string | undefined;
  /** What follows is the value of a setting, which may be a bare word: `SET app.token TO abc`. */
  #isSetting = false;

  get text(): string {
    return this.#text;
  }

  /** Nothing more will be added. */
  get full(): boolean {
    return this.#full;
  }

  space(): void {
    this.#spaced = true;
  }

  word(word: string, quoted: boolean): void {
    // What is glued to a number is a part of it: 0xff, 1_000.
    if (this.#afterValue && !this.#spaced) return;
    if (this.#isSetting) return this.value();
    this.#add(quoted ? `"${word.replaceAll('"', '""')}"` : word);
    this.#opening ??= word;
    if (word === 'to' && !quoted) this.#expectSetting();
  }

  value(): void {
    this.#values += 1;
    this.#add(`$${this.#values}`);
    this.#afterValue = true;
  }

  mark(byte: number): void {
    const mark = String.fromCharCode(byte);
    this.#add(mark);
    if (mark === '=') this.#expectSetting();
    if (mark === ';') {
      this.#opening = undefined;
      this.#isSetting = false;
    }
  }

  riddle(): void {}

  #expectSetting(): void {
    this.#isSetting = this.#opening === 'set' || this.#opening === 'alter';
  }

  #add(token: string): void {
    if (this.#full) return;
    const piece = this.#spaced && this.#bytes > 0 ? ` ${token}` : token;
    const bytes = Buffer.byteLength(piece);
    this.#full = this.#bytes + bytes > LIMIT_BYTES - ELLIPSIS_BYTES;
    this.#text += this.#full ? ELLIPSIS : piece;
    this.#bytes += bytes;
    this.#spaced = false;
    this.#afterValue = false;
  }
}
