import { describe, expect, test } from 'bun:test';
import { bytesOf } from '../../../test/support/messages.ts';
import {
  checksum,
  extension,
  ipv4Addresses,
  ipv6Addresses,
  TCP6,
  version2,
} from '../../../test/support/proxy-header.ts';
import type { Version2 } from '../../../test/support/proxy-header.ts';
import { Violation } from '../../base/assert.ts';
import { utf8 } from '../../base/bytes.ts';
import { limits } from '../../base/limits.ts';
import { crc32c } from './crc32c.ts';
import type { Source } from './header.ts';
import { FIXED_BYTES, headerLength, readHeader } from './version2.ts';

const LOCAL = 0x20;
const mappedAddresses = bytesOf(
  ...[1, 2].map((last) => bytesOf(new Uint8Array(10), 0xff, 0xff, 192, 0, 2, last)),
  ipv4Addresses().subarray(8),
);

function read(header: Uint8Array): Source | undefined {
  expect(headerLength(header.subarray(0, FIXED_BYTES))).toBe(header.length);
  return readHeader(header);
}

/** Changes one byte of a right header. */
function damaged(at: number, byte: number): Uint8Array {
  const header = version2();
  header[at] = byte;
  return header;
}

describe('a header of version 2', () => {
  test.each([
    ['TCP over IPv4', {}, { host: '192.0.2.1', port: 50_000 }],
    [
      'TCP over IPv6',
      { family: TCP6, addresses: ipv6Addresses(65_535) },
      { host: '2001:db8::1', port: 65_535 },
    ],
    [
      'an IPv4 address in IPv6',
      { family: TCP6, addresses: mappedAddresses },
      { host: '192.0.2.1', port: 50_000 },
    ],
    ['LOCAL', { command: LOCAL, family: 0, addresses: new Uint8Array() }, undefined],
    ['LOCAL, with addresses', { command: LOCAL }, undefined],
    ['LOCAL, of a family that there is not', { command: LOCAL, family: 0xff }, undefined],
    [
      'LOCAL, with whatever may follow',
      { command: LOCAL, extensions: [Uint8Array.of(3, 0xff)] },
      undefined,
    ],
    ['an unspecified family', { family: 0, addresses: new Uint8Array() }, undefined],
    [
      'an unspecified family, with whatever',
      { family: 0, addresses: utf8('who knows') },
      undefined,
    ],
    ['UDP over IPv4', { family: 0x12 }, undefined],
    ['UDP over IPv6', { family: 0x22, addresses: ipv6Addresses() }, undefined],
    ['a UNIX socket', { family: 0x31, addresses: new Uint8Array(216).fill(0x2f) }, undefined],
    ['a UNIX datagram socket', { family: 0x32, addresses: new Uint8Array(216) }, undefined],
  ] as const satisfies readonly [string, Version2, Source | undefined][])(
    '%s',
    (_, options, source) => {
      expect(read(version2(options))).toEqual(source);
    },
  );

  test.each([
    ['version 1', damaged(12, 0x11), 'it is of version 1'],
    ['version 3', damaged(12, 0x31), 'it is of version 3'],
    ['a command that there is not', damaged(12, 0x22), 'its command is 2'],
    ['a family that there is not', damaged(13, 0x41), 'its address family is 0x41'],
    ['a transport that there is not', damaged(13, 0x13), 'its address family is 0x13'],
    ['a transport without a family', damaged(13, 0x01), 'its address family is 0x01'],
    ['a family without a transport', damaged(13, 0x10), 'its address family is 0x10'],
    [
      'half a pair of addresses',
      damaged(15, 11),
      'it is too short for the addresses of TCP over IPv4',
    ],
    [
      'addresses of another family',
      damaged(13, 0x21),
      'it is too short for the addresses of TCP over IPv6',
    ],
    [
      'no room for two paths',
      damaged(13, 0x31),
      'it is too short for the addresses of UNIX stream',
    ],
  ])('%s is wrong, which is seen before the rest has come', (_, header, why) => {
    expect(() => headerLength(header.subarray(0, FIXED_BYTES))).toThrow(new Violation(why));
  });

  test('is as long as the limit, and no longer', () => {
    const most = limits.proxyHeaderBytes.value;
    const room = most - version2().length - 3;
    const longest = version2({ extensions: [extension(0xee, new Uint8Array(room))] });
    expect(longest.length).toBe(most);
    expect(read(longest)?.host).toBe('192.0.2.1');
    const longer = version2({ extensions: [extension(0xee, new Uint8Array(room + 1))] });
    expect(() => headerLength(longer)).toThrow('it has 16385 bytes, more than 16384');
    const local = version2({ command: LOCAL, addresses: new Uint8Array(0xffff) });
    expect(() => headerLength(local)).toThrow('it has 65551 bytes, more than 16384');
  });
});

