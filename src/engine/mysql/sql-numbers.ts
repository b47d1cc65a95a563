import type { ByteKinds } from './sql-bytes.ts';
import { DASH, DOT, PLUS } from './sql-bytes.ts';
import type { Verdict } from './sql-comments.ts';

/** Hears what has begun with a digit, or with a dot and a digit. */
export interface NumberVisitor {
  /** Of a whole number its digits, otherwise empty. */
  number(digits: string): void;
  /** It was a name: `1a`. A sign behind it may have been looked at: `1e+a`. */
  name(name: string, sign: number | undefined): void;
  riddle(): void;
}

const LETTER_E = 0x65;
const MAX_DIGITS = 256;

type State =
  /** Letters and digits. */
  | 'whole'
  /** Behind `1e+`: an exponent, or the name `1e` and an operator. */
  | 'sign'
  | 'exponent'
  | 'fraction'
  /** Behind `1.5e` and `1.5e+`. */
  | 'fractionE'
  | 'fractionSign';

/** What begins with a digit: most of it numbers. */
export class SqlNumbers {
  readonly #visitor: NumberVisitor;
  readonly #kinds: ByteKinds;
  #state: State = 'whole';
  #text = '';
  #isWhole = true;
  #sign = 0;

  constructor(visitor: NumberVisitor, kinds: ByteKinds) {
    this.#visitor = visitor;
    this.#kinds = kinds;
  }

  begin(digit: number): void {
    this.#text = String.fromCharCode(digit);
    this.#isWhole = true;
    this.#state = 'whole';
  }

  beginFraction(): void {
    this.#state = 'fraction';
  }

  step(byte: number): Verdict {
    switch (this.#state) {
      case 'whole':
        return this.#inWhole(byte);
      case 'sign':
        if (this.#kinds.isDigit(byte)) {
          this.#state = 'exponent';
          return 'more';
        }
        this.#visitor.name(this.#text, this.#sign);
        return 'again';
      case 'exponent':
        return this.#kinds.isDigit(byte) ? 'more' : this.#isNumber('');
      default:
        return this.#inFraction(byte);
    }
  }

  #inWhole(byte: number): Verdict {
    if (this.#kinds.isLetterOrDigit(byte)) {
      if (this.#text.length < MAX_DIGITS) this.#text += String.fromCharCode(byte);
      if (!this.#kinds.isDigit(byte)) this.#isWhole = false;
      else if (!this.#isWhole && /^\d+e\d$/i.test(this.#text)) this.#state = 'exponent';
      return 'more';
    }
    if (this.#isWhole) {
      if (byte !== DOT) return this.#isNumber(this.#text);
      this.#state = 'fraction';
      return 'more';
    }
    if (/^0(?:x[\da-fA-F]+|b[01]+)$/.test(this.#text)) return this.#isNumber('');
    if ((byte === PLUS || byte === DASH) && /^\d+e$/i.test(this.#text)) {
      this.#sign = byte;
      this.#state = 'sign';
      return 'more';
    }
    this.#visitor.name(this.#text, undefined);
    return 'again';
  }

  #inFraction(byte: number): Verdict {
    if (this.#kinds.isDigit(byte)) {
      if (this.#state !== 'fraction') this.#state = 'exponent';
      return 'more';
    }
    if (this.#state === 'fraction') {
      if ((byte | 0x20) !== LETTER_E) return this.#isNumber('');
      this.#state = 'fractionE';
      return 'more';
    }
    if (this.#state === 'fractionE' && (byte === PLUS || byte === DASH)) {
      this.#state = 'fractionSign';
      return 'more';
    }
    // MySQL throws the number away, and reads this byte in another way than at the beginning of a token.
    this.#visitor.riddle();
    return this.#isNumber('');
  }

  #isNumber(digits: string): Verdict {
    this.#visitor.number(digits);
    return 'again';
  }
}
