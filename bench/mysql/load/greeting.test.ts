import { describe, expect, test } from 'bun:test';
import { answerGreeting, readGreeting, readSwitch, tlsRequest } from './greeting.ts';

/** As MySQL 9.7 and MariaDB 11.8 greet; the nonces are 1, 2, 3, … */
const nonce = Uint8Array.from({ length: 20 }, (_, at) => at + 1);
function greeting(version: string, flags: number, plugin: string): Uint8Array {
  const head = Buffer.alloc(18);
  head.writeUInt16LE(flags & 0xffff, 0);
  head.set([0xff, 0x02, 0x00], 2);
  head.writeUInt16LE(flags >>> 16, 5);
  head.writeUInt8(21, 7);
  return Buffer.concat([
    Buffer.from(`\x0a${version}\0\x08\x00\x00\x00`, 'latin1'),
    nonce.subarray(0, 8),
    Uint8Array.of(0),
    head,
    nonce.subarray(8),
    Buffer.from(`\0${plugin}\0`),
  ]);
}

describe('a greeting', () => {
  test.each([
    ['9.7.4-2', 0xdfffffff, 'caching_sha2_password'],
    ['11.8.9-MariaDB-4', 0x81fffffe, 'mysql_native_password'],
  ])('of %s is read', (version, flags, plugin) => {
    expect(readGreeting(greeting(version, flags, plugin))).toEqual({
      ...{ version, plugin, hasTls: true },
      nonce: Buffer.from(nonce),
    });
  });

  test('may offer no TLS', () => {
    expect(readGreeting(greeting('9', 0xdffff7ff, 'x')).hasTls).toBe(false);
  });

  test('without what is needed here is refused', () => {
    expect(() => readGreeting(greeting('5.5', 0x00fff7ff, 'x'))).toThrow('lacks capabilities');
  });

  test('is answered with what the plugin makes of the password', () => {
    const answer = answerGreeting({
      ...{ tls: false, user: 'u', database: 'd', plugin: 'p' },
      proof: Uint8Array.of(7, 8),
    });
    expect(Buffer.from(answer.subarray(32)).toString('latin1')).toBe('u\0\x02\x07\x08d\0p\0');
    expect(tlsRequest()).toHaveLength(32);
    const flags = [answer, tlsRequest()].map((one) => Buffer.from(one).readUInt32LE(0));
    expect((flags[0] ?? 0) ^ (flags[1] ?? 0)).toBe(0x800);
  });
});

test('another plugin is asked for with a nonce of its own', () => {
  const bytes = Buffer.concat([
    Buffer.from('\xfemysql_native_password\0', 'latin1'),
    nonce,
    Uint8Array.of(0),
  ]);
  expect(readSwitch(bytes)).toEqual({ plugin: 'mysql_native_password', nonce: Buffer.from(nonce) });
});
