import type { Counts } from './counts.ts';
import type { Proxy } from './proxy.ts';

/** A server with everything that lives need. */
export interface AnyWorld {
  /** Ends one of the proxy's connections; false where there is none. */
  terminate(which: number): Promise<boolean>;
}

/** Whoever may have to be cut off. */
interface AnyClient {
  destroy(): void;
}

/** What all actors of a round share. */
export class Stage<World extends AnyWorld> {
  readonly world: World;
  readonly proxy: Proxy;
  readonly counts: Counts;
  readonly turnstile: Turnstile;
  readonly #clients = new Set<AnyClient>();
  /** Connections that were ended from outside and have not been an excuse yet. */
  #excuses = 0;

  constructor(world: World, proxy: Proxy, counts: Counts) {
    this.world = world;
    this.proxy = proxy;
    this.counts = counts;
    this.turnstile = new Turnstile();
  }

  opened(client: AnyClient): void {
    this.#clients.add(client);
  }

  closed(client: AnyClient): void {
    this.#clients.delete(client);
    client.destroy();
  }

  /** Cuts all that is still connected. */
  clear(): void {
    for (const client of this.#clients) this.closed(client);
  }

  /** Ends one of the proxy's connections: one session may notice. */
  async terminate(which: number): Promise<void> {
    this.#excuses += 1;
    this.turnstile.doubt();
    if (await this.world.terminate(which)) this.counts.add('connections ended from outside');
    else this.#excuses -= 1;
  }

  /** A session was sent away: true where that has a reason. */
  excuse(): boolean {
    if (this.#excuses === 0) return false;
    this.#excuses -= 1;
    this.counts.add('sessions cut off');
    return true;
  }
}

/** Who is known to have the lock of all, in each database. */
class Turnstile {
  readonly #taken = new Map<string, number>();
  #doubts = 0;

  /** False where another one certainly has it. */
  enter(where: string): boolean {
    const free = this.#taken.get(where) !== this.#doubts;
    this.#taken.set(where, this.#doubts);
    return free;
  }

  /** About to be given back. */
  leave(where: string): void {
    this.#taken.delete(where);
  }

  /** Whoever has it may have lost it. */
  doubt(): void {
    this.#doubts += 1;
  }
}
