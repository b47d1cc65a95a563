import type { Row, Table } from '../data/table.ts';
import type { Value } from '../types/sql-type.ts';
import type { ResultColumn } from '../wire/reply.ts';

/** A result that is fetched piece by piece; its rows are taken when it is opened. */
export class Cursor {
  readonly name: string;
  readonly handle: number;
  readonly columns: readonly ResultColumn[];
  /** Where each row of it is stored, if it is of one table: for WHERE CURRENT OF. */
  readonly table: Table | undefined;
  #rows: readonly (readonly Value[])[] | undefined;
  #records: readonly (Row | undefined)[] = [];
  /** Of the present row: 0 before the first. */
  #at = 0;
  /** SQL text of it, to be run at each OPEN. */
  readonly open: (cursor: Cursor) => void;

  constructor(
    name: string,
    handle: number,
    columns: readonly ResultColumn[],
    table: Table | undefined,
    open: (cursor: Cursor) => void,
  ) {
    this.name = name;
    this.handle = handle;
    this.columns = columns;
    this.table = table;
    this.open = open;
  }

  get isOpen(): boolean {
    return this.#rows !== undefined;
  }

  get count(): number {
    return this.#rows?.length ?? 0;
  }

  take(rows: readonly (readonly Value[])[], records: readonly (Row | undefined)[]): void {
    this.#rows = rows;
    this.#records = records;
    this.#at = 0;
  }

  close(): void {
    this.#rows = undefined;
  }

  /** The row that is current, in its table. */
  get record(): Row | undefined {
    return this.#records[this.#at - 1];
  }

  /** Goes somewhere and gives what is there. */
  fetch(direction: string, count: number): readonly Value[] | undefined {
    const rows = this.#rows ?? [];
    switch (direction) {
      case 'NEXT':
        this.#at = Math.min(this.#at + 1, rows.length + 1);
        break;
      case 'PRIOR':
        this.#at = Math.max(this.#at - 1, 0);
        break;
      case 'FIRST':
        this.#at = 1;
        break;
      case 'LAST':
        this.#at = rows.length;
        break;
      case 'ABSOLUTE':
        this.#at = count < 0 ? rows.length + 1 + count : count;
        break;
      default:
        this.#at += count;
    }
    return rows[this.#at - 1];
  }
}
