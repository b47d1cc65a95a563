import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { recordedConversations, tdsMessages } from '../../../test/support/tds-recordings.ts';
import { Violation } from '../../base/assert.ts';
import { concat, EMPTY } from '../../base/bytes.ts';
import {
  HEADER_BYTES,
  message,
  packetBytes,
  packetStatus,
  packetType,
  Repacker,
} from './packets.ts';

/** The packets that these bytes are. */
function packetsOf(bytes: Uint8Array): readonly Uint8Array[] {
  const packets: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += packetBytes(bytes, at)) {
    packets.push(bytes.subarray(at, at + packetBytes(bytes, at)));
  }
  return packets;
}

describe('a message', () => {
  test.each(recordedConversations)('%s: is cut as clients cut theirs', (name) => {
    for (const { from, type, status, packets, payload } of tdsMessages(name)) {
      if (from === 'server' || packets.some((packet) => packet[6] !== packets.indexOf(packet) + 1))
        continue;
      const size = Math.max(512, packets[0]!.length);
      const first = status & ~packetStatus.endOfMessage;
      expect(message(type, payload, size, first)).toEqual(concat(packets));
    }
  });

  test('of no bytes is one packet', () => {
    expect(message(packetType.attention, EMPTY, 512)).toEqual(
      Uint8Array.of(6, 1, 0, 8, 0, 0, 1, 0),
    );
  });

  test('TD-01: has what asks for a reset on its first packet, its end on the last', () => {
    const bytes = message(
      packetType.sqlBatch,
      new Uint8Array(1_200),
      512,
      packetStatus.resetConnection,
    );
    expect(packetsOf(bytes).map((packet) => [packet[1], packet[6], packet.length])).toEqual([
      [8, 1, 512],
      [0, 2, 512],
      [1, 3, 1_200 - 2 * 504 + HEADER_BYTES],
    ]);
    expect(packetsOf(message(1, EMPTY, 512, 8))[0]![1]).toBe(9);
  });

  test('counts its packets modulo 256', () => {
    const packets = packetsOf(message(1, new Uint8Array(504 * 300), 512));
    expect([packets[254]![6], packets[255]![6], packets[299]![6]]).toEqual([255, 0, 44]);
  });

  test('a packet shorter than its header is a violation', () => {
    expect(() => packetBytes(Uint8Array.of(1, 1, 0, 7), 0)).toThrow(Violation);
    expect(packetBytes(Uint8Array.of(1, 1, 0x7f, 0xff), 0)).toBe(32_767);
  });
});

describe('TD-16: a message put into packets of another size', () => {
  test('comes to the same in any pieces', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(1_500), { maxLength: 12 }),
        fc.integer({ min: 9, max: 700 }),
        fc.constantFrom(0, packetStatus.resetConnection),
        (lengths, size, status) => {
          const total = lengths.reduce((sum, length) => sum + length, 0);
          const payload = Uint8Array.from({ length: total }, (_, index) => index);
          const repacker = new Repacker(packetType.rpc, size, status);
          const out: Uint8Array[] = [];
          let at = 0;
          for (const length of lengths) {
            out.push(repacker.add(payload, at, at + length));
            at += length;
          }
          out.push(repacker.finish());
          expect(concat(out)).toEqual(message(packetType.rpc, payload, size, status));
        },
      ),
    );
  });

  test('TD-09: and may be given up at its end', () => {
    const repacker = new Repacker(packetType.rpc, 512);
    expect(repacker.add(new Uint8Array(504), 0, 504)).toEqual(EMPTY);
    const last = repacker.finish(packetStatus.ignore);
    expect([last[1], last.length]).toEqual([packetStatus.endOfMessage | packetStatus.ignore, 512]);
  });
});
