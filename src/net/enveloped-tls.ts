import { Duplex } from 'node:stream';
import type { SecureContext } from 'node:tls';
import { checkServerIdentity, connect, createSecureContext, TLSSocket } from 'node:tls';
import { Violation } from '../base/assert.ts';
import { concat, EMPTY, free } from '../base/bytes.ts';
import { limits } from '../base/limits.ts';
import type { TlsEnvelope } from '../core/conversation.ts';
import type { HandshakeVerdict, TlsClient, TlsServer } from './tls.ts';
import { WRONG_NAME } from './tls.ts';

/** The connection that TLS is spoken on, as TLS sees it. */
export interface Carrier {
  /** Sends these bytes as they are. */
  carry(bytes: Uint8Array): void;
  /** The peer has said this, by TLS or in clear behind it. */
  heard(bytes: Uint8Array): void;
  /** What TLS had queued has been carried. */
  relieved(): void;
  /** What tells the peer of the end has been carried. */
  said(): void;
  /** The peer has ended TLS, and the connection with it. */
  over(): void;
  /** TLS has failed: part of a sentence. */
  broke(problem: string): void;
}

/** What came of a handshake. */
export interface Handshake {
  readonly verdict: HandshakeVerdict;
  readonly version: string | undefined;
  readonly protocol: string;
}

/** The packets of another protocol know nothing of the tickets of TLS 1.3. */
const MAX_VERSION = 'TLSv1.2';

/**
 * TLS whose handshake travels in another protocol's packets. Bun's own TLS wants a socket for itself; this is `node:tls` on a
 * stream whose bytes we carry. It decrypts at once what it is given, and encrypts at once what is written while nothing is queued;
 * `enveloped-tls.test.ts` guards that.
 */
export class EnvelopedTls {
  readonly #carrier: Carrier;
  readonly #envelope: TlsEnvelope;
  readonly #side: TlsServer | TlsClient;
  readonly #stream: Duplex;
  readonly #tls: TLSSocket;
  #state: 'handshake' | 'on' | 'closing' | 'ended' | 'stopped' = 'handshake';
  /** What has come in clear before TLS has ended on our side. */
  #early: Uint8Array = EMPTY;
  #peerIsClear = false;
  /** What is decrypted of one run of bytes; undefined where none is at work. */
  #decrypted: Uint8Array[] | undefined;
  /** Writes that have not been carried, and what is waited for until they are. */
  #pendingWrites = 0;
  #whenWritten: (() => void) | undefined;
  /** The certificate's flaw as the handshake has told it. */
  #flaw: string | undefined;
  #decide: (handshake: Handshake) => void = () => {};

