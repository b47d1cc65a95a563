import { latin1 } from '../../base/bytes.ts';
import { backend } from '../../wire/postgres/message-types.ts';
import type { Assumption } from './ledger.ts';

/** What a statement takes and returns, as a Describe tells: equal ones of a statement are one object. */
export interface Description {
  /** Undefined where a portal was asked about. */
  readonly parameters: string | undefined;
  /** Names and types. Which table they come from is nobody's affair: it may have been made anew. */
  readonly columns: string;
}

/** Equal to no description that has been read. */
export const UNREADABLE: Description = { parameters: undefined, columns: '' };

/** Whether who was told the one may trust the other. */
export function agrees(here: Description, told: Description): boolean {
  return (
    here === told ||
    (here.columns === told.columns &&
      (told.parameters === undefined || told.parameters === here.parameters))
  );
}

/** A Describe of a statement or a portal, of the client's or of ours. */
export class Describing implements Assumption {
  readonly #done: (description: Description | undefined) => void;
  #parameters: string | undefined;
  #columns = '';
  #isReadable = true;

  /** `done` hears what it told, `UNREADABLE` where that was too long to read, and undefined where it was not answered. */
  constructor(done: (description: Description | undefined) => void) {
    this.#done = done;
  }

  /** A part of the answer: ParameterDescription, RowDescription or NoData, and its body unless that is too long to read. */
  hear(type: number, body: Uint8Array | undefined): void {
    if (body === undefined) this.#isReadable = false;
    else if (type === backend.parameterDescription) this.#parameters = latin1(body, 0, body.length);
    else this.#columns = type === backend.noData ? NO_COLUMNS : columnsOf(body);
  }

  hold(): void {
    const { columns, parameters } = { columns: this.#columns, parameters: this.#parameters };
    this.#done(this.#isReadable && columns !== '' ? { columns, parameters } : UNREADABLE);
  }

  undo(): void {
    this.#done(undefined);
  }
}

const NO_COLUMNS = 'none';
/** Behind a column's name and its NUL: its table and number, its type, size and modifier, and in a portal its format. */
const SOURCE_BYTES = 6;
const TYPE_BYTES = 10;
const FORMAT_BYTES = 2;

/** Of a RowDescription; empty where it cannot be read. */
function columnsOf(body: Uint8Array): string {
  let columns = ':';
  let at = 2;
  while (at < body.length) {
    const nul = body.indexOf(0, at);
    const type = nul + 1 + SOURCE_BYTES;
    const end = type + TYPE_BYTES + FORMAT_BYTES;
    if (nul < 0 || end > body.length) return '';
    columns += latin1(body, at, nul + 1) + latin1(body, type, type + TYPE_BYTES);
    at = end;
  }
  return columns;
}

/**
 * A Bind of a statement that returns something else than its client was told, since a table has changed: it is sent so that it
 * fails, and the client reads why in the words in which it would without us (trap PG-83).
 */
export class ChangedResult implements Assumption {
  undo(): void {}
}
