// Replies for tests.

/** A column of integers that may be NULL. */
export function int(name: string): Buffer {
  return Buffer.concat([new Uint8Array(6), Uint8Array.of(0x26, 4), shortText(name)]);
}

/** A column of texts, of at most 1 000 bytes. */
export function text(name: string): Buffer {
  const type = Uint8Array.of(0xa7, 0xe8, 3, 9, 4, 0xd0, 0, 0x34);
  return Buffer.concat([new Uint8Array(6), type, shortText(name)]);
}

export function columns(...all: readonly Uint8Array[]): Buffer {
  return Buffer.concat([Uint8Array.of(0x81, all.length, 0), ...all]);
}

/** Of integers. */
export function row(...values: readonly number[]): Buffer {
  return Buffer.concat([
    Uint8Array.of(0xd1),
    ...values.map((value) => Buffer.concat([Uint8Array.of(4), int32(value)])),
  ]);
}

/** Without a `status` it counts where there is a `count`. */
export function done({
  token = 0xfd,
  count,
  status = count === undefined ? 0 : 0x10,
}: { readonly token?: number; readonly status?: number; readonly count?: number } = {}): Buffer {
  const head = Uint8Array.of(token, status, 0, 0xc1, 0);
  return Buffer.concat([head, int32(count ?? 0), int32(0)]);
}

export function tokens(...all: readonly (Uint8Array | readonly number[])[]): Buffer {
  return Buffer.concat(all.map((one) => Uint8Array.from(one)));
}

/** A text behind its length in one byte. */
export function shortText(value: string): Buffer {
  return Buffer.concat([Uint8Array.of(value.length), Buffer.from(value, 'utf16le')]);
}

/** In packets of at most so many bytes. */
export function replyOf(payload: Uint8Array, packetBytes = 4096): Buffer {
  const room = packetBytes - 8;
  const packets: Buffer[] = [];
  for (let at = 0; at === 0 || at < payload.length; at += room) {
    const piece = payload.subarray(at, at + room);
    const isLast = at + room >= payload.length;
    const head = Buffer.from([4, isLast ? 1 : 0, 0, 0, 0, 51, packets.length + 1, 0]);
    head.writeUInt16BE(head.length + piece.length, 2);
    packets.push(Buffer.concat([head, piece]));
  }
  return Buffer.concat(packets);
}

function int32(value: number): Uint8Array {
  return new Uint8Array(Int32Array.of(value).buffer);
}
