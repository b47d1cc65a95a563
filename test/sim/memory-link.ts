import type { Link, LinkHandler } from '../../src/core/link.ts';

const deaf: LinkHandler = { data() {}, drained() {}, closed() {} };

/** What the other side of a link hears. */
export interface Ear {
  hear(bytes: Uint8Array): void;
  /** The proxy has said all it had to say. */
  ended(): void;
}

/**
 * The proxy's end of a connection, in memory. What the proxy writes is heard at once, unless the peer has stopped reading;
 * what the peer sends waits while the proxy pauses. Like a socket it reports its end once, and data until then.
 */
export class MemoryLink implements Link {
  handler: LinkHandler = deaf;
  ear: Ear = { hear() {}, ended() {} };
  peer: string;
  readonly tlsVersion: string | undefined;
  paused = false;
  isKeptAlive = false;
  /** Closes as soon as all has been said, as Bun's sockets do, instead of waiting for the peer to close as well. */
  closesAtOnce = false;
  #state: 'open' | 'ending' | 'closed' = 'open';
  #stopped = false;
  #outbox: Uint8Array[] = [];
  #queuedBytes = 0;
  #inbox: Uint8Array[] = [];

  constructor(peer: string, tlsVersion?: string) {
    this.peer = peer;
    this.tlsVersion = tlsVersion;
  }

  get queuedBytes(): number {
    return this.#state === 'closed' ? 0 : this.#queuedBytes;
  }

  get isOpen(): boolean {
    return this.#state === 'open';
  }

  get isClosed(): boolean {
    return this.#state === 'closed';
  }

  get isEnding(): boolean {
    return this.#state === 'ending';
  }

  write(bytes: Uint8Array): void {
    if (this.#state !== 'open') return;
    if (!this.#stopped) {
      this.ear.hear(bytes);
      return;
    }
    this.#outbox.push(bytes.slice());
    this.#queuedBytes += bytes.length;
  }

  keepAlive(): void {
    this.isKeptAlive = true;
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    if (!this.paused) return;
    this.paused = false;
    queueMicrotask(() => this.#deliver());
  }

  end(): void {
    if (this.#state !== 'open') return;
    this.#state = 'ending';
    if (!this.#stopped) this.#allSaid();
  }

  destroy(): void {
    this.#close(undefined);
  }

  // ---- the peer's side --------------------------------------------------------------------------------------------

  send(bytes: Uint8Array): void {
    if (this.#state === 'closed') return;
    this.#inbox.push(bytes.slice());
    this.#deliver();
  }

  /** The peer closes: the proxy hears of it at once, whatever is still on its way. */
  hangUp(problem?: string): void {
    this.#inbox = [];
    this.#close(problem);
  }

  stopReading(): void {
    this.#stopped = true;
  }

  readOn(): void {
    this.#stopped = false;
    if (this.#state === 'closed') return;
    const outbox = this.#outbox;
    this.#outbox = [];
    this.#queuedBytes = 0;
    for (const bytes of outbox) this.ear.hear(bytes);
    if (this.#state === 'ending') this.#allSaid();
    else this.handler.drained();
  }

  #allSaid(): void {
    this.ear.ended();
    if (this.closesAtOnce) this.#close(undefined);
  }

  #deliver(): void {
    while (!this.paused && this.#state !== 'closed') {
      const bytes = this.#inbox.shift();
      if (bytes === undefined) return;
      this.handler.data(bytes);
    }
  }

  #close(problem: string | undefined): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#outbox = [];
    const { handler } = this;
    this.handler = deaf;
    handler.closed(problem);
  }
}
