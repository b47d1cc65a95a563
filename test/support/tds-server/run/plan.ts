import type { Value } from '../types/sql-type.ts';
import type { ResultColumn } from '../wire/reply.ts';
import type { Frame } from './frame.ts';

/** A query whose names and types are known. */
export interface Plan {
  readonly columns: readonly ResultColumn[];
  /** Anew each time, with the present rows of the frames around. */
  rows(): Iterable<Value[]>;
  /** The variables that SELECT @a = … sets, in the order of the values; undefined where it has columns. */
  readonly assigns: readonly string[] | undefined;
  readonly frame: Frame | undefined;
}
