import { u8 } from '../../base/bytes.ts';
import { HEADER_BYTES, packetStatus } from '../../wire/tds/packets.ts';

/** A part of bytes, `[from, to)`. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

/**
 * A packet, `bytes[at, at + length)`, as one or several of at most `packetBytes` each, without the part of its payload that is
 * to be left out (traps TD-02, TD-16).
 */
export function recut(
  bytes: Uint8Array,
  {
    at,
    length,
    packetBytes,
    without,
  }: {
    readonly at: number;
    readonly length: number;
    readonly packetBytes: number;
    readonly without: Range | undefined;
  },
): Uint8Array {
  const left = without ?? { from: at + length, to: at + length };
  const payloadBytes = length - HEADER_BYTES - (left.to - left.from);
  const room = packetBytes - HEADER_BYTES;
  const count = Math.max(1, Math.ceil(payloadBytes / room));
  const out = new Uint8Array(payloadBytes + count * HEADER_BYTES);
  let source = at + HEADER_BYTES;
  let to = 0;
  for (let packet = 1; packet <= count; packet += 1) {
    const isLast = packet === count;
    const payload = isLast ? payloadBytes - room * (count - 1) : room;
    writeHeader(out, to, bytes, at, { length: HEADER_BYTES + payload, isLast });
    const end = to + HEADER_BYTES + payload;
    for (let next = to + HEADER_BYTES; next < end;) {
      if (source === left.from) source = left.to;
      const until =
        source < left.from ? Math.min(left.from, source + end - next) : source + end - next;
      out.set(bytes.subarray(source, until), next);
      next += until - source;
      source = until;
    }
    to = end;
  }
  return out;
}

/** As the packet at `at` has it, but for its length and, where it is not the last part, its end. */
function writeHeader(
  out: Uint8Array,
  to: number,
  bytes: Uint8Array,
  at: number,
  { length, isLast }: { readonly length: number; readonly isLast: boolean },
): void {
  const status = u8(bytes, at + 1);
  out.set(bytes.subarray(at, at + HEADER_BYTES), to);
  out[to + 1] = isLast ? status : status & ~packetStatus.endOfMessage;
  out[to + 2] = length >> 8;
  out[to + 3] = length & 0xff;
}
