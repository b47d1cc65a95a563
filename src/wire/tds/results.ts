import { Violation } from '../../base/assert.ts';
import { u16le, u8 } from '../../base/bytes.ts';
import { limits } from '../../base/limits.ts';
import { NO_METADATA, scanColumn, scanReturnValue, skipKeys } from './columns.ts';
import type { Form } from './columns.ts';
import { decode } from './decode.ts';
import type { Value } from './decode.ts';
import { headBytes, tokenEnd } from './plain-tokens.ts';
import { Scanner } from './scanner.ts';
import { doneStatus, readError, readReturnStatus, token } from './tokens.ts';
import type { ServerError } from './tokens.ts';
import { typeShape } from './types.ts';
import type { TypeShape } from './types.ts';
import { scanValue, span } from './values.ts';

export interface ResultSet {
  /** Their names. */
  readonly columns: readonly string[];
  readonly rows: readonly (readonly Value[])[];
}

export interface EnvChange {
  readonly type: number;
  /** What follows the type, a copy. */
  readonly bytes: Uint8Array;
}

/** All that a reply says. */
export interface Results {
  readonly sets: readonly ResultSet[];
  readonly errors: readonly ServerError[];
  readonly infos: readonly ServerError[];
  readonly returnValues: readonly Value[];
  /** Of the last procedure that has ended; undefined: none has. */
  readonly returnStatus: number | undefined;
  readonly envChanges: readonly EnvChange[];
  /** As the last DONE has it: of servers that say so. */
  readonly inTransaction: boolean;
}

/** Decodes the reply to a question of ours, all of its payload. @param columnEncryption as agreed on at the login */
export function readResults(
  payload: Uint8Array,
  version: number,
  columnEncryption = false,
): Results {
  const reading = new Reading(payload, version, columnEncryption);
  reading.run();
  return reading;
}

interface Column {
  readonly name: string;
  readonly shape: TypeShape;
}

class Reading implements Results {
  readonly #bytes: Uint8Array;
  readonly #form: Form;
  readonly #scanner: Scanner;
  readonly #span = span();
  #columns: readonly Column[] | undefined;
  #rows: (readonly Value[])[] = [];
  #at = 0;
  #rowCount = 0;
  readonly sets: ResultSet[] = [];
  readonly errors: ServerError[] = [];
  readonly infos: ServerError[] = [];
  readonly returnValues: Value[] = [];
  returnStatus: number | undefined;
  readonly envChanges: EnvChange[] = [];
  inTransaction = false;

  constructor(bytes: Uint8Array, version: number, columnEncryption: boolean) {
    this.#bytes = bytes;
    // We ask for nothing that would say more.
    this.#form = { version, columnEncryption, dataClassification: 0 };
    this.#scanner = new Scanner(bytes, 0, bytes.length);
  }

  run(): void {
    while (this.#at < this.#bytes.length) {
      const kind = u8(this.#bytes, this.#at);
      const next = this.#value(kind) ? this.#scanner.at : this.#plain(kind);
      if (next < 0 || next > this.#bytes.length)
        throw new Violation('a reply that ends within a token');
      this.#at = next;
    }
  }

  /** Reads a token of rows, or of a value; false: it is none. */
  #value(kind: number): boolean {
    this.#scanner.set(this.#bytes, this.#at + 1, this.#bytes.length);
    switch (kind) {
      case token.colMetadata:
        this.#describe();
        return true;
      case token.row:
        this.#row(undefined);
        return true;
      case token.nbcRow: {
        const nulls = this.#scanner.at;
        this.#scanner.skip(((this.#columns?.length ?? 0) + 7) >> 3);
        this.#row(nulls);
        return true;
      }
      case token.returnValue: {
        const shape = typeShape();
        scanReturnValue(this.#scanner, this.#form, shape);
        this.returnValues.push(this.#decode(shape));
        return true;
      }
      default:
        return false;
    }
  }

  #describe(): void {
    const scanner = this.#scanner;
    const count = scanner.u16();
    if (count === NO_METADATA) return;
    if (count > limits.tdsColumns.value) throw new Violation(`a result of ${count} columns`);
    if (this.#form.columnEncryption) skipKeys(scanner);
    const columns: Column[] = [];
    while (columns.length < count && !scanner.isShort) {
      const shape = typeShape();
      scanColumn(scanner, this.#form, shape);
      columns.push({ name: scanner.shortText(), shape });
    }
    this.#columns = columns;
    this.#rows = [];
    this.sets.push({ columns: columns.map(({ name }) => name), rows: this.#rows });
  }

  #row(nullsAt: number | undefined): void {
    const columns = this.#columns;
    if (columns === undefined) throw new Violation('a row whose columns were not described');
    this.#rowCount += 1;
    const most = limits.ownAnswerRows.value;
    if (this.#rowCount > most) throw new Violation(`an answer of more than ${most} rows`);
    if (this.#scanner.isShort) return;
    this.#rows.push(
      columns.map(({ shape }, index) =>
        nullsAt !== undefined && isNull(this.#bytes, nullsAt, index)
          ? undefined
          : this.#decode(shape),
      ),
    );
  }

  #decode(shape: TypeShape): Value {
    scanValue(this.#scanner, shape, this.#span);
    return this.#scanner.isShort ? undefined : decode(this.#bytes, shape, this.#span);
  }

  #plain(kind: number): number {
    const [bytes, at, { version }] = [this.#bytes, this.#at, this.#form];
    const next = tokenEnd(bytes, at, bytes.length, this.#form);
    if (next < 0) return next;
    const start = at + headBytes(kind);
    switch (kind) {
      case token.done:
      case token.doneProc:
      case token.doneInProc:
        this.inTransaction = (u16le(bytes, start) & doneStatus.inTransaction) !== 0;
        break;
      case token.error:
        this.errors.push(readError(bytes, start, next, version));
        break;
      case token.info:
        this.infos.push(readError(bytes, start, next, version));
        break;
      case token.returnStatus:
        this.returnStatus = readReturnStatus(bytes, start, next);
        break;
      case token.envChange:
        if (start === next) throw new Violation('ENVCHANGE: of nothing');
        this.envChanges.push({ type: u8(bytes, start), bytes: bytes.slice(start + 1, next) });
        break;
      default:
    }
    return next;
  }
}

function isNull(bytes: Uint8Array, nullsAt: number, index: number): boolean {
  return ((u8(bytes, nullsAt + (index >> 3)) >> (index & 7)) & 1) !== 0;
}
