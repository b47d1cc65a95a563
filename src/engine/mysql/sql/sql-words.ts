import { text, u8 } from '../../../base/bytes.ts';
import type { Dialect } from './dialect.ts';
import type { ByteKinds } from './sql-bytes.ts';
import {
  AT,
  BACKQUOTE,
  BACKSLASH,
  byteKinds,
  DOLLAR,
  DOT,
  DOUBLE_QUOTE,
  HIGH,
  LOWER,
  QUOTE,
  SEMICOLON,
  SPACE,
} from './sql-bytes.ts';
import type { Verdict } from './sql-comments.ts';
import { SqlComments } from './sql-comments.ts';
import { SqlNumbers } from './sql-numbers.ts';
import { SqlStrings } from './sql-strings.ts';
import type { WordVisitor } from './word-visitor.ts';
import { MAX_WORD_BYTES } from './word-visitor.ts';

type State =
  | 'base'
  | 'comment'
  | 'number'
  | 'word'
  /** Behind a dot; `dotWord` if a bare word is before it. */
  | 'dot'
  | 'dotWord'
  /** x'…' and b'…' */
  | 'bits'
  /** Behind `@` and `@@`. */
  | 'at'
  | 'variable'
  | 'atAt'
  | 'system'
  /** Behind a `$` that a word begins with. */
  | 'tag'
  | 'dollarQuoted'
  | 'string'
  | 'identifier'
  /** Behind a quote inside of quotes: the end, or the first of two that stand for one. */
  | 'identifierQuote'
  /** Behind a name that began with a digit. */
  | 'named';

const LETTER_B = 0x62;
const LETTER_N = 0x6e;
const LETTER_X = 0x78;
/** MySQL from here on knows `$$…$$`; between this and 8.0 it may. */
const DOLLAR_QUOTES_FROM = 80_400;
const DOLLAR_QUOTES_NOT_BEFORE = 80_000;

/**
 * The lexer of MySQL and MariaDB (`lex_one_token` in sql_lex.cc) as far as it decides what is a word and what is not: fed in
 * pieces of any size, in flat memory. What cannot be lexed is an error to the server, and may be told in any way.
 */
export class SqlWords {
  readonly #visitor: WordVisitor;
  readonly #dialect: Dialect;
  readonly #kinds: ByteKinds;
  readonly #comments: SqlComments;
  readonly #numbers: SqlNumbers;
  readonly #strings: SqlStrings;
  #state: State = 'base';
  /** The word, name or tag at hand. */
  readonly #text = Buffer.allocUnsafe(MAX_WORD_BYTES);
  #textBytes = 0;
  #isBare = true;
  /** What is in the quotes at hand, and which they are. */
  #quoted: 'word' | 'variable' | 'system' = 'word';
  #quote = 0;
  /** How much of the closing dollar tag has been seen: 0 is nothing, 1 its `$`. */
  #matched = 0;
  #spaced = false;
  /** A statement before may have changed the dialect. */
  #isDistrusted = false;
  /** Where the byte at hand is in the text, and where the token at hand began. */
  #at = 0;
  #tokenAt = 0;

  constructor(visitor: WordVisitor, dialect: Dialect) {
    this.#visitor = visitor;
    this.#dialect = dialect;
    this.#kinds = byteKinds[dialect.charset];
    const riddle = (): void => visitor.riddle();
    const mark = (byte: number): void => this.#mark(byte);
    const execute = (digits: string): void => this.#execute(digits);
    this.#comments = new SqlComments({ mark, execute, riddle }, dialect);
    const number = (digits: string): void => this.#number(digits);
    const name = (told: string, sign: number | undefined): void => this.#oddName(told, sign);
    this.#numbers = new SqlNumbers({ number, name, riddle }, this.#kinds);
    this.#strings = new SqlStrings(!dialect.noBackslashEscapes);
    if (!dialect.isKnown) visitor.riddle();
  }

  /** From here on, what not every dialect reads alike is a riddle. */
  distrust(): void {
    this.#isDistrusted = true;
  }

  feed(bytes: Uint8Array, start: number, end: number): void {
    const before = this.#at - start;
    const maySkip = this.#dialect.charset !== 'treacherous';
    for (let at = start; at < end; at += 1) {
      if (this.#state === 'string' && maySkip && !this.#isDistrusted)
        at = this.#strings.skip(bytes, at, end);
      if (at === end) break;
      const byte = u8(bytes, at);
      this.#at = before + at;
      if (byte >= HIGH || byte === BACKSLASH || byte === DOUBLE_QUOTE) this.#suspect(byte);
      this.#step(byte);
    }
    this.#at = before + end;
  }

  /** Tells what is still held back. */
  finish(): void {
    this.#step(SPACE);
  }

  #suspect(byte: number): void {
    const { charset } = this.#dialect;
    const isOutside = this.#state === 'base' || this.#state === 'word' || this.#state === 'number';
    if (
      this.#isDistrusted ||
      (byte >= HIGH && (charset === 'treacherous' || (charset === 'other' && isOutside)))
    )
      this.#visitor.riddle();
  }

