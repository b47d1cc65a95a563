import type { Socket, SocketHandler } from 'bun';
import { HEAD_BYTES } from './packets.ts';

/** Who gets what arrives once a client has signed in. */
export interface Listener {
  heard(bytes: Uint8Array): void;
  /** There will be nothing more. */
  ended(problem: Error): void;
}

const NOTHING = Buffer.alloc(0);

/** A client's end of a connection: packet by packet while it signs in, afterwards whatever arrives. */
export class Connection {
  #socket: Socket<Connection>;
  #unread: Buffer = NOTHING;
  #problem: Error | undefined;
  #arrival = Promise.withResolvers<void>();
  #handshake: PromiseWithResolvers<void> | undefined;
  #listener: Listener | undefined;

  private constructor(socket: Socket<Connection>) {
    this.#socket = socket;
  }

  static async open(host: string, port: number): Promise<Connection> {
    const { promise, resolve } = Promise.withResolvers<Connection>();
    await Bun.connect<Connection>({
      hostname: host,
      port,
      socket: {
        ...plainHandlers,
        open(socket) {
          socket.data = new Connection(socket);
          resolve(socket.data);
        },
      },
    });
    return await promise;
  }

  get tlsVersion(): string | undefined {
    return this.#socket.getTLSVersion() || undefined;
  }

  /** All at once: what is sent here fits into any socket's buffer. */
  send(bytes: Uint8Array): void {
    if (this.#socket.write(bytes) !== bytes.length)
      this.ended(this.#problem ?? new Error('the connection does not take what is sent'));
  }

  /** The next packet's payload. */
  async read(): Promise<Uint8Array> {
    for (;;) {
      const length =
        this.#unread.length < HEAD_BYTES ? undefined : HEAD_BYTES + this.#unread.readUIntLE(0, 3);
      if (length !== undefined && this.#unread.length >= length) {
        const payload = this.#unread.subarray(HEAD_BYTES, length);
        this.#unread = this.#unread.subarray(length);
        return payload;
      }
      if (this.#problem !== undefined) throw this.#problem;
      await this.#arrival.promise;
    }
  }

  /** Resolves when there will be nothing more. */
  async end(): Promise<void> {
    while (this.#problem === undefined) await this.#arrival.promise;
    this.#socket.end();
  }

  async startTls(): Promise<void> {
    this.#handshake = Promise.withResolvers<void>();
    [, this.#socket] = this.#socket.upgradeTLS<Connection>({
      data: this,
      socket: tlsHandlers,
      tls: { rejectUnauthorized: false },
    });
    await this.#handshake.promise;
  }

  /** From here on everything that arrives goes there. */
  listen(listener: Listener): void {
    this.#listener = listener;
    if (this.#problem !== undefined) listener.ended(this.#problem);
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  destroy(): void {
    this.#socket.terminate();
  }

  // The rest is for the handlers below.

  plainData(bytes: Uint8Array): void {
    if (this.#handshake === undefined) this.data(bytes);
  }

  data(bytes: Uint8Array): void {
    if (this.#listener !== undefined) {
      this.#listener.heard(bytes);
      return;
    }
    // A copy: the socket keeps what it has handed over.
    this.#unread = Buffer.concat([this.#unread, bytes]);
    this.#wake();
  }

  shaken(succeeded: boolean, problem: Error | null): void {
    if (succeeded) this.#handshake?.resolve();
    else this.#handshake?.reject(problem ?? new Error('the TLS handshake failed'));
  }

  ended(problem: Error): void {
    if (this.#problem !== undefined) return;
    this.#problem = problem;
    this.#handshake?.reject(problem);
    this.#listener?.ended(problem);
    this.#wake();
  }

  #wake(): void {
    this.#arrival.resolve();
    this.#arrival = Promise.withResolvers<void>();
  }
}

const closed = (problem?: Error): Error => problem ?? new Error('the server has closed');

/** Handlers for a plain socket; `data` is set in `open`. */
const plainHandlers: SocketHandler<Connection> = {
  data: (socket, bytes) => socket.data.plainData(bytes),
  close: (socket, problem) => socket.data.ended(closed(problem)),
  end: (socket) => socket.data.ended(closed()),
  error: (socket, problem) => socket.data.ended(problem),
};

const tlsHandlers: SocketHandler<Connection> = {
  open() {},
  handshake: (socket, succeeded, problem) => socket.data.shaken(succeeded, problem),
  data: (socket, bytes) => socket.data.data(bytes),
  close: (socket, problem) => socket.data.ended(closed(problem)),
  end: (socket) => socket.data.ended(closed()),
  error: (socket, problem) => socket.data.ended(problem),
};
