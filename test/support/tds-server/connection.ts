import type { Socket } from 'node:net';
import * as tls from 'node:tls';
import type { Session } from './session/session.ts';
import { SqlError, errors } from './types/errors.ts';
import { Attention, Gone, Runner } from './run/wait.ts';
import type { Wait } from './run/wait.ts';
import { requestWork } from './run/request.ts';
import type { Request } from './run/request.ts';
import { Envelope, Replayed } from './wire/envelope.ts';
import { readLogin } from './wire/login.ts';
import {
  DEFAULT_PACKET_BYTES,
  PacketReader,
  cut,
  packetStatus,
  packetType,
} from './wire/packets.ts';
import type { Message } from './wire/packets.ts';
import { encryption, greetingOf, preloginReply, readPrelogin } from './wire/prelogin.ts';
import { Reply, doneKind, doneStatus } from './wire/reply.ts';
import type { Wire } from './wire/reply.ts';
import { logIn } from './session/sign-in.ts';
import type { Host } from './host.ts';

const VERSION = [16, 0, 0x10, 0x13];
/** So much may wait in a socket before a query waits, too. */
const ROOM_BYTES = 1_000_000;
const HANDSHAKE = 0x16;

type Phase = 'prelogin' | 'login' | 'ready' | 'closed';

/** One client: its bytes, up to requests that a session runs. */
export class Connection implements Wire {
  readonly #host: Host;
  readonly #socket: Socket;
  readonly #reader: PacketReader;
  readonly #runner = new Runner((error) => this.#ended(error));
  #phase: Phase = 'prelogin';
  #envelope: Envelope | undefined;
  #tls: tls.TLSSocket | undefined;
  #replayed: Replayed | undefined;
  /** TLS covers the login only. */
  #isLoginOnly = false;
  #hasBytes = false;
  #reply: Reply | undefined;
  #session: Session | undefined;
  #lateAttention = false;
  readonly #pieces: Buffer[] = [];
  #isPiecemeal = false;
  version = 0x74000004;
  packetBytes = DEFAULT_PACKET_BYTES;
  isEncrypted = false;

