import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { Violation } from '../../base/assert.ts';
import { concat, EMPTY } from '../../base/bytes.ts';
import { TlsEnvelope } from './tls-envelope.ts';

/** A TLS record of a kind: 22 is of the handshake, 23 is application data. */
function record(kind: number, length: number): Uint8Array {
  const body = new Uint8Array(length).map((_, at) => at % 250);
  return concat([Uint8Array.of(kind, 3, 3, length >> 8, length & 0xff), body]);
}

function packet(tls: Uint8Array, status = 1, type = 0x12): Uint8Array {
  const length = tls.length + 8;
  return concat([Uint8Array.of(type, status, length >> 8, length & 0xff, 0, 0, 0, 0), tls]);
}

const hello = record(22, 300);
const flight = concat([record(22, 70), record(20, 1), record(22, 40)]);
const data = record(23, 500);

/** All that an envelope makes of what arrives in these pieces. */
function unwrapped(envelope: TlsEnvelope, pieces: readonly Uint8Array[]) {
  const parts = pieces.map((piece) => envelope.unwrap(piece));
  return {
    tls: concat(parts.map(({ tls }) => tls)),
    clear: concat(parts.map(({ clear }) => clear)),
  };
}

/** In two pieces, at every offset, and in single bytes. */
function* cuts(bytes: Uint8Array): Iterable<readonly Uint8Array[]> {
  for (let at = 1; at < bytes.length; at += 1) yield [bytes.subarray(0, at), bytes.subarray(at)];
  yield Array.from(bytes, (byte) => Uint8Array.of(byte));
}

describe('TD-11: on the way out', () => {
  test('the handshake is wrapped, and nothing from the first application data on', () => {
    const envelope = new TlsEnvelope(false);
    expect(envelope.wrap(hello)).toEqual(packet(hello));
    expect(envelope.wrap(concat([flight, data]))).toEqual(concat([packet(flight), data]));
    expect(envelope.wrap(flight)).toBe(flight);
  });

  test('a long flight is one message of several packets', () => {
    const certificates = record(22, 9_000);
    const expected = [
      packet(certificates.subarray(0, 4_088), 0),
      packet(certificates.subarray(4_088, 8_176), 0),
      packet(certificates.subarray(8_176)),
    ];
    expect(new TlsEnvelope(false).wrap(certificates)).toEqual(concat(expected));
  });

  test('wherever records are cut', () => {
    const all = concat([flight, data, flight]);
    for (const pieces of cuts(all)) {
      const envelope = new TlsEnvelope(false);
      const out = concat(pieces.map((piece) => envelope.wrap(piece)));
      const back = unwrapped(new TlsEnvelope(false), [out]);
      expect(back.tls).toEqual(all);
      expect(out.subarray(out.length - data.length - flight.length)).toEqual(
        concat([data, flight]),
      );
    }
  });
});

describe('TD-11: on the way in', () => {
  test('wrapped, or not, wherever it is cut', () => {
    const all = concat([packet(hello, 0), packet(flight), flight, data, flight]);
    for (const pieces of cuts(all))
      expect(unwrapped(new TlsEnvelope(false), pieces)).toEqual({
        tls: concat([hello, flight, flight, data, flight]),
        clear: EMPTY,
      });
  });

  test('records may be cut by packets', () => {
    const all = concat([packet(hello.subarray(0, 100)), packet(hello.subarray(100))]);
    for (const pieces of cuts(all))
      expect(unwrapped(new TlsEnvelope(false), pieces).tls).toEqual(hello);
  });

  test('some servers wrap it as a reply', () => {
    expect(unwrapped(new TlsEnvelope(false), [packet(hello, 1, 4)]).tls).toEqual(hello);
  });

  test('raw bytes are not copied', () => {
    const envelope = new TlsEnvelope(false);
    envelope.unwrap(data);
    expect(envelope.unwrap(hello).tls).toBe(hello);
  });

  test.each([
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
    ['an empty packet', packet(EMPTY)],
    ['a packet shorter than its header', Uint8Array.of(0x12, 1, 0, 7, 0, 0, 0, 0)],
    ['a request', packet(hello, 1, 1)],
  ])('%s is nothing of the kind', (_, bytes) => {
    expect(() => new TlsEnvelope(false).unwrap(bytes)).toThrow(Violation);
  });
});

describe('TD-12: TLS that ends', () => {
  test('is followed by what is in clear, wherever it is cut', () => {
    const clear = concat([Uint8Array.of(16, 1, 0, 9, 0, 0, 2, 0, 7), data]);
    const all = concat([packet(hello), packet(flight), data, record(21, 26), clear]);
    for (const pieces of cuts(all))
      expect(unwrapped(new TlsEnvelope(true), pieces)).toEqual({
        tls: concat([hello, flight, data, record(21, 26)]),
        clear,
      });
  });

  test('is followed by a reply', () => {
    const reply = packet(Uint8Array.of(1, 2, 3), 1, 4);
    expect(unwrapped(new TlsEnvelope(true), [concat([packet(flight), reply])])).toEqual({
      tls: flight,
      clear: reply,
    });
  });

  test('does not go back into packets', () => {
    const envelope = new TlsEnvelope(true);
    envelope.unwrap(data);
    expect(() => envelope.unwrap(packet(hello))).toThrow(Violation);
  });
});

test('whatever comes is taken apart, or a violation', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array()), fc.boolean(), (pieces, ends) => {
      const envelope = new TlsEnvelope(ends);
      try {
        for (const piece of pieces) envelope.unwrap(piece);
      } catch (error) {
        expect(error).toBeInstanceOf(Violation);
      }
      const out = new TlsEnvelope(ends);
      for (const piece of pieces) out.wrap(piece);
    }),
  );
});
