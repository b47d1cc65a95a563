import { Violation } from '../../base/assert.ts';
import { EMPTY, u16le, u8 } from '../../base/bytes.ts';
import { limits } from '../../base/limits.ts';
import { ColumnsScan } from './columns-scan.ts';
import { Columns, scanReturnValue } from './columns.ts';
import type { Form } from './columns.ts';
import { Held } from './held.ts';
import { doneBytes, headBytes, tokenEnd } from './plain-tokens.ts';
import { RowWalk } from './row-walk.ts';
import { Scanner } from './scanner.ts';
import { token } from './tokens.ts';
import { dataType, typeShape } from './types.ts';

/** Who is told of the tokens that are no rows. Where one came in pieces its bytes are a copy; none may be kept. */
export interface TokenVisitor {
  /** An ENVCHANGE: `bytes[start, end)` is what follows its type, the new and the old value. */
  envChange(type: number, bytes: Uint8Array, start: number, end: number): void;
  /** DONE, DONEPROC or DONEINPROC. @param command the number of the statement's kind */
  done(token: number, status: number, command: number): void;
  /** ERROR: `bytes[start, end)` is what follows its length. */
  error(bytes: Uint8Array, start: number, end: number): void;
  /** INFO: `bytes[start, end)` is what follows its length. */
  info?(bytes: Uint8Array, start: number, end: number): void;
  /** Any other token that is not part of rows and no returned value, by what follows its type and, where it has one, its length. */
  other?(token: number, bytes: Uint8Array, start: number, end: number): void;
  /** The integer of the first RETURNVALUE of type INTN(4) since `expectHandle`, as it was before it was exchanged; undefined: NULL. */
  handle(original: number | undefined): void;
}

/** What has been agreed on at the login, as far as the form of tokens depends on it (trap TD-38). */
export interface WalkerOptions {
  readonly columnEncryption?: boolean;
  /** The version of data classification: 2 where it is not said. */
  readonly dataClassification?: number;
}

const INT_BYTES = 4;
/** Of `#handleBytes`: it is NULL. */
const NULL_HANDLE = 5;
/** Of a token in pieces, how much is put together before it is looked at again, the first time. */
const FIRST_PIECE_BYTES = 64;

/** Walks the tokens of a reply's payload in whatever pieces it comes, and skips rows by the lengths of their columns. */
export class TokenWalker {
  readonly #visitor: TokenVisitor;
  readonly #form: Form;
  readonly #doneBytes: number;
  /** A token, of which more is to come. */
  readonly #held = new Held();
  readonly #scanner = new Scanner(EMPTY, 0, 0);
  readonly #shape = typeShape();
  readonly #rows = new RowWalk();
  readonly #columns = new Columns();
  #hasColumns = false;
  readonly #columnsScan: ColumnsScan;
  /** Of a result's computed rows, by their number. */
  readonly #computed = new Map<number, Columns>();
  /** Of the one whose description is being read. */
  #computing: Columns | undefined;
  /** The one value of a RETURNVALUE. */
  readonly #value = new Columns();
  #virtual: number | undefined;
  /** How many bytes of a handle have passed, its length not counted; -2: there is none, -1: its length is next. */
  #handleBytes = -2;
  #handle = 0;

  /** @param tdsVersion what the token stream is in: that of the LOGINACK */
  constructor(tdsVersion: number, visitor: TokenVisitor, options: WalkerOptions = {}) {
    const { columnEncryption = false, dataClassification = 2 } = options;
    this.#visitor = visitor;
    this.#form = { version: tdsVersion, columnEncryption, dataClassification };
    this.#columnsScan = new ColumnsScan(this.#form);
    this.#doneBytes = doneBytes(tdsVersion);
  }

  /**
   * The next RETURNVALUE of type INTN(4) gets this value in place of its own, in the bytes themselves as they pass, in however many
   * pieces. This holds, across messages, until there is one, or until another is expected. @param virtual undefined: none is
   */
  expectHandle(virtual: number | undefined): void {
    this.#virtual = virtual;
  }

  /** Nothing of a token is missing. */
  get isBetween(): boolean {
    return this.#held.length === 0 && this.#rows.isDone && this.#handleBytes < -1;
  }

  /** A new message begins: no columns are known. */
  begin(): void {
    this.#held.clear();
    this.#rows.reset();
    this.#columnsScan.reset();
    this.#hasColumns = false;
    if (this.#computed.size > 0) this.#computed.clear();
    this.#computing = undefined;
    this.#handleBytes = -2;
  }

  /** `bytes[start, end)` goes on with the payload. Throws `Violation` for what is no token stream. */
  feed(bytes: Uint8Array, start: number, end: number): void {
    let at = this.#held.length > 0 ? this.#unhold(bytes, start, end) : start;
    while (at < end) {
      if (!this.#rows.isDone) {
        at = this.#rows.goOn(bytes, at, end);
      } else if (this.#handleBytes >= -1) {
        at = this.#exchange(bytes, at, end);
      } else {
        const kind = u8(bytes, at);
        if (kind === token.row) {
          at = this.#rows.row(this.#known(), bytes, at + 1, end);
        } else if (kind === token.nbcRow) {
          at = this.#rows.nbcRow(this.#known(), bytes, at + 1, end);
        } else {
          const next = this.#token(kind, bytes, at, end);
          if (next < 0) return this.#held.add(bytes, at, end);
          at = next;
        }
      }
    }
  }

  /** Puts together what was held with what has come. Returns where in `bytes` the token ends, or `end`. */
  #unhold(bytes: Uint8Array, start: number, end: number): number {
    const held = this.#held;
    const before = held.length;
    let at = start;
    for (let piece = FIRST_PIECE_BYTES; at < end; piece *= 4) {
      const until = Math.min(end, at + piece);
      held.add(bytes, at, until);
      at = until;
      const next = this.#token(u8(held.bytes, 0), held.bytes, 0, held.length);
      if (next >= 0) {
        held.clear();
        return start + next - before;
      }
    }
    const most = limits.tdsTokenBytes.value;
    if (held.length > most) throw new Violation(`a token of more than ${most} bytes`);
    return end;
  }