  constructor(host: Host, socket: Socket) {
    this.#host = host;
    this.#socket = socket;
    this.#reader = new PacketReader({
      begins: (type) => this.#begins(type),
      message: (message) => this.#message(message),
      offence: (what) => this.#offence(what),
    });
    socket.setNoDelay(true);
    socket.on('data', (bytes: Buffer) => this.#arrived(bytes));
    socket.on('error', () => this.#gone());
    socket.on('close', () => this.#gone());
    socket.on('end', () => this.#gone());
  }

  get spid(): number {
    return this.#session?.spid ?? 0;
  }

  get serverName(): string {
    return this.#host.engine.serverName;
  }

  get session(): Session | undefined {
    return this.#session;
  }

  get isBusy(): boolean {
    return this.#runner.isBusy;
  }

  write(bytes: Uint8Array): void {
    if (this.#phase === 'closed') return;
    const broken = this.#host.breakage(bytes.length);
    const whole = broken === undefined ? bytes : bytes.subarray(0, broken);
    const { pieceBytes } = this.#host;
    if (pieceBytes === undefined) this.#put(whole);
    else {
      for (let at = 0; at < whole.length; at += pieceBytes)
        this.#pieces.push(Buffer.from(whole.subarray(at, at + pieceBytes)));
      if (!this.#isPiecemeal) this.#putPieces();
    }
    if (broken !== undefined) this.#close();
  }

  #put(bytes: Uint8Array): void {
    (this.#tls ?? this.#socket).write(bytes);
  }

  /** One piece in each turn of the event loop. */
  #putPieces(): void {
    const piece = this.#pieces.shift();
    this.#isPiecemeal = piece !== undefined;
    if (piece === undefined) return;
    this.#put(piece);
    setImmediate(() => this.#putPieces());
  }

  /** KILL, a restart, an offence: without a word. */
  destroy(): void {
    if (this.#phase === 'closed') return;
    this.#phase = 'closed';
    this.#runner.interrupt(new Gone());
    this.#tls?.destroy();
    this.#socket.destroy();
    this.#end();
  }

  #gone(): void {
    this.destroy();
  }

  #end(): void {
    this.#session?.close();
    this.#host.left(this);
  }

  #offence(what: string): void {
    this.#host.offence(this.spid, what);
  }

  #arrived(bytes: Buffer): void {
    if (this.#phase === 'closed') return;
    if (!this.#hasBytes) {
      this.#hasBytes = true;
      if (bytes[0] === HANDSHAKE) this.#startStrict();
    }
    if (this.#envelope !== undefined) this.#envelope.feed(bytes);
    else if (this.#replayed !== undefined) this.#replayed.feed(bytes);
    else this.#feed(bytes);
  }

  #feed(bytes: Uint8Array): void {
    if (this.#phase === 'closed') return;
    try {
      this.#reader.feed(bytes);
    } catch (error) {
      this.#refuse(error);
    }
  }

  /** Tells a protocol error, notes it, and closes. */
  #refuse(error: unknown): void {
    if (!(error instanceof SqlError)) throw error;
    this.#offence(error.message);
    if (this.#phase === 'ready' && !this.#runner.isBusy) {
      const reply = new Reply(this);
      reply.error(error);
      reply.done(doneKind.batch, doneStatus.error, 0);
      reply.finish();
    }
    this.#close();
  }

  /** When all that has been written is out. */
  #close(): void {
    if (this.#phase === 'closed') return;
    this.#phase = 'closed';
    this.#runner.interrupt(new Gone());
    if (this.#tls === undefined) this.#socket.end();
    else this.#tls.end(() => this.#socket.end());
    this.#end();
  }

  #begins(type: number): void {
    if (this.#runner.isBusy && type !== packetType.attention)
      throw errors.protocol('A request comes while another one is running.');
  }

  #message(message: Message): void {
    if (this.#phase === 'closed') return;
    switch (this.#phase) {
      case 'prelogin':
        if (message.type === packetType.prelogin) this.#greet(message.payload);
        else if (message.type === packetType.login) this.#login(message.payload);
        else throw errors.protocol('Neither PRELOGIN nor a login comes first.');
        return;
      case 'login':
        if (message.type !== packetType.login) throw errors.protocol('No login follows PRELOGIN.');
        this.#login(message.payload);
        return;
      case 'ready':
        this.#request(message);
    }
  }

  #greet(payload: Uint8Array): void {
    const greeting = greetingOf(readPrelogin(payload));
    const { encrypt, mars } = this.#host.options;
    const asked = (greeting.encryption ?? encryption.notSupported) & 0x03;
    const answer = this.isEncrypted ? encryption.on : answered(encrypt, asked);
    const bytes = preloginReply(
      VERSION,
      answer,
      greeting.mars && mars === true,
      greeting.asksFedAuth,
    );
    this.write(cut(bytes, packetType.result, DEFAULT_PACKET_BYTES));
    this.#phase = 'login';
    if (this.isEncrypted) return;
    const isRefused = encrypt === 'required' && asked === encryption.notSupported;
    if (encrypt === 'strict' || isRefused) {
      if (encrypt === 'strict') this.#offence('PRELOGIN without TLS');
      this.#close();
      return;
    }
    if (answer === encryption.notSupported) return;
    this.#isLoginOnly = answer === encryption.off;
    this.#startEnveloped();
  }

  #startEnveloped(): void {
    const envelope = new Envelope(this.#socket, (what) => this.#offence(what));
    this.#envelope = envelope;
    // What comes with the handshake inside of packets knows no TLS 1.3.
    this.#secure(envelope, { maxVersion: 'TLSv1.2' });
  }

  #startStrict(): void {
    if (this.#host.options.isStrictOffered === false) {
      this.#close();
      return;
    }
    const replayed = new Replayed(this.#socket);
    this.#replayed = replayed;
    this.#secure(replayed, { ALPNProtocols: ['tds/8.0'] });
  }

  #secure(stream: Envelope | Replayed, options: tls.TLSSocketOptions): void {
    const { key, cert } = this.#host.certificate();
    const secured = new tls.TLSSocket(stream, {
      ...{ isServer: true, requestCert: false, ...options },
      secureContext: tls.createSecureContext({ key, cert, ...options }),
    });
    this.#tls = secured;
    this.isEncrypted = true;
    secured.on('data', (bytes: Buffer) => this.#feed(bytes));
    secured.on('error', () => this.#gone());
    secured.on('secure', () => {
      const name: unknown = secured.alpnProtocol;
      if (stream instanceof Replayed && name !== 'tds/8.0')
        this.#offence(`strict TLS with ALPN ${String(name)}`);
    });
  }

  #login(payload: Uint8Array): void {
    const login = readLogin(payload);
    if (this.#isLoginOnly) this.#backToPlain();
    this.#reader.mustBeFull = true;
    const result = logIn(this.#host, login);
    this.version = result.version;
    const reply = new Reply(this);
    const { session } = result;
    this.#session = session;
    if (session !== undefined) {
      session.isEncrypted = this.isEncrypted && !this.#isLoginOnly;
      session.connection = this;
    }
    result.tell(reply);
    reply.finish();
    if (session === undefined) {
      this.#close();
      return;
    }
    this.packetBytes = result.packetBytes;
    this.#reader.packetBytes = result.packetBytes;
    this.#phase = 'ready';
  }

  /** The login has been read: what follows is not encrypted. */
  #backToPlain(): void {
    const rest = this.#envelope?.takeRest();
    if (rest !== undefined && rest.length > 0)
      this.#offence('bytes behind a login that is encrypted alone');
    this.#envelope = undefined;
    this.#tls = undefined;
  }

  #request(message: Message): void {
    const session = this.#session;
    if (session === undefined) return;
    if (message.type === packetType.attention) {
      this.#attention();
      return;
    }
    if ((message.status & packetStatus.ignore) !== 0) {
      // It was given up while it was sent.
      const reply = new Reply(this);
      reply.done(doneKind.batch, doneStatus.error | this.#inTransaction, 0);
      reply.finish();
      return;
    }
    const reply = new Reply(this);
    this.#reply = reply;
    const request: Request = {
      message,
      session,
      reply,
      version: this.version,
      host: this.#host,
      room: () => this.#room(),
    };
    this.#runner.start(requestWork(request));
  }

  /** Ends what is running; afterwards it is only acknowledged. */
  #attention(): void {
    this.#host.counted('attention');
    if (this.#runner.isBusy) {
      this.#lateAttention = true;
      this.#runner.interrupt(new Attention());
      return;
    }
    this.#acknowledge();
  }

  #acknowledge(): void {
    const reply = new Reply(this);
    reply.done(doneKind.batch, doneStatus.attention | this.#inTransaction, 0);
    reply.finish();
  }

  get #inTransaction(): number {
    const isTold = this.#session?.transaction !== undefined && !this.#host.engine.isBabelfish;
    return isTold ? doneStatus.inTransaction : 0;
  }

  /** The work of a request has come to its end. */
  #ended(error: unknown): void {
    const reply = this.#reply;
    const session = this.#session;
    this.#reply = undefined;
    if (this.#phase === 'closed' || reply === undefined || session === undefined) return;
    const isAttention = this.#lateAttention;
    this.#lateAttention = false;
    if (error instanceof Gone) return;
    if (error instanceof SqlError) {
      if (error.number === 4002) this.#offence(error.message);
      reply.error(error);
      reply.done(doneKind.batch, doneStatus.error, 0);
    } else if (error !== undefined && !(error instanceof Attention)) {
      this.#host.failed(error);
      reply.error(
        new SqlError(
          50_001,
          `The test server has failed: ${error instanceof Error ? error.message : 'no error'}`,
          20,
        ),
      );
      reply.done(doneKind.batch, doneStatus.error, 0);
      reply.finish();
      this.#close();
      return;
    }
    if (isAttention) {
      if (session.isOn('XACT_ABORT') && session.transaction !== undefined) session.rollback();
      // What was under way ends its message; the acknowledgement has one of its own.
      reply.done(doneKind.batch, doneStatus.error, 0);
      reply.finish();
      this.#acknowledge();
      return;
    } else if (!reply.hasDone) reply.done(doneKind.batch, this.#inTransaction, 0);
    reply.finish();
    if (error instanceof SqlError && error.reach === 'connection') this.#close();
  }

  /** To be waited for while the client does not read. */
  #room(): Wait | undefined {
    const stream = this.#tls ?? this.#socket;
    if (stream.writableLength < ROOM_BYTES) return undefined;
    return {
      why: 'room',
      begin(resume) {
        stream.once('drain', resume);
        return () => stream.off('drain', resume);
      },
    };
  }
}

/** ENCRYPT's table, [MS-TDS] 2.2.6.5. */
function answered(own: 'off' | 'required' | 'none' | 'strict', asked: number): number {
  if (own === 'none') return encryption.notSupported;
  if (own === 'required' || own === 'strict')
    return asked === encryption.off || asked === encryption.notSupported
      ? encryption.required
      : encryption.on;
  if (asked === encryption.on || asked === encryption.required) return encryption.on;
  return asked;
}
