import type { Leaver } from './acquaintance.ts';
import type { Door, Doorkeeper, Principal } from './engine.ts';
import type { Fault } from './fault.ts';
import type { Link } from './link.ts';
import type { Observer } from './observer.ts';

/** What a client that arrives needs of its proxy. */
export interface Host<Memory, Who extends Principal> {
  readonly keeper: Doorkeeper;
  readonly observer: Observer;
  /** The database is to be shown each client's address. */
  readonly showsAddresses: boolean;
  /** Is there room for one more client? Returns the fault to say where there is none. */
  admit(): Fault | undefined;
  meet(): Promise<void>;
  open(who: Who, client: Leaver): Memory | Promise<Memory>;
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
  #whenGone: (() => void)[] | undefined;

  constructor(host: Host<Memory, Who>, link: Link, number: number) {
    this.#host = host;
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
    return this.#host.open(who, this);
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
