import type { Socket, SocketHandler } from 'bun';
import { assert } from '../base/assert.ts';
import { concat } from '../base/bytes.ts';
import type { Link, LinkHandler } from '../core/link.ts';
import type { TlsClient, TlsServer } from './tls.ts';
import { judgePeer } from './tls.ts';

/** Hears nothing: what a link has before its first conversation and after its last. */
const deaf: LinkHandler = { data() {}, drained() {}, closed() {} };

/** Seconds of silence before the operating system probes a peer; half-open connections are found so (trap PG-117). */
const KEEP_ALIVE_MS = 60_000;

/** A socket of Bun's, plain or TLS, with a queue for what the operating system did not take at once. */
export class SocketLink implements Link {
  handler: LinkHandler = deaf;
  readonly peer: string;
  #socket: Socket<SocketLink>;
  #queue: Uint8Array[] = [];
  #queuedBytes = 0;
  #state: 'open' | 'ending' | 'closed' = 'open';
  #paused = false;
  #tlsVersion: string | undefined;
  #handshake: ((problem: string | undefined) => void) | undefined;

  constructor(socket: Socket<SocketLink>) {
    this.#socket = socket;
    this.peer = `${socket.remoteAddress}:${socket.remotePort}`;
    socket.setNoDelay(true);
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
  }

  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  get isOpen(): boolean {
    return this.#state === 'open';
  }

  get tlsVersion(): string | undefined {
    return this.#tlsVersion;
  }

  write(bytes: Uint8Array): void {
    if (this.#state !== 'open') return;
    if (this.#queuedBytes > 0) {
      this.#enqueue(bytes, 0);
      return;
    }
    const taken = this.#socket.write(bytes);
    if (taken < bytes.length) this.#enqueue(bytes, Math.max(0, taken));
  }

  pause(): void {
    if (this.#paused || this.#state === 'closed') return;
    this.#paused = true;
    this.#socket.pause();
  }

  resume(): void {
    if (!this.#paused || this.#state === 'closed') return;
    this.#paused = false;
    this.#socket.resume();
  }

  end(): void {
    if (this.#state !== 'open') return;
    this.#state = 'ending';
    if (this.#queuedBytes === 0) this.#socket.end();
  }

  destroy(): void {
    if (this.#state === 'closed') return;
    this.#drop();
    this.#socket.terminate();
    this.socketClosed(undefined);
  }

  /**
   * Starts TLS as the server. `hello` is what the client has sent of it already, if any. Resolves when the handshake is
   * over, with the protocol that ALPN agreed on or nothing; rejects with a sentence for the log.
   */
  startTlsAsServer(server: TlsServer, hello: Uint8Array): Promise<string> {
    return this.#startTls((socket) =>
      upgrade(socket, {
        isServer: true,
        tls: server.options,
        ...(hello.length > 0 ? { initialData: hello } : {}),
      }),
    );
  }

  /** Starts TLS as the client; the certificate is judged as the target's TLS mode says. */
  startTlsAsClient(client: TlsClient): Promise<string> {
    return this.#startTls((socket) => upgrade(socket, { tls: client.options }), client);
  }

  // What follows is called by the socket handlers below and by nobody else.

  socketData(bytes: Uint8Array): void {
    this.handler.data(bytes);
  }

  plainData(bytes: Uint8Array): void {
    // After the upgrade the plain socket goes on reporting the encrypted bytes: they are the TLS socket's affair.
    if (this.#handshake === undefined && this.#tlsVersion === undefined) this.handler.data(bytes);
  }

  plainDrained(): void {
    if (this.#handshake === undefined && this.#tlsVersion === undefined) this.socketDrained();
  }

  socketDrained(): void {
    if (this.#state === 'closed' || this.#queuedBytes === 0) return;
    const bytes = this.#queue.length === 1 ? (this.#queue[0] ?? concat([])) : concat(this.#queue);
    const taken = Math.max(0, this.#socket.write(bytes));
    if (taken < bytes.length) {
      this.#queue = [bytes.subarray(taken)];
      this.#queuedBytes = bytes.length - taken;
      return;
    }
    this.#drop();
    if (this.#state === 'ending') this.#socket.end();
    else this.handler.drained();
  }

  socketClosed(problem: string | undefined): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#drop();
    this.#handshake?.(problem ?? 'the peer closed the connection during the TLS handshake');
    const { handler } = this;
    this.handler = deaf;
    handler.closed(problem);
  }

  handshakeDone(socket: Socket<SocketLink>, succeeded: boolean, problem: Error | null): void {
    this.#tlsVersion = tlsVersionOf(socket);
    const code = problem !== null && 'code' in problem ? String(problem.code) : problem?.message;
    this.#handshake?.(succeeded ? code : (code ?? 'the TLS handshake failed'));
  }

  async #startTls(start: (socket: Socket<SocketLink>) => Socket<SocketLink>, client?: TlsClient): Promise<string> {
    assert(this.#queuedBytes === 0, 'TLS cannot start while plaintext is queued');
    const verdict = await new Promise<string | undefined>((resolve) => {
      this.#handshake = resolve;
      this.#socket = start(this.#socket);
    });
    this.#handshake = undefined;
    if (this.#state === 'closed') throw new Error(verdict ?? 'the connection closed');
    const objection = client === undefined ? undefined : judgePeer(client, verdict);
    if (objection !== undefined) throw new Error(objection);
    this.#tlsVersion ??= 'TLS';
    const agreed = this.#socket.alpnProtocol;
    return agreed === null || agreed === false ? '' : agreed;
  }

  #enqueue(bytes: Uint8Array, from: number): void {
    this.#queue.push(bytes.slice(from));
    this.#queuedBytes += bytes.length - from;
  }

  #drop(): void {
    this.#queue = [];
    this.#queuedBytes = 0;
  }
}

interface UpgradeOptions {
  readonly tls: object;
  readonly isServer?: boolean;
  readonly initialData?: Uint8Array;
}

/**
 * Bun's own `node:tls` upgrades accepted sockets with `isServer` and hands over early bytes as `initialData`; the type
 * declarations know neither. This is the only place that relies on it, and `tls.test.ts` guards it.
 */
function upgrade(socket: Socket<SocketLink>, options: UpgradeOptions): Socket<SocketLink> {
  const request = { data: socket.data, socket: tlsHandlers, ...options };
  const [, tls] = socket.upgradeTLS<SocketLink>(request);
  return tls;
}

function tlsVersionOf(socket: Socket<SocketLink>): string | undefined {
  return socket.getTLSVersion();
}

/** One handlers object for all plain sockets: a socket carries nothing but its link. */
export const plainHandlers: SocketHandler<SocketLink> = {
  data: (socket, bytes) => socket.data.plainData(bytes),
  drain: (socket) => socket.data.plainDrained(),
  close: (socket, problem) => socket.data?.socketClosed(problem?.message),
  error: (socket, problem) => socket.data?.socketClosed(problem.message),
  end: () => {},
};

const tlsHandlers: SocketHandler<SocketLink> = {
  open: () => {},
  handshake: (socket, succeeded, problem) => socket.data.handshakeDone(socket, succeeded, problem),
  data: (socket, bytes) => socket.data.socketData(bytes),
  drain: (socket) => socket.data.socketDrained(),
  close: (socket, problem) => socket.data.socketClosed(problem?.message),
  error: () => {}, // a close follows
  end: () => {},
};
