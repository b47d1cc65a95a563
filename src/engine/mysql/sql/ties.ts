import type { Tie, TieName, TieReason } from './effects.ts';

/** How a text ended: the whole of it, or an error. */
export interface Outcome {
  readonly isError: boolean;
  /** There was nothing but one statement: after an error, none of it has been done. */
  readonly isSingle: boolean;
  /** The session's schema while it ran. */
  readonly schema: string | undefined;
}

/** By what a session is tied to its connection, by reason and name. */
export class Ties {
  /** How often; a lock may be taken several times. */
  readonly #held = new Map<TieReason, Map<string, number>>();

  has(reason: TieReason): boolean {
    return this.#held.has(reason);
  }

  get reasons(): readonly TieReason[] {
    return [...this.#held.keys()];
  }

  get isEmpty(): boolean {
    return this.#held.size === 0;
  }

  /** The connection has been reset. */
  clear(): void {
    this.#held.clear();
  }

  /** In doubt something was taken, and not dropped. */
  apply(ties: readonly Tie[], outcome: Outcome): void {
    for (const tie of ties) {
      if (tie.does === 'takes') {
        // A lock may be taken before the rest of its statement fails.
        const isDone = !outcome.isError || !outcome.isSingle || tie.reason === 'sessionLock';
        if (isDone) this.#take(tie.reason, keyOf(tie.name, outcome.schema));
      } else if (tie.does === 'renames') this.#rename(tie, outcome);
      else if (outcome.isError) continue;
      else if (tie.does === 'dropsAll') this.#held.delete(tie.reason);
      else this.#drop(tie.reason, keyOf(tie.name, outcome.schema));
    }
  }

  #rename(tie: Extract<Tie, { does: 'renames' }>, { schema, isError, isSingle }: Outcome): void {
    const from = keyOf(tie.name, schema);
    if ((isError && isSingle) || this.#held.get(tie.reason)?.has(from) !== true) return;
    this.#take(tie.reason, keyOf(tie.to, schema));
    if (!isError) this.#drop(tie.reason, from);
  }

  #take(reason: TieReason, key: string): void {
    const names = this.#held.get(reason) ?? new Map<string, number>();
    this.#held.set(reason, names);
    names.set(key, reason === 'sessionLock' ? (names.get(key) ?? 0) + 1 : 1);
  }

  #drop(reason: TieReason, key: string): void {
    const names = this.#held.get(reason);
    const count = names?.get(key);
    if (names === undefined || count === undefined) return;
    if (count > 1) names.set(key, count - 1);
    else names.delete(key);
    if (names.size === 0) this.#held.delete(reason);
  }
}

/** No name that anybody could give is empty. */
const NAMELESS = '';

function keyOf(name: TieName | undefined, schema: string | undefined): string {
  return name === undefined ? NAMELESS : `${name.schema ?? schema ?? ''}\0${name.name}`;
}
