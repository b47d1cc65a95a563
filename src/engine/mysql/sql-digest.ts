import { limits } from '../../base/limits.ts';
import type { WordVisitor } from './word-visitor.ts';

const LIMIT_BYTES = limits.statementDigestBytes.value;
const ELLIPSIS = '…';
const ELLIPSIS_BYTES = 3;
const PLAIN_NAME = /^[\w.$]+$/;
/** Statements whose values may be bare words: `SET x = on`. */
const setting: ReadonlySet<string> = new Set(['set', 'alter', 'create']);

/**
 * A statement as a log may show it: `?` for literals and parameters, no comments, single spaces, bare words in lower case, at most
 * `limits.statementDigestBytes`.
 */
export class SqlDigest implements WordVisitor {
  #text = '';
  #bytes = 0;
  #full = false;
  #spaced = false;
  /** The first word of the statement at hand. */
  #opening: string | undefined;
  /** What follows is the value of a setting. */
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

  word(word: string, isBare: boolean): void {
    if (this.#isSetting) return this.#value();
    const text = isBare ? word.toLowerCase() : quote(word);
    this.#opening ??= text;
    this.#add(text);
  }

  string(): void {
    this.#value();
  }

  number(): void {
    this.#value();
  }

  variable(name: string): void {
    this.#add(`@${quote(name)}`);
  }

  system(name: string): void {
    this.#add(`@@${name}`);
  }

  mark(byte: number): void {
    const mark = String.fromCharCode(byte);
    this.#add(mark);
    this.#isSetting = mark === '=' && setting.has(this.#opening ?? '');
    if (mark === ';') this.#opening = undefined;
  }

  executable(): void {}

  /** What follows might be a value, and not look like one. */
  riddle(): void {
    this.#add(ELLIPSIS);
    this.#full = true;
  }

  #value(): void {
    this.#isSetting = false;
    this.#add('?');
  }

  #add(token: string): void {
    if (this.#full) return;
    const piece = this.#spaced && this.#bytes > 0 ? ` ${token}` : token;
    const bytes = Buffer.byteLength(piece);
    this.#full = this.#bytes + bytes > LIMIT_BYTES - ELLIPSIS_BYTES;
    this.#text += this.#full ? ELLIPSIS : piece;
    this.#bytes += bytes;
    this.#spaced = false;
  }
}

/** In quotes only where it must be. */
function quote(name: string): string {
  return PLAIN_NAME.test(name) ? name : `\`${name.replaceAll('`', '``')}\``;
}
