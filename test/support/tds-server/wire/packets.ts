import { errors } from '../types/errors.ts';

export const HEADER_BYTES = 8;
/** What either side uses before it has been agreed. */
export const DEFAULT_PACKET_BYTES = 4096;

export const packetType = {
  sqlBatch: 1,
  oldLogin: 2,
  rpc: 3,
  result: 4,
  attention: 6,
  bulkLoad: 7,
  fedAuthToken: 8,
  transactionManager: 14,
  login: 16,
  sspi: 17,
  prelogin: 18,
} as const;

export const packetStatus = { last: 1, ignore: 2, reset: 8, resetSkipTransaction: 16 } as const;

export interface Message {
  readonly type: number;
  /** Of its first packet, and `ignore` of its last. */
  readonly status: number;
  readonly payload: Uint8Array;
}

const known = new Set<number>(Object.values(packetType));
const mayReset = new Set<number>([
  packetType.sqlBatch,
  packetType.rpc,
  packetType.transactionManager,
]);

/** Who is told of what a reader finds. */
export interface PacketListener {
  /** A message's first packet is here; whatever it is, it must be due. */
  begins(type: number): void;
  message(message: Message): void;
  /** What SQL Server lets pass, but the protocol does not. */
  offence(what: string): void;
}

/** Puts a client's packets together to messages. What no server would accept is thrown as an error that closes. */
export class PacketReader {
  /** The most that a packet may have. */
  packetBytes = DEFAULT_PACKET_BYTES;
  /** From the login on packets that are not the last must be full. */
  mustBeFull = false;
  readonly #listener: PacketListener;
  #held: Buffer = Buffer.alloc(0);
  #pieces: Uint8Array[] = [];
  #type = 0;
  #status = 0;
  #nextId = 0;

  constructor(listener: PacketListener) {
    this.#listener = listener;
  }

  /** Bytes of a packet or message that is not complete. */
  get isBetween(): boolean {
    return this.#held.length === 0 && this.#pieces.length === 0;
  }

  feed(bytes: Uint8Array): void {
    const chunk = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#held = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    while (this.#held.length >= HEADER_BYTES) {
      const length = this.#held.readUInt16BE(2);
      this.#check(length);
      if (this.#held.length < length) break;
      const packet = this.#held.subarray(0, length);
      this.#held = this.#held.subarray(length);
      this.#take(packet);
    }
    // A socket's chunk is not ours to keep.
    if (this.#held.length > 0) this.#held = Buffer.from(this.#held);
  }

  #check(length: number): void {
    const type = this.#held[0] ?? 0;
    if (!known.has(type))
      throw errors.protocol(`The packet type 0x${type.toString(16)} is unknown.`);
    if (length < HEADER_BYTES) throw errors.protocol('A packet is shorter than its header.');
    if (length > this.packetBytes)
      throw errors.protocol(
        `A packet of ${length} bytes is longer than the ${this.packetBytes} agreed.`,
      );
  }

  #take(packet: Buffer): void {
    const [type = 0, status = 0, , , , , id = 0] = packet;
    const isFirst = this.#pieces.length === 0;
    const isLast = (status & packetStatus.last) !== 0;
    if (isFirst) {
      this.#begin(type, status);
    } else {
      if (type !== this.#type) throw errors.protocol('The type of a message changes within it.');
      if (id !== this.#nextId) this.#listener.offence(`packet ${id} where ${this.#nextId} was due`);
      if ((status & (packetStatus.reset | packetStatus.resetSkipTransaction)) !== 0)
        this.#listener.offence('a reset on a packet that is not the first');
    }
    this.#nextId = (id + 1) & 0xff;
    if (!isLast && this.mustBeFull && packet.length !== this.packetBytes)
      throw errors.protocol(
        `A packet that is not the last has ${packet.length} bytes, not ${this.packetBytes}.`,
      );
    if ((status & packetStatus.ignore) !== 0 && !isLast)
      throw errors.protocol('A message is to be ignored before its end.');
    this.#pieces.push(packet.subarray(HEADER_BYTES));
    if (!isLast) {
      // Nothing of a socket's chunk is kept.
      this.#pieces.push(Buffer.from(this.#pieces.pop() ?? []));
      return;
    }
    const payload =
      this.#pieces.length === 1 ? (this.#pieces[0] ?? packet) : Buffer.concat(this.#pieces);
    this.#pieces = [];
    this.#listener.message({
      type,
      status: this.#status | (status & packetStatus.ignore),
      payload,
    });
  }

  #begin(type: number, status: number): void {
    if (
      (status & (packetStatus.reset | packetStatus.resetSkipTransaction)) !== 0 &&
      !mayReset.has(type)
    )
      this.#listener.offence(`a reset on a message of type ${type}`);
    this.#type = type;
    this.#status = status;
    this.#listener.begins(type);
  }
}

/** Cuts `payload` into packets; `firstId` goes on counting a message that is sent in pieces. */
export function cut(
  payload: Uint8Array,
  type: number,
  packetBytes: number,
  { isLast = true, firstId = 1, spid = 0 } = {},
): Buffer {
  const room = packetBytes - HEADER_BYTES;
  const count = Math.max(1, Math.ceil(payload.length / room));
  const out = Buffer.allocUnsafe(payload.length + count * HEADER_BYTES);
  let at = 0;
  for (let n = 0; n < count; n += 1) {
    const part = payload.subarray(n * room, (n + 1) * room);
    out[at] = type;
    out[at + 1] = isLast && n === count - 1 ? packetStatus.last : 0;
    out.writeUInt16BE(part.length + HEADER_BYTES, at + 2);
    out.writeUInt16BE(spid & 0xff_ff, at + 4);
    out[at + 6] = (firstId + n) & 0xff;
    out[at + 7] = 0;
    out.set(part, at + HEADER_BYTES);
    at += part.length + HEADER_BYTES;
  }
  return out;
}
