import type { Socket, SocketHandler } from 'bun';
import { assert } from '../base/assert.ts';
import { concat, EMPTY, free } from '../base/bytes.ts';
import type { AgreedTls, TlsEnvelope } from '../core/conversation.ts';
import type { Link, LinkHandler } from '../core/link.ts';
import type { Carrier } from './enveloped-tls.ts';
import { EnvelopedTls } from './enveloped-tls.ts';
import { receives } from './receives.ts';
import { PIECE_BYTES } from './receive-ring.ts';
import type { ConnectionEnd, Receiver, Reception } from './reception.ts';
import type { Sender } from './sends.ts';
import { NOWHERE, sends } from './sends.ts';
import type { HandshakeVerdict, TlsClient, TlsServer } from './tls.ts';
import { handshakeVerdict, judgeClient, judgeServer } from './tls.ts';
import { sayAddress } from './wording.ts';

declare module 'bun' {
  // Every runtime of this version has it, and it is -1 as soon as the socket is closed; the declarations leave it out.
  interface Socket<Data> {
    readonly fd: number;
  }
}

/** Hears nothing: what a link has before its first conversation and after its last. */
const deaf: LinkHandler = { data() {}, drained() {}, closed() {} };

/** Seconds of silence before the operating system probes a peer; half-open connections are found so (trap PG-117). */
const KEEP_ALIVE_MS = 60_000;

/** What a peer gets for its share of `end()`: to read what is queued and, with TLS, to close its side. */
const LINGER_SECONDS = 30;

/** What is told of a connection that takes nothing any more. */
const RESET = 'the peer reset the connection (ECONNRESET)';

/** An IPv4 peer as a socket that listens on IPv6 shows it. */
const MAPPED_IPV4 = '::ffff:';

/** What the operating system did not take at once. */
interface Queue {
  chunks: Uint8Array[];
  /** So many bytes at the beginning of the first chunk have been taken already; so many are left in all. */
  taken: number;
  bytes: number;
}

/** TLS on a connection, from the first byte of the handshake on: the plain socket's events are none of ours then. */
interface Encryption {
  handshake: ((verdict: HandshakeVerdict) => void) | undefined;
  version: string | undefined;
}

/** A socket of Bun's, plain or TLS, with a queue for what the operating system did not take at once. */
export class SocketLink implements Link, Carrier, Sender, Receiver {
  handler: LinkHandler = deaf;
  place = NOWHERE;
  #peer: string | undefined;
  #socket: Socket<SocketLink>;
  /** Who opened the connection; one that a client has opened is `kept` from when on the system probes it. */
  #origin: 'dialled' | 'accepted' | 'kept';
  #state: 'open' | 'ending' | 'closed' = 'open';
  #paused = false;
  #queue: Queue | undefined;
  #tls: Encryption | undefined;
  /** TLS that is ours to carry. */
  #enveloped: EnvelopedTls | undefined;
  #envelopedVersion: string | undefined;
  #isShakingHands = false;
  /** While the ring reads for us. */
  #reception: Reception | undefined;
  #shortReads = 0;
  /** A write has told so. */
  #isReset = false;
  /** Nothing will be queued any more. */
  #hasSaidAll = false;

  /** `dialled`: we opened the connection, so `end` waits until the peer has closed, too. */
  constructor(socket: Socket<SocketLink>, dialled = false) {
    this.#socket = socket;
    this.#origin = dialled ? 'dialled' : 'accepted';
    // Bun has it send without delay already.
    if (dialled) socket.setKeepAlive(true, KEEP_ALIVE_MS);
  }

