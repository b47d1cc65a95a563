import { Violation } from '../../base/assert.ts';
import { concat, EMPTY, u16be, u8 } from '../../base/bytes.ts';

const PACKET_HEADER_BYTES = 8;
/** Nothing about packet sizes has been agreed yet. */
const PACKET_BYTES = 4096;
const END_OF_MESSAGE = 1;

/** The packets that carry a handshake, whichever side sends them; some servers use that of replies. */
const PRELOGIN = 0x12;
const REPLY = 0x04;

const RECORD_HEADER_BYTES = 5;
const APPLICATION_DATA = 23;
/** Change cipher spec, alert, handshake, application data. */
const RECORDS = { first: 20, last: APPLICATION_DATA } as const;

/** What has arrived, taken apart. */
export interface Unwrapped {
  readonly tls: Uint8Array;
  /** What stands behind all TLS, where that ends before the connection does. */
  readonly clear: Uint8Array;
}

/**
 * TLS in packets of PRELOGIN up to the end of its handshake, and as it is from then on (trap TD-11). What tells the two apart is the
 * first byte. [MS-TDS] 2.2.6.5, 3.2.5.1
 */
export class TlsEnvelope {
  /** TLS is for the login's first packet only: what comes behind it is in clear (trap TD-12). */
  readonly ends: boolean;
  /** Of the way out: application data has begun, so that nothing is wrapped any more. */
  #isOutRaw = false;
  readonly #out = new Records();
  /** Of the way in: the beginning of a header, what is still to come of a packet or record, and whether its bytes are TLS'. */
  #held: Uint8Array = EMPTY;
  #remaining = 0;
  #in: 'wrapped' | 'raw' | 'clear' = 'wrapped';

  constructor(ends: boolean) {
    this.ends = ends;
  }

  /** What goes out for TLS bytes of ours: in packets, each of which is a message of its own. */
  wrap(tls: Uint8Array): Uint8Array {
    if (this.#isOutRaw) return tls;
    const raw = this.#out.findApplicationData(tls);
    if (raw === undefined) return packets(tls);
    this.#isOutRaw = true;
    return raw === 0 ? tls : concat([packets(tls.subarray(0, raw)), tls.subarray(raw)]);
  }

  /** Takes apart what has arrived, in whatever pieces that comes. Throws a `Violation` for what is neither. */
  unwrap(arrived: Uint8Array): Unwrapped {
    if (this.#in === 'clear') return { tls: EMPTY, clear: arrived };
    if (this.#in === 'raw' && !this.ends) return { tls: arrived, clear: EMPTY };
    const bytes = this.#held.length === 0 ? arrived : concat([this.#held, arrived]);
    this.#held = EMPTY;
    const tls: Uint8Array[] = [];
    let at = 0;
    while (at < bytes.length) {
      if (this.#remaining === 0) {
        const begun = this.#begin(bytes, at, tls);
        if (begun === undefined) break;
        at = begun;
        if (this.#isAllRaw) return { tls: concat([...tls, bytes.subarray(at)]), clear: EMPTY };
        if (this.#isClear) return { tls: concat(tls), clear: bytes.subarray(at) };
      }
      const end = Math.min(bytes.length, at + this.#remaining);
      tls.push(bytes.subarray(at, end));
      this.#remaining -= end - at;
      at = end;
    }
    if (at < bytes.length) this.#held = bytes.slice(at);
    return { tls: tls.length === 1 ? (tls[0] ?? EMPTY) : concat(tls), clear: EMPTY };
  }

  get #isAllRaw(): boolean {
    return this.#in === 'raw' && !this.ends;
  }

  get #isClear(): boolean {
    return this.#in === 'clear';
  }

  /** A packet or record begins. Returns where its TLS bytes do; undefined where its header is not there yet. */
  #begin(bytes: Uint8Array, at: number, tls: Uint8Array[]): number | undefined {
    const first = u8(bytes, at);
    if (first >= RECORDS.first && first <= RECORDS.last) {
      if (first === APPLICATION_DATA) this.#in = 'raw';
      if (this.#isAllRaw) return at;
      if (bytes.length - at < RECORD_HEADER_BYTES) return undefined;
      this.#remaining = u16be(bytes, at + 3);
      tls.push(bytes.subarray(at, at + RECORD_HEADER_BYTES));
      return at + RECORD_HEADER_BYTES;
    }
    if (first === PRELOGIN || (first === REPLY && !this.ends)) {
      if (this.#in === 'raw') throw new Violation('a packet outside TLS');
      if (bytes.length - at < PACKET_HEADER_BYTES) return undefined;
      const length = u16be(bytes, at + 2);
      if (length <= PACKET_HEADER_BYTES) throw new Violation(`a packet of ${length} bytes of TLS`);
      this.#remaining = length - PACKET_HEADER_BYTES;
      return at + PACKET_HEADER_BYTES;
    }
    if (!this.ends) throw new Violation(`${first} begins neither TLS nor a packet of it`);
    this.#in = 'clear';
    return at;
  }
}

/** A stream of TLS records, of which only the lengths matter. */
class Records {
  #held: Uint8Array = EMPTY;
  #remaining = 0;

  /** Goes on with the stream. Returns where application data begins in `bytes`, if it does; not more than that is looked at then. */
  findApplicationData(bytes: Uint8Array): number | undefined {
    let at = 0;
    while (at < bytes.length) {
      if (this.#remaining > 0) {
        const taken = Math.min(this.#remaining, bytes.length - at);
        this.#remaining -= taken;
        at += taken;
        continue;
      }
      if (this.#held.length === 0 && u8(bytes, at) === APPLICATION_DATA) return at;
      const missing = RECORD_HEADER_BYTES - this.#held.length;
      const header = concat([this.#held, bytes.subarray(at, at + missing)]);
      at += missing;
      if (header.length < RECORD_HEADER_BYTES) {
        this.#held = header;
        return undefined;
      }
      this.#held = EMPTY;
      this.#remaining = u16be(header, 3);
    }
    return undefined;
  }
}

function packets(tls: Uint8Array): Uint8Array {
  const room = PACKET_BYTES - PACKET_HEADER_BYTES;
  const parts: Uint8Array[] = [];
  for (let at = 0; at < tls.length; at += room) {
    const payload = tls.subarray(at, at + room);
    const length = PACKET_HEADER_BYTES + payload.length;
    const status = at + room >= tls.length ? END_OF_MESSAGE : 0;
    // The packets of one flight are a message; nothing counts them.
    parts.push(Uint8Array.of(PRELOGIN, status, length >> 8, length & 0xff, 0, 0, 0, 0), payload);
  }
  return concat(parts);
}
