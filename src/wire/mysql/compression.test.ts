import { describe, expect, test } from 'bun:test';
import { constants, deflateSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { Violation } from '../../base/assert.ts';
import { concat, u24le, utf8 } from '../../base/bytes.ts';
import { limits } from '../../base/limits.ts';
import { seededRandom } from '../../base/random.ts';
import { int24 } from './build.ts';
import { Compressor, Decompressor } from './compression.ts';
import { MAX_PACKET_BYTES, sequenceNumber } from './framing.ts';

const HEADER_BYTES = 7;
const both = ['zlib', 'zstd'] as const;

/** Compressed and plain lengths and numbers of the packets in `bytes`, which must be whole. */
function headers(
  bytes: Uint8Array,
): (readonly [length: number, sequence: number, plain: number])[] {
  const found: (readonly [number, number, number])[] = [];
  let at = 0;
  while (at < bytes.length) {
    found.push([u24le(bytes, at), sequenceNumber(bytes, at), u24le(bytes, at + 4)]);
    at += HEADER_BYTES + u24le(bytes, at);
  }
  expect(at).toBe(bytes.length);
  return found;
}

function packet(payload: Uint8Array, plainBytes: number, sequence = 0): Uint8Array {
  return concat([int24(payload.length), Uint8Array.of(sequence), int24(plainBytes), payload]);
}

describe.each(both)('MY-13: %s', (compression) => {
  const compress = (plain: Uint8Array) =>
    compression === 'zlib' ? deflateSync(plain) : zstdCompressSync(plain);
  const fed = (...chunks: Uint8Array[]) => {
    const decompressor = new Decompressor(compression);
    return concat(chunks.flatMap((chunk) => decompressor.feed(chunk)));
  };

  test('what is wrapped comes out again, cut at every offset', () => {
    const plain = concat([utf8('short'), utf8('long '.repeat(100))]);
    const compressor = new Compressor(compression);
    const bytes = concat([
      compressor.wrap(plain.subarray(0, 5)),
      compressor.wrap(plain.subarray(5, 300)),
      compressor.wrap(plain.subarray(300)),
    ]);
    expect(headers(bytes).map(([, sequence]) => sequence)).toEqual([0, 1, 2]);
    for (let cut = 0; cut <= bytes.length; cut += 1) {
      expect(fed(bytes.subarray(0, cut), bytes.subarray(cut))).toEqual(plain);
    }
    expect(fed(...Array.from(bytes, (byte) => Uint8Array.of(byte)))).toEqual(plain);
  });

  test('nothing is kept of the chunks that were fed', () => {
    const plain = utf8('long '.repeat(100));
    const bytes = new Compressor(compression).wrap(plain);
    const decompressor = new Decompressor(compression);
    const first = bytes.slice(0, 20);
    expect(decompressor.feed(first)).toEqual([]);
    first.fill(0);
    expect(concat(decompressor.feed(bytes.slice(20)))).toEqual(plain);
  });

  test('what is short, or does not get shorter, is sent as it is', () => {
    const compressor = new Compressor(compression);
    const short = compressor.wrap(new Uint8Array(49));
    expect(headers(short)).toEqual([[49, 0, 0]]);
    const noise = seededRandom(1).bytes(1000);
    expect(headers(compressor.wrap(noise))).toEqual([[1000, 1, 0]]);
    expect(headers(compressor.wrap(new Uint8Array(1000)))[0]?.[2]).toBe(1000);
    expect(compressor.wrap(new Uint8Array(0))).toHaveLength(0);
  });

  test('numbers are its own, and begin anew where they are told to', () => {
    const compressor = new Compressor(compression);
    compressor.restart(255);
    expect(sequenceNumber(compressor.wrap(utf8('a')), 0)).toBe(255);
    const bytes = compressor.wrap(utf8('b'));
    expect(sequenceNumber(bytes, 0)).toBe(0);
    const decompressor = new Decompressor(compression);
    decompressor.feed(packet(utf8('x'), 0, 7));
    expect(decompressor.sequence).toBe(7);
    decompressor.feed(bytes.subarray(0, 5));
    expect(decompressor.sequence).toBe(7);
    decompressor.feed(bytes.subarray(5));
    expect(decompressor.sequence).toBe(0);
  });

  test('MY-01: more than a packet can hold becomes several', () => {
    const plain = new Uint8Array(MAX_PACKET_BYTES + 1);
    plain.fill(7, MAX_PACKET_BYTES);
    const bytes = new Compressor(compression).wrap(plain);
    expect(headers(bytes).map(([, , length]) => length)).toEqual([MAX_PACKET_BYTES, 0]);
    expect(Buffer.compare(fed(bytes), plain)).toBe(0);
  });

  test('an empty packet is nothing', () => {
    expect(fed(packet(new Uint8Array(0), 0), packet(utf8('a'), 0))).toEqual(utf8('a'));
  });

  test('what is none, or not as long as it says, is a violation', () => {
    const plain = new Uint8Array(1_000_000);
    const payload = compress(plain);
    expect(fed(packet(payload, plain.length))).toHaveLength(plain.length);
    for (const announced of [1, 999_999, 1_000_001, 0xffffff]) {
      expect(() => fed(packet(payload, announced))).toThrow(Violation);
    }
    expect(() => fed(packet(payload.slice(0, -3), plain.length))).toThrow(Violation);
    expect(() => fed(packet(utf8('nothing of the kind'), 100))).toThrow(Violation);
    expect(() => fed(packet(new Uint8Array(0), 100))).toThrow(Violation);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (chunk) => {
        try {
          fed(chunk);
        } catch (error) {
          expect(error).toBeInstanceOf(Violation);
        }
      }),
    );
  });
});

test('zstd: a client gets the level that it asks for, up to a limit', () => {
  const plain = Uint8Array.from({ length: 50_000 }, (_, at) => (at * at) >> 7);
  const at = (level: number) => {
    const params = { [constants.ZSTD_c_compressionLevel]: level };
    return zstdCompressSync(plain, { params }).length;
  };
  const most = limits.zstdLevel.value;
  const wrapped = (level?: number) => headers(new Compressor('zstd', level).wrap(plain))[0]?.[0];
  expect(wrapped(1)).toBe(at(1));
  expect(wrapped()).toBe(at(3));
  expect(wrapped(most)).toBe(at(most));
  expect(wrapped(22)).toBe(at(most));
});