  #known(): Columns {
    if (!this.#hasColumns) throw new Violation('a row whose columns were not described');
    return this.#columns;
  }

  /** Returns the offset behind the token at `at` or, for what holds values, behind its head; -1: more of it is needed. */
  #token(kind: number, bytes: Uint8Array, at: number, end: number): number {
    switch (kind) {
      case token.done:
      case token.doneProc:
      case token.doneInProc: {
        const next = at + this.#doneBytes;
        if (next > end) return -1;
        this.#visitor.done(kind, u16le(bytes, at + 1), u16le(bytes, at + 3));
        return next;
      }
      case token.colMetadata: {
        const next = this.#columnsScan.scan(bytes, at, end, this.#columns);
        if (next >= 0 && !this.#columnsScan.isUndescribed) this.#hasColumns = true;
        return next;
      }
      case token.returnValue:
        return this.#returnValue(bytes, at, end);
      case token.altMetadata:
        return this.#altMetadata(bytes, at, end);
      case token.altRow:
        return this.#altRow(bytes, at, end);
      default: {
        const next = tokenEnd(bytes, at, end, this.#form);
        if (next >= 0) this.#tell(kind, bytes, at + headBytes(kind), next);
        return next;
      }
    }
  }

  #tell(kind: number, bytes: Uint8Array, start: number, end: number): void {
    switch (kind) {
      case token.envChange:
        if (start === end) throw new Violation('ENVCHANGE: of nothing');
        return this.#visitor.envChange(u8(bytes, start), bytes, start + 1, end);
      case token.error:
        return this.#visitor.error(bytes, start, end);
      case token.info:
        return this.#visitor.info?.(bytes, start, end);
      default:
        this.#visitor.other?.(kind, bytes, start, end);
    }
  }

  #returnValue(bytes: Uint8Array, at: number, end: number): number {
    const scanner = this.#scanner;
    const shape = this.#shape;
    scanner.set(bytes, at + 1, end);
    scanReturnValue(scanner, this.#form, shape);
    if (scanner.isShort) return -1;
    const isHandle = shape.type === dataType.intN && shape.bytes === INT_BYTES;
    if (this.#virtual !== undefined && isHandle) {
      this.#handleBytes = -1;
      this.#handle = 0;
    } else {
      this.#value.begin(1);
      this.#value.add(shape);
      this.#rows.row(this.#value, bytes, scanner.at, scanner.at);
    }
    return scanner.at;
  }

  /** Puts the virtual handle in the place of the real one, byte by byte. */
  #exchange(bytes: Uint8Array, from: number, end: number): number {
    let at = from;
    const virtual = this.#virtual ?? 0;
    for (; at < end && this.#handleBytes < INT_BYTES; at += 1) {
      const value = u8(bytes, at);
      if (this.#handleBytes === -1) {
        if (value !== INT_BYTES && value !== 0) throw new Violation(`an integer of ${value} bytes`);
        this.#handleBytes = value === 0 ? NULL_HANDLE : 0;
      } else {
        const shift = 8 * this.#handleBytes;
        this.#handle |= value << shift;
        bytes[at] = virtual >>> shift;
        this.#handleBytes += 1;
      }
    }
    if (this.#handleBytes >= INT_BYTES) {
      const isNull = this.#handleBytes === NULL_HANDLE;
      this.#virtual = undefined;
      this.#handleBytes = -2;
      this.#visitor.handle(isNull ? undefined : this.#handle);
    }
    return at;
  }

  #altMetadata(bytes: Uint8Array, at: number, end: number): number {
    const columns = this.#computing ?? new Columns();
    this.#computing = columns;
    const next = this.#columnsScan.scan(bytes, at, end, columns);
    if (next < 0) return -1;
    this.#computing = undefined;
    if (this.#computed.size >= limits.tdsColumns.value)
      throw new Violation('too many COMPUTE clauses');
    this.#computed.set(this.#columnsScan.id, columns);
    return next;
  }

  #altRow(bytes: Uint8Array, at: number, end: number): number {
    const next = at + 3;
    if (next > end) return -1;
    const columns = this.#computed.get(u16le(bytes, at + 1));
    if (columns === undefined) throw new Violation('a computed row that was not described');
    this.#rows.row(columns, bytes, next, next);
    return next;
  }
}