  constructor(carrier: Carrier, envelope: TlsEnvelope, side: TlsServer | TlsClient) {
    this.#carrier = carrier;
    this.#envelope = envelope;
    this.#side = side;
    this.#stream = new Duplex({
      read: () => {},
      write: (bytes: Uint8Array, _, done) => {
        this.#carry(bytes);
        done();
      },
      final: (done) => {
        if (this.#state === 'closing') carrier.said();
        done();
      },
    });
    this.#tls = isServer(side) ? asServer(this.#stream, side) : asClient(this.#stream, side);
  }

  /** Bytes that were written and have not been carried. */
  get queuedBytes(): number {
    return this.isOn ? this.#tls.writableLength : 0;
  }

  /** `relieved` is to come. */
  get isCrowded(): boolean {
    return this.isOn && this.#tls.writableNeedDrain;
  }

  /** What is written is encrypted. */
  get isOn(): boolean {
    return this.#state === 'on' || this.#state === 'closing';
  }

  /** What arrives is to be given to `arrived`. */
  get isListening(): boolean {
    return this.#state !== 'stopped';
  }

  /** The server's certificate, as DER. */
  get certificate(): Uint8Array {
    return isServer(this.#side) ? this.#side.certificate : this.#tls.getPeerCertificate().raw;
  }

  /** Goes through the handshake, of which `hello` has been read already. Always resolves. */
  shakeHands(hello: Uint8Array): Promise<Handshake> {
    return new Promise((resolve) => {
      this.#decide = resolve;
      const tls = this.#tls;
      tls.on('data', (bytes: Uint8Array) => this.#read(bytes));
      tls.on('drain', () => this.#carrier.relieved());
      for (const event of FAILURES) tls.on(event, (error: Error) => this.#failed(error.message));
      tls.on('end', () => this.#peerEnded());
      // Bun hands over the certificate's flaw with its text; the declarations know nothing of it.
      tls.on('secureConnect', (flaw?: unknown) => {
        this.#flaw = flaw instanceof Error ? flaw.message : undefined;
      });
      tls.on('secure', () => this.#agreed());
      if (hello.length > 0) this.arrived(hello);
    });
  }

  /** Bytes of the connection, ours from here on. */
  arrived(bytes: Uint8Array): void {
    try {
      const { tls, clear } = this.#envelope.unwrap(bytes);
      if (tls.length > 0) this.#decrypt(tls);
      if (tls === bytes) free(bytes);
      if (clear.length > 0) this.#inClear(clear);
    } catch (error) {
      if (!(error instanceof Violation)) throw error;
      this.#failed(error.message);
    }
  }

  /** The bytes may be reused at once. */
  write(bytes: Uint8Array): void {
    this.#pendingWrites += 1;
    this.#tls.write(bytes.slice(), this.#written);
  }

  /** When all has been carried, there is no TLS on our side any more; what the peer says by it is heard until it is in clear, too. */
  async end(): Promise<void> {
    if (this.#pendingWrites > 0)
      await new Promise<void>((resolve) => {
        this.#whenWritten = resolve;
      });
    if (this.#state !== 'on') return;
    this.#state = 'ended';
    const early = this.#early;
    if (this.#peerIsClear) this.stop();
    if (early.length > 0) this.#carrier.heard(early);
  }

  /** Tells the peer that this is the end: `said` follows. */
  close(): void {
    this.#state = 'closing';
    this.#tls.end();
  }

  /** Neither hears nor says anything from here on. @param why where a handshake is under way: part of a sentence */
  stop(why = 'it was given up'): void {
    if (this.#state === 'stopped') return;
    const isUndecided = this.#state === 'handshake';
    this.#state = 'stopped';
    this.#early = EMPTY;
    this.#tls.destroy();
    this.#stream.destroy();
    if (isUndecided) this.#decide(failure(why));
  }

  #carry(bytes: Uint8Array): void {
    if (this.#state === 'ended' || this.#state === 'stopped') return;
    this.#carrier.carry(this.#envelope.wrap(bytes));
  }

  readonly #written = (): void => {
    this.#pendingWrites -= 1;
    if (this.#pendingWrites === 0) this.#whenWritten?.();
  };

  /** TLS comes in small records: they are handed on together. */
  #decrypt(tls: Uint8Array): void {
    const decrypted: Uint8Array[] = [];
    this.#decrypted = decrypted;
    if (!this.#stream.destroyed) this.#stream.push(tls);
    this.#decrypted = undefined;
    const [first] = decrypted;
    if (first === undefined || this.#state === 'stopped') return;
    this.#carrier.heard(decrypted.length === 1 ? first : concat(decrypted));
  }

  #read({ buffer, byteOffset, length }: Uint8Array): void {
    const bytes = new Uint8Array(buffer, byteOffset, length); // no `Buffer`, whose `slice` makes no copy
    if (this.#decrypted === undefined) this.#failed('it was late with what it has decrypted');
    else this.#decrypted.push(bytes);
  }

  /** Whoever reads it ends TLS first; until then there cannot be much. */
  #inClear(bytes: Uint8Array): void {
    this.#peerIsClear = true;
    if (this.#state === 'ended') {
      this.stop();
      this.#carrier.heard(bytes);
    } else if (this.#early.length + bytes.length > limits.linkQueueBytes.value)
      this.#failed('too much was sent in clear');
    else if (this.#state !== 'stopped') this.#early = concat([this.#early, bytes]);
  }

  /** Where TLS ends before the connection does, a peer may say so. */
  #peerEnded(): void {
    if (this.#state === 'handshake') this.#failed('the peer ended it');
    else if (this.isOn && !this.#envelope.ends) this.#carrier.over();
  }

  #agreed(): void {
    if (this.#state !== 'handshake') return;
    this.#state = 'on';
    const { alpnProtocol } = this.#tls;
    this.#decide({
      verdict: this.#verdict(),
      version: this.#tls.getProtocol() ?? undefined,
      protocol: typeof alpnProtocol === 'string' ? alpnProtocol : '',
    });
  }

  /** The chain comes before the name, as in Bun's own TLS. */
  #verdict(): HandshakeVerdict {
    if (isServer(this.#side)) return FINE;
    // Declared as an error; it is the code of one, or nothing.
    const flaw: unknown = this.#tls.authorizationError;
    if (typeof flaw === 'string')
      return { succeeded: false, code: flaw, message: this.#flaw ?? flaw };
    const { mode, options } = this.#side;
    if (mode !== 'verify-full' || options.serverName === '') return FINE;
    const wrong = checkServerIdentity(options.serverName, this.#tls.getPeerCertificate());
    if (wrong === undefined) return FINE;
    return { succeeded: false, code: WRONG_NAME, message: wrong.message };
  }

  /** What cannot be read any more is none of our business once we have ended. */
  #failed(problem: string): void {
    if (this.#state === 'stopped' || this.#state === 'ended') return;
    const isUndecided = this.#state === 'handshake';
    if (isUndecided) this.#decide(failure(problem));
    this.stop();
    if (!isUndecided) this.#carrier.broke(problem);
  }
}

/** After the handshake, a server's side has only the second one to say. */
const FAILURES = ['error', '_tlsError'] as const;

const FINE: HandshakeVerdict = { succeeded: true, code: undefined, message: '' };

function failure(message: string): Handshake {
  const verdict = { succeeded: false, code: undefined, message };
  return { verdict, version: undefined, protocol: '' };
}

function isServer(side: TlsServer | TlsClient): side is TlsServer {
  return 'certificate' in side;
}

/** Reading keys and certificates is dear, and the same for all connections. */
const contexts = new WeakMap<TlsServer | TlsClient, SecureContext>();

function contextOf(
  side: TlsServer | TlsClient,
  files: { readonly key?: string; readonly cert?: string; readonly ca?: string },
): SecureContext {
  let context = contexts.get(side);
  if (context === undefined) {
    context = createSecureContext({ ...files, maxVersion: MAX_VERSION });
    contexts.set(side, context);
  }
  return context;
}

function asServer(stream: Duplex, side: TlsServer): TLSSocket {
  const { key, cert, ca } = side.options;
  const secureContext = contextOf(side, { key, cert, ca });
  return new TLSSocket(stream, { isServer: true, secureContext });
}

/** Certificates are judged by us, before anything is said. */
function asClient(socket: Duplex, side: TlsClient): TLSSocket {
  const { serverName, ca, cert, key } = side.options;
  const files = {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  };
  return connect({
    socket,
    servername: serverName,
    secureContext: contextOf(side, files),
    rejectUnauthorized: false,
    checkServerIdentity: () => undefined,
  });
}
