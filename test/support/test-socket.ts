import type { Socket, SocketHandler, TLSOptions } from 'bun';
import type { PeerCertificate } from 'node:tls';
import { ByteQueue } from './byte-queue.ts';
import type { Message } from './messages.ts';

export const DEADLINE_MS = 10_000;

/** One end of a connection for a test: reads with a deadline, writes whatever it is told to. */
export class TestSocket {
  readonly #in: ByteQueue;
  #socket: Socket<TestSocket>;
  #unsent: Uint8Array = new Uint8Array(0);
  #ending = false;
  #handshake: PromiseWithResolvers<void> | undefined;
  readonly #closed = Promise.withResolvers<void>();

  constructor(socket: Socket<TestSocket>, deadlineMs = DEADLINE_MS) {
    this.#socket = socket;
    this.#in = new ByteQueue(deadlineMs);
  }

  /** The peer has closed its side. */
  get ended(): boolean {
    return this.#in.ended;
  }

  /** Resolves when the connection is gone or the peer has closed its side, however long that takes. */
  get closedByPeer(): Promise<void> {
    return this.#closed.promise;
  }

  get unread(): number {
    return this.#in.length;
  }

  /** What the operating system has not taken yet. */
  get unsent(): number {
    return this.#unsent.length;
  }

  get localPort(): number {
    return this.#socket.localPort;
  }

  get tlsVersion(): string | undefined {
    return this.#socket.getTLSVersion() || undefined;
  }

  get alpn(): string | false {
    return this.#socket.alpnProtocol ?? false;
  }

  /** The peer's certificate (client side, under TLS). */
  get peerCertificate(): PeerCertificate {
    return this.#socket.getPeerCertificate();
  }

  send(...parts: readonly Uint8Array[]): void {
    const [first] = parts;
    const isAlone = parts.length === 1 && this.#unsent.length === 0;
    this.#unsent = isAlone && first !== undefined ? first : Buffer.concat([this.#unsent, ...parts]);
    this.#flush();
  }

  /** Exactly `count` bytes. */
  async read(count: number): Promise<Buffer> {
    return await this.#in.take(count);
  }

  async peek(count: number): Promise<Uint8Array> {
    return await this.#in.peek(count);
  }

  /** Everything up to the peer's end; waits for it. */
  async readEnd(): Promise<Uint8Array> {
    return await this.#in.rest();
  }

  async readMessage(): Promise<Message> {
    const head = await this.#in.peek(5);
    const type = head.toString('latin1', 0, 1);
    const whole = await this.#in.take(1 + head.readInt32BE(1));
    return { type, body: new Uint8Array(whole.subarray(5)) };
  }

  /** A message without a type: the first of a client. */
  async readUntyped(): Promise<Uint8Array> {
    const head = await this.#in.peek(4);
    return (await this.#in.take(head.readInt32BE(0))).subarray(4);
  }

  /** Stops taking bytes from the operating system, so that the peer feels a slow reader. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Sends what is queued, then closes in good order. */
  end(): void {
    this.#ending = true;
    this.#flush();
  }

  /** Closes at once, with a reset where the system does so. */
  destroy(): void {
    this.#socket.terminate();
  }

  /** From here on TLS. What has been received and not read is taken for the beginning of the peer's hello. */
  async startTls(tls: TLSOptions, side: 'client' | 'server'): Promise<void> {
    const handshake = Promise.withResolvers<void>();
    this.#handshake = handshake;
    const hello = await this.#in.take(this.#in.length);
    const options = {
      data: this,
      socket: tlsHandlers,
      tls,
      // Missing from the type declarations; Bun's own `node:tls` uses both.
      isServer: side === 'server',
      ...(hello.length === 0 ? {} : { initialData: hello }),
    };
    [, this.#socket] = this.#socket.upgradeTLS<TestSocket>(options);
    await handshake.promise;
  }

  // The rest is for the handlers below.

  plainData(bytes: Uint8Array): void {
    if (this.#handshake === undefined) this.data(bytes);
  }

  data(bytes: Uint8Array): void {
    this.#in.push(bytes);
  }

  shaken(succeeded: boolean, problem: Error | null): void {
    if (succeeded) this.#handshake?.resolve();
    else this.#handshake?.reject(problem ?? new Error('the TLS handshake failed'));
  }

  closed(problem: string | undefined): void {
    this.#in.end(problem);
    this.#closed.resolve();
    this.#handshake?.reject(new Error(`closed during the TLS handshake: ${problem ?? 'orderly'}`));
  }

  plainDrained(): void {
    if (this.#handshake === undefined) this.#flush();
  }

  drained(): void {
    this.#flush();
  }

  #flush(): void {
    if (this.#unsent.length > 0) {
      const taken = Math.max(0, this.#socket.write(this.#unsent));
      this.#unsent = this.#unsent.subarray(taken);
    }
    if (this.#ending && this.#unsent.length === 0) this.#socket.end();
  }
}

/** Handlers for a plain socket; `data` must be set in `open`. */
export const plainHandlers: SocketHandler<TestSocket> = {
  data: (socket, bytes) => socket.data.plainData(bytes),
  drain: (socket) => socket.data.plainDrained(),
  close: (socket, problem) => socket.data.closed(problem?.message),
  end: (socket) => socket.data.closed(undefined),
  error: (socket, problem) => socket.data.closed(problem.message),
};

const tlsHandlers: SocketHandler<TestSocket> = {
  open() {},
  handshake: (socket, succeeded, problem) => socket.data.shaken(succeeded, problem),
  data: (socket, bytes) => socket.data.data(bytes),
  drain: (socket) => socket.data.drained(),
  close: (socket, problem) => socket.data.closed(problem?.message),
  end: (socket) => socket.data.closed(undefined),
  error: (socket, problem) => socket.data.closed(problem.message),
};
