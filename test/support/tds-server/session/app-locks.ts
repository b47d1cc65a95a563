import type { Session } from './session.ts';

interface Holder {
  readonly session: Session;
  readonly mode: string;
  readonly isOfTransaction: boolean;
  count: number;
}

const modes = ['IntentShared', 'Shared', 'Update', 'IntentExclusive', 'Exclusive'];
/** Which modes each one bears beside it. */
const compatible: Readonly<Record<string, readonly string[]>> = {
  intentshared: ['intentshared', 'shared', 'update', 'intentexclusive'],
  shared: ['intentshared', 'shared', 'update'],
  update: ['intentshared', 'shared'],
  intentexclusive: ['intentshared', 'intentexclusive'],
  exclusive: [],
};

/** The locks of sp_getapplock. */
export class ApplicationLocks {
  readonly #holders = new Map<string, Holder[]>();
  readonly #waiting = new Set<() => void>();

  static isMode(mode: string): boolean {
    return modes.some((one) => one.toLowerCase() === mode.toLowerCase());
  }

  /** False where somebody else's lock forbids it. */
  take(session: Session, resource: string, mode: string, isOfTransaction: boolean): boolean {
    const lower = mode.toLowerCase();
    const holders = this.#holders.get(resource) ?? [];
    const isFree = holders.every(
      (one) =>
        one.session === session || (compatible[lower] ?? []).includes(one.mode.toLowerCase()),
    );
    if (!isFree) return false;
    const own = holders.find(
      (one) =>
        one.session === session &&
        one.isOfTransaction === isOfTransaction &&
        one.mode.toLowerCase() === lower,
    );
    if (own === undefined) holders.push({ session, mode, isOfTransaction, count: 1 });
    else own.count += 1;
    this.#holders.set(resource, holders);
    return true;
  }

  release(session: Session, resource: string, isOfTransaction: boolean): boolean {
    const holders = this.#holders.get(resource) ?? [];
    const own = holders.findLast(
      (one) => one.session === session && one.isOfTransaction === isOfTransaction,
    );
    if (own === undefined) return false;
    own.count -= 1;
    if (own.count === 0) this.#drop((one) => one !== own);
    return true;
  }

  /** `NoLock`, or the mode in which the session has it. */
  modeOf(session: Session, resource: string, isOfTransaction: boolean): string {
    const own = (this.#holders.get(resource) ?? []).filter(
      (one) => one.session === session && one.isOfTransaction === isOfTransaction,
    );
    const strongest = Math.max(
      -1,
      ...own.map(({ mode }) => modes.findIndex((one) => one.toLowerCase() === mode.toLowerCase())),
    );
    return modes[strongest] ?? 'NoLock';
  }

  /** Locks of a session, whoever owns them. */
  countOf(session: Session): number {
    return [...this.#holders.values()].flat().filter((one) => one.session === session).length;
  }

  endOfTransaction(session: Session): void {
    this.#drop((one) => one.session !== session || !one.isOfTransaction);
  }

  endOfSession(session: Session): void {
    this.#drop((one) => one.session !== session);
  }

  /** Calls back at the next release, once. */
  afterRelease(resume: () => void): () => void {
    this.#waiting.add(resume);
    return () => this.#waiting.delete(resume);
  }

  #drop(stays: (holder: Holder) => boolean): void {
    if (this.#holders.size === 0) return;
    for (const [resource, holders] of this.#holders) {
      const left = holders.filter(stays);
      if (left.length === 0) this.#holders.delete(resource);
      else this.#holders.set(resource, left);
    }
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const resume of waiting) resume();
  }
}
