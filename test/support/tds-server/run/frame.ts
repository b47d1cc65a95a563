import type { Row, Table } from '../data/table.ts';
import type { Name } from '../sql/ast.ts';
import { SqlError, errors } from '../types/errors.ts';
import type { SqlType, Value } from '../types/sql-type.ts';

export interface SourceColumn {
  readonly name: string;
  readonly type: SqlType;
  readonly isNullable: boolean;
  readonly isIdentity?: boolean;
}

/** One of the tables of a query. */
export interface Source {
  readonly alias: string;
  readonly schema: string;
  readonly columns: readonly SourceColumn[];
  /** Where rows can be changed. */
  readonly table?: Table | undefined;
}

/** A value that can be had for each row of the frames around it. */
export interface Compiled {
  readonly type: SqlType;
  readonly isNullable: boolean;
  readonly isIdentity?: boolean;
  /** The word NULL, which has no type of its own. */
  readonly isNull?: boolean;
  /** Straight from a table. */
  readonly isColumn?: boolean;
  get(): Value;
}

/** Aggregates of the present group. */
export interface Grouping {
  readonly aggregates: { readonly begin: () => Accumulator; current: Accumulator }[];
  /** Within the argument of an aggregate single rows are meant. */
  isInside: boolean;
}

export interface Accumulator {
  add(): void;
  result(): Value;
}

/** ROW_NUMBER() OVER (…) and its like: computed when all rows are known. */
export interface WindowCall {
  /** Fills `values`, one for each of the rows. */
  compute(rows: readonly Snapshot[], restore: (row: Snapshot) => void): readonly Value[];
  values: readonly Value[];
}

export interface Snapshot {
  readonly rows: readonly (readonly Value[])[];
  readonly records: readonly (Row | undefined)[];
}

/** The tables that a query's expressions may name, and their present rows. */
export class Frame {
  readonly sources: Source[] = [];
  readonly parent: Frame | undefined;
  rows: (readonly Value[])[] = [];
  records: (Row | undefined)[] = [];
  grouping: Grouping | undefined;
  readonly windows: WindowCall[] = [];
  windowAt = 0;

  constructor(parent: Frame | undefined) {
    this.parent = parent;
  }

  snapshot(): Snapshot {
    return { rows: this.rows.slice(), records: this.records.slice() };
  }

  restore({ rows, records }: Snapshot): void {
    this.rows = rows.slice();
    this.records = records.slice();
  }

  add(source: Source): number {
    this.sources.push(source);
    return this.sources.length - 1;
  }

  /** The column of that name here or further out. */
  column(name: Name): Compiled {
    const found = this.#own(name);
    if (found !== undefined) return found;
    if (this.parent !== undefined) return this.parent.column(name);
    if (name.length > 1)
      throw new SqlError(
        4104,
        `The multi-part identifier "${name.join('.')}" could not be bound.`,
        16,
        1,
        'batch',
      );
    throw errors.noColumn(name.join('.'));
  }

  #own(name: Name): Compiled | undefined {
    const column = name.at(-1)?.toLowerCase() ?? '';
    const table = name.at(-2)?.toLowerCase();
    const places: [slot: number, at: number][] = [];
    for (const [slot, source] of this.sources.entries()) {
      if (table !== undefined && source.alias.toLowerCase() !== table) continue;
      const at =
        column === '$identity'
          ? source.columns.findIndex(({ isIdentity }) => isIdentity === true)
          : source.columns.findIndex((one) => one.name.toLowerCase() === column);
      if (at !== -1) places.push([slot, at]);
    }
    const [place] = places;
    if (place === undefined) return undefined;
    if (places.length > 1) throw errors.ambiguous(name.at(-1) ?? '');
    return this.at(...place);
  }

  at(slot: number, at: number): Compiled {
    const column = this.sources[slot]?.columns[at];
    if (column === undefined) throw new Error('a column that is not there');
    const { type, isNullable, isIdentity } = column;
    const found = {
      ...{ type, isNullable, isColumn: true, ...(isIdentity === true ? { isIdentity } : {}) },
      get: (): Value => this.rows[slot]?.[at] ?? null,
    };
    return found;
  }
}