describe('its extensions', () => {
  const some = [
    extension(0x01, utf8('postgresql')),
    extension(0x02, utf8('db.example.com')),
    extension(0x04, new Uint8Array()),
    extension(0x20, bytesOf(1, 0, 0, 0, 0, extension(0x21, utf8('TLSv1.3')))),
    extension(0xea, bytesOf(1, utf8('vpce-08d2bf15fac5001c9'))),
  ];

  test('are stepped over', () => {
    expect(read(version2({ extensions: some }))).toEqual({ host: '192.0.2.1', port: 50_000 });
  });

  test.each([[[0x04]], [[0x04, 0]], [[0x04, 0, 1]], [[0x04, 0xff, 0xff, 1, 2, 3]]])(
    'must end where the header does: %p',
    (bytes) => {
      const header = version2({ extensions: [...some, Uint8Array.from(bytes)] });
      expect(() => read(header)).toThrow('an extension is longer than the header');
    },
  );
});

describe('its checksum', () => {
  test.each([
    ['TCP over IPv4', {}],
    ['TCP over IPv6', { family: TCP6, addresses: ipv6Addresses() }],
    ['a UNIX socket', { family: 0x31, addresses: new Uint8Array(216) }],
  ])('%s: holds', (_, options) => {
    const extensions = [extension(0x04, new Uint8Array(5))];
    expect(() => read(version2({ ...options, extensions, checksum: 'right' }))).not.toThrow();
    const wrong = version2({ ...options, extensions, checksum: 'wrong' });
    expect(() => read(wrong)).toThrow('its checksum is wrong');
  });

  test('tells of every bit that has changed in what follows the fixed part', () => {
    const header = version2({ checksum: 'right' });
    for (let at = FIXED_BYTES; at < header.length; at += 1) {
      for (let bit = 0; bit < 8; bit += 1) {
        const flipped = header.slice();
        flipped[at] = (flipped[at] ?? 0) ^ (1 << bit);
        // A changed type or length of the checksum makes it something else, or wrong in itself.
        if (at < header.length - 7 || at >= header.length - 4)
          expect(() => read(flipped)).toThrow('its checksum is wrong');
      }
    }
  });

  test('has 4 bytes and comes once', () => {
    const two = version2({ extensions: [extension(3, new Uint8Array(4))], checksum: 'right' });
    expect(() => read(two)).toThrow('its checksum is not one of 4 bytes');
    const short = version2({ extensions: [extension(3, new Uint8Array(3))] });
    expect(() => read(short)).toThrow('its checksum is not one of 4 bytes');
  });

  test('holds for the same bytes in a Buffer, as a socket brings them, and leaves them as they were', () => {
    const header = version2({ checksum: 'right' });
    for (const bytes of [header, Buffer.from(header)]) {
      expect(read(bytes)).toEqual({ host: '192.0.2.1', port: 50_000 });
      expect(Buffer.compare(bytes, version2({ checksum: 'right' }))).toBe(0);
    }
  });

  test('is the CRC32c of others', () => {
    // RFC 3720, B.4.
    expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
    expect(crc32c(new Uint8Array(32).fill(0xff))).toBe(0x62a8ab43);
    expect(crc32c(Uint8Array.from({ length: 32 }, (_, at) => at))).toBe(0x46dd794e);
    expect(crc32c(utf8('123456789'))).toBe(0xe3069283);
    expect(checksum(utf8('123456789'))).toBe(0xe3069283);
  });
});