  get peer(): string {
    return (this.#peer ??= peerOf(this.#socket));
  }

  set peer(peer: string) {
    this.#peer = peer;
  }

  get queuedBytes(): number {
    return (this.#queue?.bytes ?? 0) + (this.#enveloped?.queuedBytes ?? 0);
  }

  get isOpen(): boolean {
    return this.#state === 'open';
  }

  get tlsVersion(): string | undefined {
    return this.#tls?.version ?? this.#envelopedVersion;
  }

  write(bytes: Uint8Array): void {
    if (this.#state !== 'open') return;
    if (this.#enveloped?.isOn === true) this.#enveloped.write(bytes);
    else this.carry(bytes);
  }

  carry(bytes: Uint8Array): void {
    if (this.#state === 'closed') return;
    const mayWait = this.#queue === undefined && this.#tls === undefined;
    if (!mayWait || !sends.post(this, bytes)) this.send(bytes, 0, bytes.length);
  }

  keepAlive(): void {
    if (this.#origin !== 'accepted' || this.#state !== 'open') return;
    this.#origin = 'kept';
    this.#socket.setKeepAlive(true, KEEP_ALIVE_MS);
  }

  pause(): void {
    if (this.#paused || this.#isReset || this.#state !== 'open') return;
    this.#paused = true;
    if (this.#reception === undefined) this.#socket.pause();
    else this.#reception.pause();
  }

  resume(): void {
    if (!this.#paused || this.#state === 'closed') return;
    this.#paused = false;
    if (this.#reception === undefined) this.#socket.resume();
    else this.#reception.resume();
  }

  /** What arrives from here on is dropped. Who has not let it happen after about `lingerSeconds` is cut off. */
  end(lingerSeconds = LINGER_SECONDS): void {
    if (this.#state !== 'open') return;
    if (this.#tls?.handshake !== undefined || this.#isShakingHands) {
      this.destroy(); // in the middle of a TLS handshake nothing can be said (trap GX-08)
      return;
    }
    this.resume(); // a paused socket would not notice that the peer closes, too
    this.#state = 'ending';
    this.#reception?.leave();
    this.#socket.timeout(lingerSeconds);
    if (this.#enveloped?.isOn === true) this.#enveloped.close();
    else this.said();
  }

  destroy(): void {
    this.#flush();
    this.socketFailed(undefined);
  }

  /**
   * Starts TLS as the server. `hello` is what the client has sent of it already, if any. Resolves when the handshake is
   * over; rejects with a sentence for the log. The link is of no use then, and the caller's to destroy.
   */
  startTlsAsServer(server: TlsServer, hello: Uint8Array): Promise<AgreedTls> {
    const early = hello.length > 0 ? { initialData: hello } : {};
    const options = { isServer: true, tls: server.options, ...early };
    return this.#startTls(options, () => server.certificate, judgeClient);
  }

  /** Starts TLS as the client, like the server's side; the certificate is judged as the target's TLS mode says. */
  startTlsAsClient(client: TlsClient): Promise<AgreedTls> {
    const certificate = (): Uint8Array => this.#socket.getPeerCertificate().raw;
    return this.#startTls({ tls: client.options }, certificate, (verdict) =>
      judgeServer(client, verdict, certificate),
    );
  }

  /**
   * Starts TLS whose handshake travels in packets; for the rest like the two above. `hello` is what the client has sent of it already,
   * if any.
   */
  async startTlsIn(
    envelope: TlsEnvelope,
    side: TlsServer | TlsClient,
    hello: Uint8Array,
  ): Promise<AgreedTls> {
    if (this.#state !== 'open') throw new Error('the connection is closed');
    if (this.#queue !== undefined) throw new Error('the peer is gone');
    assert(this.#reception === undefined, 'TLS is not started on what the ring reads');
    const tls = new EnvelopedTls(this, envelope, side);
    this.#enveloped = tls;
    this.#isShakingHands = true;
    const { verdict, version, protocol } = await tls.shakeHands(hello);
    this.#isShakingHands = false;
    const certificate = (): Uint8Array => tls.certificate;
    const objection =
      'mode' in side ? judgeServer(side, verdict, certificate) : judgeClient(verdict);
    if (objection !== undefined) throw new Error(objection);
    this.#envelopedVersion = version;
    return { protocol, certificate };
  }

  /** Ends what `startTlsIn` has started, once what was written has been said by TLS. */
  async endTls(): Promise<void> {
    await this.#enveloped?.end();
    this.#envelopedVersion = undefined;
    this.#forgetEnded();
  }

  // What follows is called by `Sends` and `Receives` and by nobody else.

  get fd(): number {
    return this.#state === 'closed' ? -1 : this.#socket.fd;
  }

  send(bytes: Uint8Array, from: number, length: number): void {
    if (this.#state === 'closed') return;
    const taken = this.#queue === undefined ? this.#put(bytes, from, length) : 0;
    if (taken < length) this.#enqueue(bytes.slice(from + taken, from + length));
  }

  arrived(bytes: Uint8Array): void {
    if (bytes.length === PIECE_BYTES) {
      // What is long the runtime reads in longer pieces.
      this.#shortReads = 0;
      this.#reception?.leave();
    }
    this.heard(bytes);
  }

  released(end: ConnectionEnd | undefined): void {
    this.#reception = undefined;
    if (this.#state === 'closed') return;
    if (end === 'reset') this.socketFailed(RESET);
    else if (end === 'closed') this.#peerClosed();
    else {
      this.#socket.resume();
      this.#closeWhenSaid();
    }
  }

  // What follows is called by TLS in packets and by nobody else.

  heard(bytes: Uint8Array): void {
    if (this.#state === 'open') this.handler.data(bytes);
  }

  relieved(): void {
    if (this.#state === 'open' && this.#queue === undefined) this.handler.drained();
  }

  said(): void {
    this.#hasSaidAll = true;
    this.#flush();
    this.#closeWhenSaid();
  }

  over(): void {
    this.socketFailed(undefined);
  }

  broke(problem: string): void {
    this.socketFailed(`TLS failed: ${problem}`);
  }

  // What follows is called by the socket handlers below and by nobody else.

  socketData(bytes: Uint8Array): void {
    if (this.#enveloped === undefined) this.heard(bytes);
    else if (this.#state !== 'closed') {
      this.#enveloped.arrived(bytes);
      this.#forgetEnded();
    }
  }

  plainData(bytes: Uint8Array): void {
    // After the upgrade the plain socket goes on reporting the encrypted bytes: they are the TLS socket's affair.
    if (this.#tls !== undefined) return;
    receives.count();
    if (receives.isBusy) this.#consider(bytes);
    this.socketData(bytes);
  }

  plainDrained(): void {
    if (this.#tls === undefined) this.socketDrained();
  }

  socketDrained(): void {
    const queue = this.#queue;
    if (this.#state === 'closed' || queue === undefined) return;
    const bytes = gathered(queue);
    const taken = this.#put(bytes, queue.taken, queue.bytes);
    if (taken < queue.bytes) {
      if (this.#queue === undefined) return; // it was the write that found out that the peer is gone
      queue.taken += taken;
      queue.bytes -= taken;
      return;
    }
    free(bytes);
    this.#queue = undefined;
    if (this.#state === 'open') {
      if (this.#enveloped?.isCrowded !== true) this.handler.drained();
    } else if (this.#hasSaidAll) this.#close();
  }

  /** Bun leaves the socket open when it reports a failure, which may be that a handler of ours has thrown. */
  socketFailed(problem: string | undefined): void {
    if (this.#state === 'closed') return;
    this.socketClosed(problem);
    this.#socket.terminate();
  }

  socketTimedOut(): void {
    if (this.#state === 'ending') this.socketFailed('the peer did not let the connection end');
  }

  socketClosed(told: string | undefined): void {
    if (this.#state === 'closed') return;
    const problem = told ?? (this.#isReset ? RESET : undefined);
    this.#state = 'closed';
    this.#queue = undefined;
    const why = problem ?? 'the peer closed the connection during the TLS handshake';
    this.#reception?.leave();
    this.#enveloped?.stop(why);
    this.#tls?.handshake?.({ succeeded: false, code: undefined, message: why });
    const { handler } = this;
    this.handler = deaf;
    handler.closed(problem);
  }

  handshakeDone(verdict: HandshakeVerdict): void {
    this.#tls?.handshake?.(verdict);
  }

  async #startTls(
    options: UpgradeOptions,
    certificate: () => Uint8Array,
    judge: (verdict: HandshakeVerdict) => string | undefined,
  ): Promise<AgreedTls> {
    assert(this.#reception === undefined, 'TLS is not started on what the ring reads');
    this.#flush();
    if (this.#state !== 'open') throw new Error('the connection is closed');
    // What agreed on TLS is one byte: only a peer that has gone already does not take it.
    if (this.#queue !== undefined) throw new Error('the peer is gone');
    this.#peer ??= peerOf(this.#socket);
    const tls: Encryption = { handshake: undefined, version: undefined };
    this.#tls = tls;
    const verdict = await new Promise<HandshakeVerdict>((resolve) => {
      tls.handshake = resolve;
      this.#socket = upgrade(this.#socket, options);
    });
    tls.handshake = undefined;
    const objection = judge(verdict);
    if (objection !== undefined) throw new Error(objection);
    tls.version = this.#socket.getTLSVersion();
    const agreed = this.#socket.alpnProtocol;
    return { protocol: agreed === null || agreed === false ? '' : agreed, certificate };
  }

  #closeWhenSaid(): void {
    if (this.#state === 'ending' && this.#hasSaidAll && this.#queue === undefined) this.#close();
  }

  /** Told at once, as nothing may be said to a connection that is over; the runtime finds it out in its own time. */
  #peerClosed(): void {
    const socket = this.#socket;
    this.socketClosed(undefined);
    socket.resume();
    socket.end();
  }

  /** A database's connection is gone when the database says so: until then it counts towards its limit (trap GX-02). */
  #close(): void {
    if (this.#reception !== undefined) return; // it is on its way out, and comes back to this
    if (this.#origin === 'dialled') this.#socket.shutdown();
    else this.#socket.end();
  }

  /** The link is as if there had never been TLS. */
  #forgetEnded(): void {
    if (this.#enveloped?.isListening === false) this.#enveloped = undefined;
  }

  /** Has the ring read for us if there will be many short pieces. */
  #consider({ length }: Uint8Array): void {
    this.#shortReads = length < PIECE_BYTES ? this.#shortReads + 1 : 0;
    if (this.#shortReads < receives.patience || this.#reception !== undefined) return;
    if (this.#state !== 'open' || this.#paused || this.#isReset) return;
    if (this.handler.isRelaying !== true || this.#enveloped !== undefined) return;
    this.#reception = receives.take(this);
    if (this.#reception !== undefined) this.#socket.pause();
  }

  #enqueue(bytes: Uint8Array): void {
    if (this.#state === 'closed') return; // it was the write that found out
    this.#queue ??= { chunks: [], taken: 0, bytes: 0 };
    this.#queue.chunks.push(bytes);
    this.#queue.bytes += bytes.length;
  }

  /** Returns how many bytes the system has taken. */
  #put(bytes: Uint8Array, from: number, length: number): number {
    const taken = this.#socket.write(bytes, from, length);
    if (taken >= 0) return taken;
    // Of a connection that was reset before, Bun tells only the end, and nothing at all while it is paused. Otherwise there may be
    // something to read still, such as why. Whoever writes is in the middle of something: they hear of it later.
    this.#isReset = this.#tls === undefined;
    if (this.#isReset && this.#paused) queueMicrotask(() => this.socketFailed(RESET));
    return 0;
  }

  /** What has been written goes out before what comes next. */
  #flush(): void {
    if (this.place !== NOWHERE) sends.flush();
  }
}

/** A queue in one piece. */
function gathered(queue: Queue): Uint8Array {
  const { chunks } = queue;
  const [first = EMPTY] = chunks;
  if (chunks.length === 1) return first;
  const bytes = concat(chunks);
  for (const one of chunks) free(one);
  queue.chunks = [bytes];
  return bytes;
}

function peerOf({ remoteAddress, remotePort }: Socket<SocketLink>): string {
  return sayPeer(remoteAddress, remotePort);
}

/** Of a socket that is closed, nothing is known; the type declarations do not tell. */
function sayPeer(host: string | undefined, port: number): string {
  if (host === undefined) return 'a peer that is gone';
  return sayAddress(host.startsWith(MAPPED_IPV4) ? host.slice(MAPPED_IPV4.length) : host, port);
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

/** What arrives is no `Buffer`, whose `slice` makes no copy. The type declarations do not know that it can be so. */
const plainBytes: object = { binaryType: 'uint8array' };

/** One handlers object for all plain sockets: a socket carries nothing but its link, and nothing before it is open. */
export const plainHandlers: SocketHandler<SocketLink> = {
  ...plainBytes,
  data: (socket, bytes) => socket.data.plainData(bytes),
  drain: (socket) => socket.data.plainDrained(),
  timeout: (socket) => socket.data.socketTimedOut(),
  close: (socket, problem) => socket.data?.socketClosed(problem?.message),
  error: (socket, problem) => socket.data?.socketFailed(problem.message),
  end: () => {}, // a close follows
};

const tlsHandlers: SocketHandler<SocketLink> = {
  ...plainBytes,
  open: () => {},
  handshake: (socket, succeeded, problem) =>
    socket.data.handshakeDone(handshakeVerdict(succeeded, problem)),
  data: (socket, bytes) => socket.data.socketData(bytes),
  drain: (socket) => socket.data.socketDrained(),
  timeout: (socket) => socket.data.socketTimedOut(),
  close: (socket, problem) => socket.data.socketClosed(problem?.message),
  error: (socket, problem) => socket.data.socketFailed(problem.message),
  end: () => {}, // a close follows
};
