import type { Dialect } from './dialect.ts';
import type { ByteKinds } from './sql-bytes.ts';
import {
  BACKQUOTE,
  BANG,
  byteKinds,
  DASH,
  DOUBLE_QUOTE,
  HASH,
  NEWLINE,
  PLUS,
  QUOTE,
  SLASH,
  STAR,
} from './sql-bytes.ts';

/** Hears what is found where a comment may be. */
export interface CommentVisitor {
  mark(byte: number): void;
  /** A comment begins whose text is executed. `digits` are the first of it. */
  execute(digits: string): void;
  riddle(): void;
}

/** Whether a byte belonged to what is at hand, ended it, or is behind its end. */
export type Verdict = 'more' | 'done' | 'again';

const LETTER_M = 0x4d;
const MAX_VERSION_DIGITS = 6;
/** Of these, MariaDB takes executable comments for MySQL's own. */
const MYSQL_ONLY = { from: 50_700, to: 99_999 } as const;
/** MariaDB's cluster executes this. */
const WSREP_VERSION = 99_997;
/** MariaDB reads hints from here on; before, they were comments. */
const MARIADB_HINTS_FROM = 120_000;
/** MySQL from here on takes six digits for a version if a blank follows; before, rules differed. */
const SIX_DIGITS_FROM = 80_400;

type State =
  | 'dash'
  | 'dashes'
  | 'line'
  | 'slash'
  /** Behind a slash and a star, and with MariaDB behind an M. */
  | 'opening'
  | 'openingM'
  | 'version'
  | 'block'
  | 'hint'
  /** An executable comment for another server; one more comment may be in it. */
  | 'skipped'
  | 'skippedInner'
  /** A star that may end an executable comment. */
  | 'star'
  | 'perhapsEnd';

/** Comments, and what looks like the beginning of one. */
export class SqlComments {
  readonly #visitor: CommentVisitor;
  readonly #dialect: Dialect;
  readonly #kinds: ByteKinds;
  #state: State = 'line';
  #previous = 0;
  #quote = 0;
  #digits = '';
  #isMariadbs = false;
  /** Inside an executable comment; `doubtful` behind a semicolon, which may have ended it with its statement. */
  #executed: 'no' | 'yes' | 'doubtful' = 'no';

  constructor(visitor: CommentVisitor, dialect: Dialect) {
    this.#visitor = visitor;
    this.#dialect = dialect;
    this.#kinds = byteKinds[dialect.charset];
  }

  /** Whether `byte` may begin a comment, or end one that is executed. */
  begin(byte: number): boolean {
    if (byte === DASH) this.#state = 'dash';
    else if (byte === SLASH) this.#state = 'slash';
    else if (byte === HASH) this.#state = 'line';
    else if (byte === STAR && this.#executed !== 'no') this.#state = 'star';
    else return false;
    return true;
  }

  endStatement(): void {
    if (this.#executed === 'yes') this.#executed = 'doubtful';
  }

  step(byte: number): Verdict {
    switch (this.#state) {
      case 'dash':
      case 'dashes':
        return this.#afterDash(byte);
      case 'line':
        if (byte === 0) return 'again';
        return byte === NEWLINE ? 'done' : 'more';
      case 'slash':
        if (byte !== STAR) return this.#isMark(SLASH);
        this.#state = 'opening';
        return 'more';
      case 'opening':
      case 'openingM':
        return this.#open(byte);
      case 'version':
        return this.#inVersion(byte);
      case 'star':
      case 'perhapsEnd':
        return this.#afterStar(byte);
      default:
        return this.#inside(byte);
    }
  }

  #isMark(byte: number): Verdict {
    this.#visitor.mark(byte);
    return 'again';
  }

  /** Two dashes need a blank or a control character behind them. */
  #afterDash(byte: number): Verdict {
    if (this.#state === 'dash') {
      if (byte !== DASH) return this.#isMark(DASH);
      this.#state = 'dashes';
      return 'more';
    }
    if (this.#kinds.isBlankOrControl(byte)) {
      this.#state = 'line';
      return this.step(byte);
    }
    this.#visitor.mark(DASH);
    this.#state = 'dash';
    return this.step(byte);
  }

