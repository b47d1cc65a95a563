// Packets in compressed packets, which know nothing of where those begin and end. MySQL documentation, "Compression".
import {
  constants,
  deflateSync,
  inflateSync,
  zstdCompressSync,
  zstdDecompressSync,
} from 'node:zlib';
import { Violation } from '../../base/assert.ts';
import { concat, u24le } from '../../base/bytes.ts';
import { limits } from '../../base/limits.ts';
import { int24 } from './build.ts';
import {
  following,
  HEADER_BYTES,
  MAX_PACKET_BYTES,
  sequenceNumber,
  writeHeader,
} from './framing.ts';

export type Compression = 'zlib' | 'zstd';

/** Length, number, and the length of what comes out of it: 0 where it is not compressed. */
const COMPRESSED_HEADER_BYTES = HEADER_BYTES + 3;
/** What is shorter is not compressed, as in MySQL (MIN_COMPRESS_LENGTH). */
const MIN_COMPRESSED_BYTES = 50;
/** MySQL's own default of zstd; zlib has one by itself. */
const ZSTD_LEVEL = 3;

/** What one side sends, as it was before it was compressed. */
export class Decompressor {
  readonly #compression: Compression;
  /** What has come of a packet that is not whole yet, copied, and how long it must be for the next look at it. */
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  #wantedBytes = COMPRESSED_HEADER_BYTES;
  #sequence = 0;

  constructor(compression: Compression) {
    this.#compression = compression;
  }

  /** The number of the last whole packet: what answers it has the following one. */
  get sequence(): number {
    return this.#sequence;
  }

  /** So many bytes more, and there is something new to be seen of the packet at hand. */
  get missingBytes(): number {
    return this.#wantedBytes - this.#heldBytes;
  }

  /**
   * Takes what has arrived, cut anywhere, and gives what is whole of it: pieces of the plain stream, which may be cut anywhere
   * too (trap MY-13).
   */
  feed(chunk: Uint8Array): readonly Uint8Array[] {
    const plain: Uint8Array[] = [];
    let at = 0;
    while (at < chunk.length) {
      const piece = chunk.subarray(at, at + this.missingBytes);
      at += piece.length;
      this.#hold(piece);
      if (this.#heldBytes < this.#wantedBytes) break;
      const bytes = this.#release();
      const wholeBytes = COMPRESSED_HEADER_BYTES + u24le(bytes, 0);
      if (bytes.length < wholeBytes) {
        this.#wantedBytes = wholeBytes;
        this.#hold(bytes);
        continue;
      }
      this.#wantedBytes = COMPRESSED_HEADER_BYTES;
      this.#sequence = sequenceNumber(bytes, 0);
      const payload = plainOf(bytes, this.#compression);
      if (payload.length > 0) plain.push(payload);
    }
    return plain;
  }

  #hold(piece: Uint8Array): void {
    this.#held.push(piece.slice());
    this.#heldBytes += piece.length;
  }

  #release(): Uint8Array {
    const bytes = concat(this.#held);
    this.#held = [];
    this.#heldBytes = 0;
    return bytes;
  }
}

function plainOf(packet: Uint8Array, compression: Compression): Uint8Array {
  const payload = packet.subarray(COMPRESSED_HEADER_BYTES);
  const plainBytes = u24le(packet, HEADER_BYTES);
  if (plainBytes === 0) return payload;
  const plain = expand(payload, plainBytes, compression);
  if (plain.length !== plainBytes) throw new Violation('a compressed packet of another length');
  return plain;
}

/** No more than `plainBytes` are made, whatever comes out. */
function expand(payload: Uint8Array, plainBytes: number, compression: Compression): Uint8Array {
  const options = { maxOutputLength: plainBytes };
  try {
    return compression === 'zlib'
      ? inflateSync(payload, options)
      : zstdDecompressSync(payload, options);
  } catch {
    throw new Violation('a compressed packet that is none, or longer than it says');
  }
}

/** What we send to one side, compressed. */
export class Compressor {
  readonly #compress: (plain: Uint8Array) => Uint8Array;
  #sequence = 0;

  /** @param level of zstd, as the client has asked for it: high ones cost seconds, and are not given */
  constructor(compression: Compression, level = ZSTD_LEVEL) {
    const given = Math.min(level, limits.zstdLevel.value);
    const params = { [constants.ZSTD_c_compressionLevel]: given };
    this.#compress =
      compression === 'zlib' ? deflateSync : (plain) => zstdCompressSync(plain, { params });
  }

  /** Compressed packets are counted for themselves, and from the beginning with each command. */
  restart(sequence: number): void {
    this.#sequence = sequence;
  }

  /** Any part of the plain stream as compressed packets. */
  wrap(plain: Uint8Array): Uint8Array {
    const packets: Uint8Array[] = [];
    for (let at = 0; at < plain.length; at += MAX_PACKET_BYTES) {
      packets.push(this.#packet(plain.subarray(at, at + MAX_PACKET_BYTES)));
    }
    return concat(packets);
  }

  #packet(plain: Uint8Array): Uint8Array {
    const compressed = plain.length < MIN_COMPRESSED_BYTES ? plain : this.#compress(plain);
    const pays = compressed.length < plain.length;
    const payload = pays ? compressed : plain;
    const out = new Uint8Array(COMPRESSED_HEADER_BYTES + payload.length);
    writeHeader(out, 0, payload.length, this.#sequence);
    out.set(int24(pays ? plain.length : 0), HEADER_BYTES);
    out.set(payload, COMPRESSED_HEADER_BYTES);
    this.#sequence = following(this.#sequence);
    return out;
  }
}
