import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { HEADER_BYTES, cut, packetType } from './packets.ts';

const TLS_HEADER_BYTES = 5;
const APPLICATION_DATA = 0x17;

/**
 * What TLS reads and writes while it goes inside of PRELOGIN packets. Records of the handshake are wrapped, from the first
 * that carries data on they go as they are: so nobody needs to know at which record the handshake ends. `offence` hears of
 * clients that see it otherwise.
 */
export class Envelope extends Duplex {
  readonly #socket: Socket;
  readonly #offence: (what: string) => void;
  #incoming: Buffer = Buffer.alloc(0);
  #outgoing: Buffer = Buffer.alloc(0);
  #hasSeenData = false;

  constructor(socket: Socket, offence: (what: string) => void) {
    super();
    this.#socket = socket;
    this.#offence = offence;
  }

  /** Bytes of the client's. */
  feed(bytes: Buffer): void {
    this.#incoming = Buffer.concat([this.#incoming, bytes]);
    for (;;) {
      const first = this.#incoming[0];
      if (first === undefined) return;
      const isPacket = first === packetType.prelogin;
      const header = isPacket ? HEADER_BYTES : TLS_HEADER_BYTES;
      if (this.#incoming.length < header) return;
      const length = isPacket
        ? this.#incoming.readUInt16BE(2)
        : TLS_HEADER_BYTES + this.#incoming.readUInt16BE(3);
      if (isPacket && length < HEADER_BYTES) {
        this.#offence('a packet shorter than its header around TLS');
        this.#socket.destroy();
        return;
      }
      if (this.#incoming.length < length) return;
      const unit = this.#incoming.subarray(0, length);
      this.#incoming = this.#incoming.subarray(length);
      if (first === APPLICATION_DATA) this.#hasSeenData = true;
      if (isPacket && this.#hasSeenData) this.#offence('TLS in a packet after the handshake');
      if (!isPacket && first !== APPLICATION_DATA && !this.#hasSeenData && first !== 0x15)
        this.#offence(`TLS without a packet (0x${first.toString(16)}) during the handshake`);
      this.push(isPacket ? unit.subarray(HEADER_BYTES) : unit);
    }
  }

  /** What is left of the client's bytes when TLS ends and plain text begins. */
  takeRest(): Buffer {
    const rest = this.#incoming;
    this.#incoming = Buffer.alloc(0);
    return rest;
  }

  override _read(): void {
    // `feed` pushes.
  }

  override _write(
    chunk: Buffer,
    _encoding: BufferEncoding,
    callback: (error?: Error | null) => void,
  ): void {
    this.#outgoing = Buffer.concat([this.#outgoing, chunk]);
    const out: Buffer[] = [];
    let wrapped: Buffer[] = [];
    const wrap = (): void => {
      if (wrapped.length > 0) out.push(cut(Buffer.concat(wrapped), packetType.prelogin, 4096));
      wrapped = [];
    };
    while (this.#outgoing.length >= TLS_HEADER_BYTES) {
      const length = TLS_HEADER_BYTES + this.#outgoing.readUInt16BE(3);
      if (this.#outgoing.length < length) break;
      const record = this.#outgoing.subarray(0, length);
      this.#outgoing = this.#outgoing.subarray(length);
      // An alert behind the handshake, such as the one at the end, is as little wrapped as data is.
      if (record[0] === APPLICATION_DATA || this.#hasSeenData) {
        wrap();
        out.push(record);
      } else wrapped.push(record);
    }
    wrap();
    if (out.length === 0) {
      callback();
      return;
    }
    this.#socket.write(Buffer.concat(out), () => callback());
  }

  override _final(callback: (error?: Error | null) => void): void {
    callback();
  }
}

/** A socket's bytes, some of which have been read before TLS begins: TDS 8.0. */
export class Replayed extends Duplex {
  readonly #socket: Socket;

  constructor(socket: Socket) {
    super();
    this.#socket = socket;
  }

  feed(bytes: Buffer): void {
    this.push(bytes);
  }

  override _read(): void {
    // `feed` pushes.
  }

  override _write(
    chunk: Buffer,
    _encoding: BufferEncoding,
    callback: (error?: Error | null) => void,
  ): void {
    this.#socket.write(chunk, () => callback());
  }

  override _final(callback: (error?: Error | null) => void): void {
    this.#socket.end();
    callback();
  }
}
