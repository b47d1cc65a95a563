import { Violation } from '../../base/assert.ts';
import { u8 } from '../../base/bytes.ts';
import { Columns } from './columns.ts';
import { RowWalk } from './row-walk.ts';
import { parameterStatus } from './rpc-parameters.ts';
import { Scanner } from './scanner.ts';
import { skipTableHead, TABLE_END } from './table-type.ts';
import { token } from './tokens.ts';
import { dataType, scanType, typeShape } from './types.ts';

/** Steps over a parameter of a call that is too long to be put together, in whatever pieces it comes, by nothing but its lengths. */
export class LongParameter {
  readonly #walk = new RowWalk();
  readonly #columns = new Columns();
  #isTable = false;
  #isInRow = false;
  #isDone = true;

  /** All of it has been stepped over. */
  get isDone(): boolean {
    return this.#isDone;
  }

  /**
   * Begins with the parameter at `at`. Returns where it ends or, where more of it is to come, `end`; undefined where what it is has not
   * come whole, or where it is encrypted, and longer for that.
   */
  begin(bytes: Uint8Array, at: number, end: number, version: number): number | undefined {
    const scanner = new Scanner(bytes, at, end);
    scanner.skipShortText();
    const isEncrypted = (scanner.u8() & parameterStatus.encrypted) !== 0;
    this.#isTable = scanner.peek() === dataType.table;
    if (this.#isTable) {
      scanner.skip(1);
      const columns = skipTableHead(scanner, version);
      this.#columns.begin(columns.length);
      for (const column of columns) this.#columns.add(column);
    } else {
      const shape = typeShape();
      scanType(scanner, version, 'parameter', shape);
      this.#columns.begin(1);
      this.#columns.add(shape);
    }
    if (scanner.isShort || isEncrypted) return undefined;
    this.#isDone = false;
    this.#isInRow = false;
    if (this.#isTable) return this.goOn(bytes, scanner.at, end);
    return this.#after(this.#walk.row(this.#columns, bytes, scanner.at, end), bytes, end);
  }

  /** Goes on with it. Returns the same. */
  goOn(bytes: Uint8Array, from: number, end: number): number {
    if (this.#isInRow) return this.#after(this.#walk.goOn(bytes, from, end), bytes, end);
    let at = from;
    while (at < end) {
      const next = u8(bytes, at);
      at += 1;
      if (next === TABLE_END) {
        this.#isDone = true;
        return at;
      }
      if (next !== token.tvpRow) throw new Violation(`a table-valued parameter with a row ${next}`);
      at = this.#walk.row(this.#columns, bytes, at, end);
      this.#isInRow = !this.#walk.isDone;
      if (this.#isInRow) return end;
    }
    return end;
  }

  /** A row, or the one value, has been stepped over, or a part of it. */
  #after(at: number, bytes: Uint8Array, end: number): number {
    this.#isInRow = !this.#walk.isDone;
    if (this.#isInRow) return end;
    if (this.#isTable) return this.goOn(bytes, at, end);
    this.#isDone = true;
    return at;
  }
}
