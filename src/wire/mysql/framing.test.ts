import { describe, expect, test } from 'bun:test';
import { Violation } from '../../base/assert.ts';
import { utf8 } from '../../base/bytes.ts';
import { limits } from '../../base/limits.ts';
import {
  checkSignInLength,
  following,
  HEADER_BYTES,
  MAX_PACKET_BYTES,
  packet,
  packetBytes,
  packetCount,
  sequenceNumber,
} from './framing.ts';

/** Lengths and numbers of the packets in `bytes`, which must be whole. */
function headers(bytes: Uint8Array): (readonly [length: number, sequence: number])[] {
  const found: (readonly [number, number])[] = [];
  let at = 0;
  while (at < bytes.length) {
    found.push([packetBytes(bytes, at), sequenceNumber(bytes, at)]);
    at += HEADER_BYTES + packetBytes(bytes, at);
  }
  expect(at).toBe(bytes.length);
  return found;
}

describe('packets', () => {
  test('a short payload is one, in several pieces or one', () => {
    const bytes = packet(3, utf8('ab'), utf8(''), utf8('c'));
    expect(bytes).toEqual(Uint8Array.of(3, 0, 0, 3, 0x61, 0x62, 0x63));
    expect(packet(255)).toEqual(Uint8Array.of(0, 0, 0, 255));
  });

  test('MY-01: a payload that fills its packet goes on in another, be that empty', () => {
    const most = MAX_PACKET_BYTES;
    const cases: [payload: number, lengths: number[]][] = [
      [most - 1, [most - 1]],
      [most, [most, 0]],
      [most + 1, [most, 1]],
      [2 * most, [most, most, 0]],
    ];
    for (const [length, lengths] of cases) {
      const payload = new Uint8Array(length);
      payload.fill(7, -1);
      const bytes = packet(254, payload.subarray(0, 5), payload.subarray(5));
      expect(headers(bytes)).toEqual(
        lengths.map((each, index) => [each, (254 + index) & 0xff] as const),
      );
      expect(packetCount(length)).toBe(lengths.length);
      expect(bytes.at(lengths.at(-1) === 0 ? -1 - HEADER_BYTES : -1)).toBe(7);
    }
  });

  test('numbers are counted modulo 256', () => {
    expect(following(0)).toBe(1);
    expect(following(255)).toBe(0);
    expect(following(250, 10)).toBe(4);
  });

  test('before the sign-in is over a packet has a limit', () => {
    const most = limits.signInPacketBytes.value;
    expect(checkSignInLength(most)).toBe(most);
    expect(() => checkSignInLength(most + 1)).toThrow(Violation);
  });
});
