import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { isIP } from 'node:net';
import { isWithin, parseIp, parseNetwork, sayIp } from './ip.ts';

describe('an IP address', () => {
  test.each([
    ['192.0.2.1', '192.0.2.1'],
    ['0.0.0.0', '0.0.0.0'],
    ['::', '::'],
    ['::1', '::1'],
    ['1::', '1::'],
    ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
    ['2001:0db8::0001', '2001:db8::1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'], // one group of zeros stays
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'], // the longest run goes
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'], // of two, the first
    ['10:0:0:1:2:3:4:5', '10::1:2:3:4:5'],
    ['1:2:3:4:5:6:7::', '1:2:3:4:5:6:7:0'],
    ['64:ff9b::192.0.2.33', '64:ff9b::c000:221'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::FFFF:c000:201', '192.0.2.1'],
  ])('%s is %s', (written, said) => {
    const bytes = parseIp(written);
    expect(bytes === undefined ? undefined : sayIp(bytes)).toBe(said);
  });

  test.each([
    '',
    'localhost',
    '1.2.3',
    '1.2.3.4.5',
    '01.2.3.4',
    '1.2.3.256',
    '1.2.3.4 ',
    '+1.2.3.4',
    ':',
    ':::',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7::8',
    '1::2::3',
    '12345::',
    'g::',
    '::1.2.3',
    '1.2.3.4::',
    '::1.2.3.4:5',
    'fe80::1%eth0',
    '[::1]',
  ])('"%s" is none', (written) => {
    expect(parseIp(written)).toBeUndefined();
  });

  test('whatever has an address is read back from what is said of it, and others agree that it is one', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ minLength: 4, maxLength: 4 }),
      fc
        .array(fc.constantFrom(0, 0, 0, 1, 0xffff, 0xdb8), { minLength: 8, maxLength: 8 })
        .map((groups) => Uint8Array.from(groups.flatMap((one) => [one >> 8, one & 0xff]))),
    );
    fc.assert(
      fc.property(bytes, (address) => {
        const said = sayIp(address);
        const read = parseIp(said) ?? new Uint8Array();
        expect(sayIp(read)).toBe(said);
        expect(isIP(said)).toBe(read.length === 4 ? 4 : 6);
        if (read.length === 16) {
          expect(read).toEqual(address);
          expect(new URL(`http://[${said}]`).hostname).toBe(`[${said}]`);
        }
      }),
    );
  });

  test('it is one exactly where Node says so', () => {
    const characters = fc.constantFrom(...'::::..0012f9a'.split(''));
    const written = fc.array(characters, { maxLength: 24 }).map((some) => some.join(''));
    fc.assert(
      fc.property(written, (text) => {
        expect(parseIp(text) !== undefined).toBe(isIP(text) > 0);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('a network', () => {
  test.each([
    ['10.0.0.0/8', '10.255.0.1', true],
    ['10.0.0.0/8', '11.0.0.1', false],
    ['10.1.2.3/8', '10.9.9.9', true], // bits after the prefix do not count
    ['192.0.2.64/26', '192.0.2.127', true],
    ['192.0.2.64/26', '192.0.2.128', false],
    ['192.0.2.64/26', '192.0.2.63', false],
    ['192.0.2.1', '192.0.2.1', true],
    ['192.0.2.1', '192.0.2.2', false],
    ['192.0.2.1/32', '::ffff:192.0.2.1', true],
    ['0.0.0.0/0', '203.0.113.9', true],
    ['0.0.0.0/0', '2001:db8::1', false],
    ['::/0', '2001:db8::1', true],
    ['::/0', '203.0.113.9', false],
    ['2001:db8::/33', '2001:db8:7fff::1', true],
    ['2001:db8::/33', '2001:db8:8000::1', false],
    ['::1', '::1', true],
    ['::1/128', '::2', false],
  ])('%s has %s: %p', (network, address, expected) => {
    const [block, ip] = [parseNetwork(network), parseIp(address)];
    if (block === undefined || ip === undefined) throw new Error('not read');
    expect(isWithin(ip, block)).toBe(expected);
  });

  test.each([
    '',
    '10.0.0.0/33',
    '10.0.0.0/',
    '10.0.0.0/08',
    '10.0.0.0/-1',
    '10.0.0.0/8/8',
    '10.0.0.0/255.0.0.0',
    '10/8',
    '::/129',
    '::ffff:10.0.0.0/104',
    'balancer.internal',
    '*',
  ])('"%s" is none', (written) => {
    expect(parseNetwork(written)).toBeUndefined();
  });
});
