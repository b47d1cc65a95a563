import type { Leaver } from './acquaintance.ts';
import type { Door, Doorkeeper, Principal } from './engine.ts';
import type { Fault } from './fault.ts';
import type { Link } from './link.ts';
import type { Observer } from './observer.ts';
import type { Pool } from './pool.ts';

/** What a client that arrives needs of its proxy. */
export interface Host<Memory, Who extends Principal> {
  readonly keeper: Doorkeeper;
  readonly observer: Observer;
  /** The database is to be shown each client's address. */
  readonly showsAddresses: boolean;
  /** Is there room for one more client? Returns the fault to say where there is none. */
  admit(): Fault | undefined;
  meet(): Promise<void>;
  /** Where a new session goes for connections. Throws a `FaultError` where there is nowhere to go. */
  choosePool(): Pool<Memory, Who>;
  open(pool: Pool<Memory, Who>, who: Who, client: Leaver): Memory | Promise<Memory>;
  random(count: number): Uint8Array;
}

/** A client that has arrived and is not signed in yet: the door at which it stands. */
export class Visit<Memory, Who extends Principal> implements Door<Memory, Who>, Leaver {
  readonly link: Link;
  readonly cancelNumber: number;
  /** The settings may change while the client signs in: it keeps to those that it has met. */
  readonly keeper: Doorkeeper;
  /** Whose connection it is has been said. */
  isIntroduced = false;
  readonly #host: Host<Memory, Who>;
  #pool: Pool<Memory, Who> | undefined;
  /** Where the session goes is chosen, and it is not there yet. */
  #isGuest = false;
  #whenGone: (() => void)[] | undefined;

  /** @param pool where the session goes for connections; undefined where that is to be seen */
  constructor(host: Host<Memory, Who>, link: Link, number: number, pool?: Pool<Memory, Who>) {
    this.#host = host;
    this.#pool = pool;
    this.link = link;
    this.cancelNumber = number;
    this.keeper = host.keeper;
  }

  /** Only now is it known whose address the link has; `via` is who has passed the connection on. */
  introduced(via?: string): void {
    this.isIntroduced = true;
    this.#host.observer.clientConnected(this.cancelNumber, this.link, via);
  }

  isEncrypted(): boolean {
    return this.link.tlsVersion !== undefined;
  }

  shownAddress(): string | undefined {
    return this.#host.showsAddresses ? this.link.peer : undefined;
  }

  admit(): Fault | undefined {
    return this.#host.admit();
  }

  refused(user: string, why: string): void {
    this.#host.observer.clientRefused(this.cancelNumber, this.link.peer, user, why);
  }

  meet(): Promise<void> {
    return this.#host.meet();
  }

  open(who: Who): Memory | Promise<Memory> {
    return this.#host.open(this.pool, who, this);
  }

  get pool(): Pool<Memory, Who> {
    if (this.#pool === undefined) {
      this.#pool = this.#host.choosePool();
      this.#pool.guests += 1;
      this.#isGuest = true;
    }
    return this.#pool;
  }

  /** It is a session by now, or will never be one. */
  over(): void {
    if (this.#isGuest) this.pool.guests -= 1;
    this.#isGuest = false;
  }

  random(count: number): Uint8Array {
    return this.#host.random(count);
  }

  whenGone(work: () => void): void {
    (this.#whenGone ??= []).push(work);
  }

  /** The client has left, or is not let in. */
  gone(): void {
    for (const work of this.#whenGone ?? []) work();
  }
}