  #afterStar(byte: number): Verdict {
    if (this.#state === 'perhapsEnd') {
      // If the comment was over before, this is a star, and the beginning of another comment.
      if (byte === STAR) this.#visitor.riddle();
      return 'again';
    }
    if (byte !== SLASH) return this.#isMark(STAR);
    const wasDoubtful = this.#executed === 'doubtful';
    this.#executed = 'no';
    if (!wasDoubtful) return 'done';
    this.#state = 'perhapsEnd';
    return 'more';
  }

  #open(byte: number): Verdict {
    const { isMariadb, version } = this.#dialect;
    const isFirst = this.#state === 'opening';
    this.#previous = 0;
    this.#quote = 0;
    if (byte === BANG) {
      this.#isMariadbs = !isFirst;
      this.#digits = '';
      this.#state = 'version';
      return 'more';
    }
    if (isFirst && byte === LETTER_M && isMariadb) {
      this.#state = 'openingM';
      return 'more';
    }
    const hasHints = !isMariadb || version >= MARIADB_HINTS_FROM;
    this.#state = isFirst && byte === PLUS && hasHints ? 'hint' : 'block';
    return this.#inside(byte);
  }

  /** `/*!` and up to six digits: what is behind them is executed if the server is not older than that. */
  #inVersion(byte: number): Verdict {
    if (this.#kinds.isDigit(byte) && this.#digits.length < MAX_VERSION_DIGITS) {
      this.#digits += String.fromCharCode(byte);
      return 'more';
    }
    const { isMariadb, version } = this.#dialect;
    const isSix = this.#digits.length === MAX_VERSION_DIGITS;
    const mayRun = this.#runs(Number(this.#digits.slice(0, 5))) || this.#runs(Number(this.#digits));
    if (isSix && !isMariadb && version < SIX_DIGITS_FROM && mayRun) this.#visitor.riddle();
    const taken = isSix && !isMariadb && !this.#kinds.isSpace(byte) ? 5 : MAX_VERSION_DIGITS;
    const wanted = this.#digits.length < 5 ? '' : this.#digits.slice(0, taken);
    if (isMariadb && Number(wanted) === WSREP_VERSION) this.#visitor.riddle();
    if (wanted === '' || this.#runs(Number(wanted))) {
      this.#executed = 'yes';
      this.#visitor.execute(this.#digits.slice(wanted.length));
      return 'again';
    }
    this.#state = 'skipped';
    return this.#inside(byte);
  }

  #runs(wanted: number): boolean {
    const { isMariadb, version } = this.#dialect;
    const isMysqls = wanted >= MYSQL_ONLY.from && wanted <= MYSQL_ONLY.to;
    return wanted <= version && (!isMariadb || this.#isMariadbs || !isMysqls);
  }

  #inside(byte: number): Verdict {
    const previous = this.#previous;
    this.#previous = byte;
    if (previous === STAR && byte === SLASH) {
      this.#previous = 0;
      if (this.#state !== 'skippedInner') {
        if (this.#quote !== 0) this.#visitor.riddle();
        return 'done';
      }
      this.#state = 'skipped';
    } else if (previous === SLASH && byte === STAR && this.#state === 'skipped') {
      this.#previous = 0;
      this.#state = 'skippedInner';
    } else if (this.#state === 'hint') this.#inHint(byte);
    return 'more';
  }

  /** Inside of quotes, a hint does not end. */
  #inHint(byte: number): void {
    if (this.#quote === byte) this.#quote = 0;
    else if (this.#quote === 0 && (byte === QUOTE || byte === DOUBLE_QUOTE || byte === BACKQUOTE))
      this.#quote = byte;
  }
}