  #step(byte: number): void {
    switch (this.#state) {
      case 'base':
        return this.#begin(byte);
      case 'comment':
        return this.#inComment(byte);
      case 'number':
        return this.#heed(this.#numbers.step(byte), byte);
      case 'word':
        return this.#inWord(byte);
      case 'dot':
      case 'dotWord':
        return this.#afterDot(byte);
      case 'bits':
        if (byte === QUOTE) this.#number('');
        return;
      case 'at':
      case 'variable':
        return this.#inVariable(byte);
      case 'atAt':
      case 'system':
        return this.#inSystem(byte);
      case 'tag':
        return this.#inTag(byte);
      case 'dollarQuoted':
        return this.#inDollarQuotes(byte);
      case 'identifier':
      case 'identifierQuote':
        return this.#inIdentifier(byte);
      case 'named':
        return this.#afterToken(byte, true);
      default:
        if (this.#strings.step(byte) === 'more') return;
        this.#endString();
        this.#begin(byte);
    }
  }

  #inComment(byte: number): void {
    const verdict = this.#comments.step(byte);
    // A mark may have been told, and what is behind it be a comment still.
    if (verdict === 'more') this.#state = 'comment';
    else this.#heed(verdict, byte);
  }

  #heed(verdict: Verdict, byte: number): void {
    if (verdict === 'more') return;
    if (this.#state === 'comment') {
      this.#state = 'base';
      this.#spaced = true;
    }
    if (verdict === 'again') this.#step(byte);
  }

  #begin(byte: number): void {
    this.#tokenAt = this.#at;
    if (this.#kinds.isSpace(byte)) this.#spaced = true;
    else if (this.#kinds.isLetter(byte)) this.#beginWord(byte, true);
    else if (this.#kinds.isDigit(byte)) {
      this.#numbers.begin(byte);
      this.#state = 'number';
    } else this.#beginMark(byte);
  }

  #beginMark(byte: number): void {
    switch (byte) {
      case QUOTE:
      case DOUBLE_QUOTE:
      case BACKQUOTE:
        return this.#beginQuotes(byte, 'word');
      case DOT:
        this.#state = 'dot';
        return;
      case AT:
        this.#state = 'at';
        return;
      case SEMICOLON:
        this.#comments.endStatement();
        return this.#mark(byte);
      default:
        if (this.#comments.begin(byte)) this.#state = 'comment';
        else this.#mark(byte);
    }
  }

  #beginWord(byte: number, isBare: boolean): void {
    const { isMariadb, version } = this.#dialect;
    this.#textBytes = 0;
    this.#keep(byte);
    this.#isBare = isBare;
    const mayQuote = isBare && byte === DOLLAR && !isMariadb && version >= DOLLAR_QUOTES_NOT_BEFORE;
    this.#state = mayQuote ? 'tag' : 'word';
  }

  #beginQuotes(quote: number, quoted: 'word' | 'variable' | 'system'): void {
    const isName = quote === BACKQUOTE || (quote === DOUBLE_QUOTE && this.#dialect.ansiQuotes);
    this.#quoted = quoted;
    this.#quote = quote;
    this.#textBytes = 0;
    this.#strings.begin(quote);
    this.#state = isName ? 'identifier' : 'string';
  }

  /** A token ended before `byte`. */
  #restart(byte: number): void {
    this.#state = 'base';
    this.#begin(byte);
  }

  #inWord(byte: number): void {
    if (this.#kinds.isLetterOrDigit(byte)) return this.#keep(byte);
    if (byte === QUOTE && this.#isBare && this.#textBytes === 1) {
      const letter = u8(this.#text, 0) | LOWER;
      if (letter === LETTER_N) return this.#beginQuotes(byte, 'word');
      if (letter === LETTER_X || letter === LETTER_B) {
        this.#state = 'bits';
        return;
      }
    }
    this.#word(this.#isBare);
    this.#afterToken(byte, true);
  }

  /** Behind a word that is not quoted, a dot leads to a name even if that begins with a digit. */
  #afterToken(byte: number, wasWord: boolean): void {
    if (byte !== DOT) return this.#restart(byte);
    this.#tokenAt = this.#at;
    this.#state = wasWord ? 'dotWord' : 'dot';
  }

  #afterDot(byte: number): void {
    if (this.#state === 'dot' && this.#kinds.isDigit(byte)) {
      this.#numbers.beginFraction();
      this.#state = 'number';
      return;
    }
    this.#mark(DOT);
    if (!this.#kinds.isLetterOrDigit(byte)) return this.#begin(byte);
    this.#tokenAt = this.#at;
    this.#beginWord(byte, false);
  }

  /** `1a`, and `1e` before a sign that is no part of an exponent. */
  #oddName(name: string, sign: number | undefined): void {
    this.#next().word(name, false, this.#tokenAt, this.#at);
    this.#state = 'named';
    if (sign !== undefined) this.#restart(sign);
  }

  #inVariable(byte: number): void {
    if (this.#state === 'at') {
      if (byte === AT) {
        this.#state = 'atAt';
        return;
      }
      if (byte === QUOTE || byte === DOUBLE_QUOTE || byte === BACKQUOTE)
        return this.#beginQuotes(byte, 'variable');
      this.#textBytes = 0;
      this.#state = 'variable';
    }
    if (byte === DOT || this.#kinds.isLetterOrDigit(byte)) return this.#keep(byte);
    this.#variable(this.#kept());
    this.#begin(byte);
  }

  #inSystem(byte: number): void {
    if (this.#state === 'atAt') {
      if (byte === BACKQUOTE) return this.#beginQuotes(byte, 'system');
      this.#textBytes = 0;
      this.#state = 'system';
    }
    if (this.#kinds.isLetterOrDigit(byte)) return this.#keep(byte);
    this.#system();
    this.#afterToken(byte, true);
  }

  #inTag(byte: number): void {
    if (this.#kinds.isLetterOrDigit(byte) && byte !== DOLLAR) return this.#keep(byte);
    if (byte !== DOLLAR) return this.#inWord(byte);
    const isCut = this.#textBytes === MAX_WORD_BYTES;
    if (isCut || this.#dialect.version < DOLLAR_QUOTES_FROM) this.#visitor.riddle();
    this.#matched = 0;
    this.#state = 'dollarQuoted';
  }

  /** The tag, with its first `$`, holds no other: after a mismatch only a `$` can be the start of another try. */
  #inDollarQuotes(byte: number): void {
    if (this.#matched === this.#textBytes && byte === DOLLAR)
      this.#next().string(undefined, this.#tokenAt);
    else if (byte === DOLLAR) this.#matched = 1;
    else if (this.#matched === 0 || this.#matched === this.#textBytes) this.#matched = 0;
    else if (u8(this.#text, this.#matched) === byte) this.#matched += 1;
    else this.#matched = 0;
  }

  #endString(): void {
    const { said, isCut } = this.#strings;
    if (this.#quoted === 'word') this.#next().string(isCut ? undefined : said, this.#tokenAt);
    else this.#variable(text(said).slice(0, MAX_WORD_BYTES));
  }

  #inIdentifier(byte: number): void {
    if (byte === this.#quote) {
      if (this.#state === 'identifierQuote') this.#keep(byte);
      this.#state = this.#state === 'identifier' ? 'identifierQuote' : 'identifier';
    } else if (this.#state === 'identifier') this.#keep(byte);
    else {
      if (this.#quoted === 'word') this.#word(false);
      else if (this.#quoted === 'system') this.#system();
      else this.#variable(this.#kept());
      this.#afterToken(byte, false);
    }
  }

  #execute(digits: string): void {
    this.#visitor.executable();
    this.#spaced = true;
    this.#state = 'base';
    for (const digit of digits) this.#step(digit.charCodeAt(0));
  }

  #keep(byte: number): void {
    if (this.#textBytes === MAX_WORD_BYTES) return;
    this.#text[this.#textBytes] = byte;
    this.#textBytes += 1;
  }

  #kept(): string {
    return this.#text.toString('utf8', 0, this.#textBytes);
  }

  #word(isBare: boolean): void {
    this.#next().word(this.#kept(), isBare, this.#tokenAt, this.#at);
  }

  #variable(name: string): void {
    this.#next().variable(name, this.#tokenAt);
  }

  #system(): void {
    this.#next().system(this.#kept().toLowerCase(), this.#tokenAt);
  }

  #number(digits: string): void {
    this.#next().number(digits, this.#tokenAt);
  }

  #mark(byte: number): void {
    this.#next().mark(byte, this.#tokenAt);
  }

  /** Who hears of the token that is over now. */
  #next(): WordVisitor {
    if (this.#spaced) this.#visitor.space();
    this.#spaced = false;
    this.#state = 'base';
    return this.#visitor;
  }
}
