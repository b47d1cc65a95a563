import type { Tie, TieReason } from './effects.ts';

/** How a text ended, and what that means for what it takes and drops. */
export interface Outcome {
  readonly isError: boolean;
  /** It ran in a transaction, or may have begun or ended one: what it did may be undone. */
  readonly mayBeUndone: boolean;
}

/** One of the things by which a session may be tied, of which the server can tell whether it is there. */
export interface Suspect {
  readonly reason: ProbedReason;
  readonly name: string;
}

export type ProbedReason = Extract<
  TieReason,
  'temporaryObject' | 'cursor' | 'sessionLock' | 'sessionContext'
>;

/** Names of what there may be several of, one as good as another. */
export const IMPERSONATION = 'execute as';
export const XML_DOCUMENT = 'xml document';
const counted: readonly string[] = [IMPERSONATION, XML_DOCUMENT];

/** No name that anybody could give is empty. */
const NAMELESS = '';

const NONE: readonly Suspect[] = [];

/** By what a session is tied to its connection, by reason and name; and what the server is to be asked about. */
export class Ties {
  /** How often; some things are counted. */
  readonly #held = new Map<TieReason, Map<string, number>>();
  /** What may have come, or gone. */
  readonly #suspects = new Map<string, Suspect>();

  has(reason: TieReason, name?: string): boolean {
    const names = this.#held.get(reason);
    return names !== undefined && (name === undefined || names.has(name));
  }

  get isEmpty(): boolean {
    return this.#held.size === 0 && this.#suspects.size === 0;
  }

  get reasons(): readonly TieReason[] {
    return [...this.#held.keys()];
  }

  get suspects(): readonly Suspect[] {
    return this.#suspects.size === 0 ? NONE : [...this.#suspects.values()];
  }

  get hasSuspects(): boolean {
    return this.#suspects.size > 0;
  }

  /** The connection has been reset. @param kept what may be there all the same */
  clear(kept?: ProbedReason): void {
    const names = kept === undefined ? undefined : this.#held.get(kept);
    const suspects = this.suspects.filter(({ reason }) => reason === kept);
    this.#held.clear();
    this.#suspects.clear();
    if (kept === undefined) return;
    if (names !== undefined) this.#held.set(kept, names);
    for (const suspect of suspects)
      this.#suspects.set(keyOf(suspect.reason, suspect.name), suspect);
    for (const name of names?.keys() ?? [])
      if (name !== NAMELESS) this.#suspects.set(keyOf(kept, name), { reason: kept, name });
  }

  /** In doubt something was taken, and not dropped; where the server can be asked it will be. */
  apply(tie: Tie, { isError, mayBeUndone }: Outcome): void {
    const { does, reason, name } = tie;
    const isDone = tie.isCertain && !isError;
    const suspect = name === undefined ? undefined : suspectOf(reason, name);
    if (does === 'dropsAll') {
      if (isDone) this.#dropAll(reason, name ?? '');
    } else if (suspect !== undefined) {
      // A table is there when its statement says so; whether a lock was granted, and a cursor outlives its batch, is another matter.
      const isPlain = isDone && !mayBeUndone && reason === 'temporaryObject';
      if (does === 'takes') this.#mayTake(suspect, isPlain);
      else this.#mayDrop(suspect, isPlain);
    } else if (does === 'takes') this.#take(reason, name ?? NAMELESS);
    else if (isDone && name !== undefined) this.#drop(reason, name);
  }

  /** The server has told. */
  found({ reason, name }: Suspect, isThere: boolean): void {
    this.#suspects.delete(keyOf(reason, name));
    if (isThere) this.#namesOf(reason).set(name, 1);
    else this.#release(reason, name);
  }

  /** What is held of this kind cannot be asked about any more. */
  lose(reason: ProbedReason): void {
    const names = this.#held.get(reason);
    const suspects = this.suspects.filter((one) => one.reason === reason);
    if (names === undefined && suspects.length === 0) return;
    for (const { name } of suspects) this.#suspects.delete(keyOf(reason, name));
    this.#held.set(reason, new Map([[NAMELESS, 1]]));
  }

  #mayTake(suspect: Suspect, isPlain: boolean): void {
    const { reason, name } = suspect;
    const key = keyOf(reason, name);
    if (isPlain) {
      this.#suspects.delete(key);
      this.#namesOf(reason).set(name, 1);
      // A key of the context may have been given no value.
    } else if (!this.has(reason, name) || reason === 'sessionContext')
      this.#suspects.set(key, suspect);
  }

  /** Whether letters of either case are the same is the server's affair. */
  #mayDrop({ reason, name }: Suspect, isPlain: boolean): void {
    const key = keyOf(reason, name);
    if (isPlain && (this.has(reason, name) || this.#suspects.has(key))) {
      this.#suspects.delete(key);
      return this.#release(reason, name);
    }
    for (const held of this.#held.get(reason)?.keys() ?? [])
      if (isAlike(held, name)) this.#suspects.set(keyOf(reason, held), { reason, name: held });
  }

  #take(reason: TieReason, name: string): void {
    const count = counted.includes(name) ? (this.#held.get(reason)?.get(name) ?? 0) : 0;
    this.#namesOf(reason).set(name, count + 1);
  }

  #drop(reason: TieReason, name: string): void {
    const count = this.#held.get(reason)?.get(name) ?? 0;
    if (count > 1) this.#namesOf(reason).set(name, count - 1);
    else this.#release(reason, name);
  }

  #dropAll(reason: TieReason, beginning: string): void {
    for (const name of this.#held.get(reason)?.keys() ?? [])
      if (name.startsWith(beginning)) this.#release(reason, name);
  }

  #release(reason: TieReason, name: string): void {
    const names = this.#held.get(reason);
    names?.delete(name);
    if (names?.size === 0) this.#held.delete(reason);
  }

  #namesOf(reason: TieReason): Map<string, number> {
    let names = this.#held.get(reason);
    if (names === undefined) this.#held.set(reason, (names = new Map<string, number>()));
    return names;
  }
}

/** Undefined where the server cannot be asked. */
function suspectOf(reason: TieReason, name: string): Suspect | undefined {
  switch (reason) {
    case 'temporaryObject':
      return name.startsWith('#') ? { reason, name } : undefined;
    case 'cursor':
    case 'sessionLock':
    case 'sessionContext':
      return { reason, name };
    default:
      return undefined;
  }
}

function isAlike(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

function keyOf(reason: TieReason, name: string): string {
  return `${reason}\0${name}`;
}
