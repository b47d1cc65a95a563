import type { Description } from './description.ts';
import { agrees, Describing, UNREADABLE } from './description.ts';
import type { Effects } from './effects.ts';
import type { Assumption } from './ledger.ts';
import type { Move } from './positions.ts';
import type { Exchange } from './sql-names.ts';

/** A statement without a name that is no client's: nobody may run it. */
export const NOBODYS = {};

/** Who has which statement without a name. */
export interface UnnamedHome {
  ofSession: UnnamedStatement | undefined;
  ofConnection: object | undefined;
  /** How many requests have been sent to their end so far; 0 where none of these waits for its answer. */
  readonly ends: number;
}

/** A Parse message behind its name, to be sent again where the session gets another connection (trap PG-90). */
export interface UnnamedSource {
  /** The statement's text begins at `start`; the message ends at `end`. */
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
  readonly effects: Effects;
  /** What the text prepares, if it prepares something, and how it was sent. */
  readonly exchange: Omit<Exchange, 'edits'>;
}

/**
 * A message that replaces a session's statement without a name, or drops it where there is no `source`. It is taken to succeed
 * as it is sent; if it does not, what was there before is there still, unless the message itself has failed.
 */
export class UnnamedStatement implements Assumption {
  readonly source: UnnamedSource | undefined;
  readonly #home: UnnamedHome;
  #before: UnnamedStatement | undefined;
  #connectionBefore: object | undefined;
  #isUndone = false;
  #isAnswered = false;
  readonly #ends: number;
  /** What the client was told that it returns, and whether that holds where it has been made again. */
  #told: Description | undefined;
  #holds: 'yes' | 'no' | 'comparing' = 'yes';

  constructor(source: UnnamedSource | undefined, home: UnnamedHome) {
    this.source = source;
    this.#home = home;
    this.#ends = home.ends;
    this.#before = home.ofSession;
    this.#connectionBefore = home.ofConnection;
    home.ofSession = source === undefined ? undefined : this;
    home.ofConnection = home.ofSession;
  }

  get moves(): readonly Move[] | undefined {
    return this.source?.exchange.moves;
  }

  /** It belongs to an earlier request, and nobody knows yet whether it is there. */
  get isInDoubt(): boolean {
    return !this.#isAnswered && this.#ends < this.#home.ends;
  }

  get isTold(): boolean {
    return this.#told !== undefined;
  }

  get isComparing(): boolean {
    return this.#holds === 'comparing';
  }

  get isChanged(): boolean {
    return this.#holds === 'no';
  }

  /** The client asks what it returns. */
  tell(): Describing {
    return new Describing((description) => {
      if (description === undefined) return;
      this.#told = description === UNREADABLE ? undefined : description;
      this.#holds = 'yes';
    });
  }

  /** We ask, where it has been made again. */
  compare(): Describing {
    this.#holds = 'comparing';
    return new Describing((here) => {
      const told = this.#told;
      this.#holds = here === undefined || told === undefined || agrees(here, told) ? 'yes' : 'no';
    });
  }

  hold(): void {
    this.#isAnswered = true;
    this.#before = undefined;
    this.#connectionBefore = undefined;
  }

  /** PostgreSQL drops the old statement before it looks at the new one. */
  undo(failed: boolean): void {
    this.#isUndone = true;
    this.#isAnswered = true;
    if (failed) this.hold();
    const home = this.#home;
    if (home.ofSession !== (this.source === undefined ? undefined : this)) return;
    home.ofSession = this.#before?.standing();
    home.ofConnection = this.#connectionBefore;
  }

  /** This one, or what stood before it where it never was. */
  standing(): UnnamedStatement | undefined {
    return this.#isUndone ? this.#before?.standing() : this;
  }
}

/** What a session may hold on to of a chunk, rather than copy what it needs. */
const KEPT_CHUNK_BYTES = 1_024;

/** The source as it may be kept: chunks belong to whoever has received them. */
export function kept(source: UnnamedSource): UnnamedSource {
  const { bytes, start, end } = source;
  if (bytes.length <= KEPT_CHUNK_BYTES) return source;
  return { ...source, bytes: bytes.slice(start, end), start: 0, end: end - start };
}
