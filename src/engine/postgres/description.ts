import { latin1 } from '../../base/bytes.ts';
import type { Assumption } from './ledger.ts';

/** What a statement takes and returns, as a Describe tells: equal ones of a statement are one object. */
export interface Description {
  readonly text: string;
}

/** Equal to no description that has been read. */
export const UNREADABLE = '';

/** A Describe of a statement, of the client's or of ours. */
export class Describing implements Assumption {
  readonly #done: (text: string | undefined) => void;
  #text = '';
  #isReadable = true;

  /** `done` hears what it told, `UNREADABLE` where that was too long to read, and undefined where it was not answered. */
  constructor(done: (text: string | undefined) => void) {
    this.#done = done;
  }

  /** A part of the answer: ParameterDescription, RowDescription or NoData, and its body unless that is too long to read. */
  hear(type: number, body: Uint8Array | undefined): void {
    if (body === undefined) this.#isReadable = false;
    else this.#text += String.fromCharCode(type) + latin1(body, 0, body.length);
  }

  hold(): void {
    this.#done(this.#isReadable ? this.#text : UNREADABLE);
  }

  undo(): void {
    this.#done(undefined);
  }
}

/**
 * A Bind of a statement that returns something else than its client was told, since a table has changed: it is sent so that it
 * fails, and the client reads why in the words in which it would without us (trap PG-83).
 */
export class ChangedResult implements Assumption {
  undo(): void {}
}
