import type { Socket, SocketHandler } from 'bun';

/** Who gets what arrives once a client has signed in. */
export interface Listener {
  heard(bytes: Buffer): void;
  /** There will be nothing more. */
  ended(problem: Error): void;
}

/** How a protocol cuts what is said into packets. */
export interface Framing {
  /** How much of a packet has to be there to know its length. */
  readonly headBytes: number;
  /** The whole packet's length, head included. */
  lengthOf(head: Buffer): number;
}

/** What stands between the socket and the packets where Bun's own TLS does not fit. */
export interface Layer {
  readonly tlsVersion: string | undefined;
  send(bytes: Uint8Array): void;
  arrived(bytes: Buffer): void;
  /** The socket has ended. */
  ended(problem: Error): void;
  destroy(): void;
}

/** The connection's ends that a layer is put between. */
export interface Ends {
  /** To the socket. */
  send(bytes: Uint8Array): void;
  /** To whoever reads packets. */
  arrived(bytes: Buffer): void;
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
  #layer: Layer | undefined;
  readonly #framing: Framing;

  private constructor(socket: Socket<Connection>, framing: Framing) {
    this.#socket = socket;
    this.#framing = framing;
  }

  static async open(host: string, port: number, framing: Framing): Promise<Connection> {
    const { promise, resolve } = Promise.withResolvers<Connection>();
    await Bun.connect<Connection>({
      hostname: host,
      port,
      socket: {
        ...plainHandlers,
        open(socket) {
          socket.data = new Connection(socket, framing);
          resolve(socket.data);
        },
      },
    });
    return await promise;
  }

  get tlsVersion(): string | undefined {
    return this.#layer?.tlsVersion ?? (this.#socket.getTLSVersion() || undefined);
  }

  /** All at once: what is sent here fits into any socket's buffer. */
  send(bytes: Uint8Array): void {
    if (this.#layer === undefined) this.#write(bytes);
    else this.#layer.send(bytes);
  }

  #write(bytes: Uint8Array): void {
    if (this.#socket.write(bytes) !== bytes.length)
      this.ended(this.#problem ?? new Error('the connection does not take what is sent'));
  }

  /** The next packet, head included. */
  async read(): Promise<Buffer> {
    const { headBytes, lengthOf } = this.#framing;
    for (;;) {
      const unread = this.#unread;
      const length = unread.length < headBytes ? undefined : lengthOf(unread);
      if (length !== undefined && unread.length >= length) {
        this.#unread = unread.subarray(length);
        return unread.subarray(0, length);
      }
      if (this.#problem !== undefined) throw this.#problem;
      await this.#arrival.promise;
    }
  }

  /** Everything passes through the layer from here on. */
  put(layer: (ends: Ends) => Layer): void {
    this.#layer = layer({
      send: (bytes) => this.#write(bytes),
      arrived: (bytes) => this.#heard(bytes),
      ended: (problem) => this.ended(problem),
    });
  }

  /** Says that nothing more will come from here, and waits until the server has closed. */
  async leave(): Promise<void> {
    this.#socket.shutdown();
    await this.end();
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
    this.#layer?.destroy();
    this.#socket.terminate();
  }

  // The rest is for the handlers below.

  plainData(bytes: Buffer): void {
    if (this.#handshake === undefined) this.data(bytes);
  }

  data(bytes: Buffer): void {
    if (this.#layer === undefined) this.#heard(bytes);
    else this.#layer.arrived(bytes);
  }

  #heard(bytes: Buffer): void {
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
    this.#layer?.ended(problem);
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
