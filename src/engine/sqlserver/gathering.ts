import { concat, EMPTY, u8 } from '../../base/bytes.ts';
import { HEADER_BYTES, packetStatus, packetType } from '../../wire/tds/packets.ts';
import type { Parcel } from './requests.ts';
import { INSPECTED_BYTES } from './requests.ts';

/** The packets of one request of the client's, up to where it can be looked at. */
export class Gathering {
  readonly #type: number;
  readonly #status: number;
  readonly #payloads: Uint8Array[] = [];
  #bytes = 0;
  #isOver = false;
  #isIgnored = false;
  #parcel: Parcel | undefined;

  /** @param status of the first packet */
  constructor(type: number, status: number) {
    this.#type = type;
    this.#status = status;
  }

  /** All of it is there, or as much as is looked at: a packet that waits can be shown again. */
  get isReady(): boolean {
    const isEnough = this.#bytes > INSPECTED_BYTES || this.#type === packetType.bulkLoad;
    return this.#isOver || (isEnough && this.#bytes > 0);
  }

  /** The client has thought better of it before it had said all (trap TD-09). */
  get isIgnored(): boolean {
    return this.#isIgnored;
  }

  add(bytes: Uint8Array, at: number, length: number): void {
    if (this.isReady) return;
    const status = u8(bytes, at + 1);
    this.#isOver = (status & packetStatus.endOfMessage) !== 0;
    this.#isIgnored = (status & packetStatus.ignore) !== 0;
    this.#payloads.push(bytes.slice(at + HEADER_BYTES, at + length));
    this.#bytes += length - HEADER_BYTES;
  }

  parcel(): Parcel {
    if (this.#parcel !== undefined) return this.#parcel;
    const bytes = concat(this.#payloads);
    this.#parcel = {
      type: this.#type,
      status: this.#status,
      bytes,
      start: 0,
      end: bytes.length,
      packetAt: undefined,
      isCut: !this.#isOver,
    };
    return this.#parcel;
  }
}

/** A request that fills one packet. One of these serves for many, one after the other. */
export class Single implements Parcel {
  type = 0;
  status = 0;
  bytes: Uint8Array = EMPTY;
  start = 0;
  end = 0;
  packetAt = 0;
  readonly isCut = false;

  /** The packet is `bytes[at, at + length)`. */
  of(bytes: Uint8Array, at: number, length: number): this {
    this.type = u8(bytes, at);
    this.status = u8(bytes, at + 1);
    this.bytes = bytes;
    this.start = at + HEADER_BYTES;
    this.end = at + length;
    this.packetAt = at;
    return this;
  }

  /** Lets go of the bytes. */
  forget(): void {
    this.bytes = EMPTY;
  }
}
