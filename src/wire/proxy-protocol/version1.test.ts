import { describe, expect, test } from 'bun:test';
import { bytesOf } from '../../../test/support/messages.ts';
import { version1 } from '../../../test/support/proxy-header.ts';
import { Violation } from '../../base/assert.ts';
import { limits } from '../../base/limits.ts';
import { lineLength, readLine } from './version1.ts';

const LONGEST_IPV6 = 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff';

describe('a header of version 1', () => {
  test.each([
    ['TCP4 192.168.0.1 192.168.0.11 56324 443', '192.168.0.1', 56324],
    ['TCP4 255.255.255.255 255.255.255.255 65535 65535', '255.255.255.255', 65535],
    ['TCP4 0.0.0.0 0.0.0.0 0 0', '0.0.0.0', 0],
    [`TCP6 ${LONGEST_IPV6} ${LONGEST_IPV6} 65535 65535`, LONGEST_IPV6, 65535],
    ['TCP6 2001:DB8:0:0::1 ::1 50000 5432', '2001:db8::1', 50000],
    ['TCP6 ::ffff:192.0.2.1 ::ffff:192.0.2.2 50000 5432', '192.0.2.1', 50000],
  ])('%s', (said, host, port) => {
    expect(readLine(version1(said))).toEqual({ host, port });
  });

  test.each([
    'UNKNOWN',
    `UNKNOWN ${LONGEST_IPV6} ${LONGEST_IPV6} 65535 65535`,
    'UNKNOWN whatever \0 \r there may be',
    'UNKNOWN ',
  ])('%p names nobody', (said) => {
    expect(readLine(version1(said))).toBeUndefined();
  });

  test.each([
    '',
    'TCP4',
    'TCP5 192.0.2.1 192.0.2.2 1 2',
    'UDP4 192.0.2.1 192.0.2.2 1 2',
    'tcp4 192.0.2.1 192.0.2.2 1 2',
    'UNKNOWNS',
    'TCP4 192.0.2.1 192.0.2.2 1',
    'TCP4 192.0.2.1 192.0.2.2 1 2 3',
    'TCP4 192.0.2.1 192.0.2.2 1 2 ',
    'TCP4  192.0.2.1 192.0.2.2 1 2',
    'TCP4\t192.0.2.1\t192.0.2.2\t1\t2',
    'TCP4 192.0.2.1 192.0.2.2 1 2\r',
    'TCP4 2001:db8::1 2001:db8::2 1 2',
    'TCP6 192.0.2.1 192.0.2.2 1 2',
    'TCP4 192.0.2.1 2001:db8::2 1 2',
    'TCP4 192.0.02.1 192.0.2.2 1 2',
    'TCP4 192.0.2.256 192.0.2.2 1 2',
    'TCP4 client.example 192.0.2.2 1 2',
    'TCP6 2001:db8::1%eth0 ::1 1 2',
    'TCP4 192.0.2.1 192.0.2.2 65536 2',
    'TCP4 192.0.2.1 192.0.2.2 1 65536',
    'TCP4 192.0.2.1 192.0.2.2 01 2',
    'TCP4 192.0.2.1 192.0.2.2 -1 2',
    'TCP4 192.0.2.1 192.0.2.2 0x1 2',
    'TCP4 ١٩٢.0.2.1 192.0.2.2 1 2',
  ])('%p is wrong', (said) => {
    expect(() => readLine(version1(said))).toThrow(Violation);
  });

  test('a violation does not repeat what was sent', () => {
    expect(() => readLine(version1('TCP4 evil evil 1 2'))).toThrow(/^(?!.*evil)/);
  });
});

describe('its line', () => {
  test('ends with the first CRLF, whatever follows', () => {
    const line = version1('TCP4 192.0.2.1 192.0.2.2 1 2');
    for (let length = 0; length < line.length; length += 1)
      expect(lineLength(line.subarray(0, length))).toBeUndefined();
    expect(lineLength(line)).toBe(line.length);
    expect(lineLength(bytesOf(line, '\r\n\r\n'))).toBe(line.length);
    expect(lineLength(bytesOf(line, new Uint8Array(1_000)))).toBe(line.length);
  });

  test('has 107 bytes at most', () => {
    const longest = bytesOf(`PROXY UNKNOWN ${'x'.repeat(91)}\r\n`);
    expect(longest.length).toBe(limits.proxyLineBytes.value);
    expect(lineLength(longest)).toBe(107);
    const longer = bytesOf(`PROXY UNKNOWN ${'x'.repeat(92)}\r\n`);
    expect(() => lineLength(longer)).toThrow('its line does not end within 107 bytes');
    expect(lineLength(longer.subarray(0, 106))).toBeUndefined();
    expect(() => lineLength(longer.subarray(0, 107))).toThrow(Violation);
  });

  test.each(['PROXY UNKNOWN\n', 'PROXY TCP4 192.0.2.1 192.0.2.2 1 2\n', 'PROXY UNKNOWN \n\r\n'])(
    'must not end with LF alone: %p',
    (text) => {
      expect(() => lineLength(bytesOf(text))).toThrow('its line ends with LF instead of CRLF');
    },
  );
});
