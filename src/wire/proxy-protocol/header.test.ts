import { describe, expect, test } from 'bun:test';
import { bytesOf, frontend } from '../../../test/support/messages.ts';
import { SIGNATURE, version1, version2 } from '../../../test/support/proxy-header.ts';
import { limits } from '../../base/limits.ts';
import { recognise } from './header.ts';

describe('a PROXY header is recognised', () => {
  test.each([
    ['version1', version1('UNKNOWN')],
    ['version2', version2()],
  ] as const)('%s: by its whole signature, and by no less of it', (version, header) => {
    const signatureBytes = version === 'version1' ? 'PROXY '.length : SIGNATURE.length;
    for (let length = 0; length < signatureBytes; length += 1)
      expect(recognise(header.subarray(0, length))).toBe('undecided');
    expect(recognise(header.subarray(0, signatureBytes))).toBe(version);
    expect(recognise(header)).toBe(version);
    for (let at = 0; at < signatureBytes; at += 1) {
      const damaged = header.slice();
      damaged[at] = (damaged[at] ?? 0) ^ 0x20;
      expect(recognise(damaged)).toBe('none');
      expect(recognise(damaged.subarray(0, at + 1))).toBe('none');
    }
  });

  test('nothing that a PostgreSQL client begins with is taken for one, from its first byte on', () => {
    const greatest = limits.startupPacketBytes.value + 4;
    const lengths = Array.from({ length: greatest - 7 }, (_, at) => at + 8);
    const beginnings = [
      frontend.sslRequest(),
      frontend.gssRequest(),
      frontend.cancelRequest(1, new Uint8Array(4)),
      frontend.startup({ user: 'PROXY TCP4' }),
      bytesOf(0x16, 0x03, 0x01), // a TLS record with a handshake
      ...lengths.map((length) => bytesOf(0, 0, length >> 8, length & 0xff)),
    ];
    for (const bytes of beginnings) {
      expect(recognise(bytes)).toBe('none');
      expect(recognise(bytes.subarray(0, 1))).toBe('none');
    }
  });

  test('nor what clients of other servers begin with', () => {
    const others = [
      'GET / HTTP/1.1\r\n',
      'SSH-2.0-x\r\n',
      '\r\nQUIT',
      'QUIT\r\n',
      'proxy TCP4 ',
      'PROXYTCP4',
    ];
    for (const text of others) expect(recognise(bytesOf(text))).toBe('none');
    expect(recognise(bytesOf(0x12, 0x01, 0x00, 0x2f))).toBe('none'); // TDS
    for (let low = 0; low <= 0xff; low += 1) {
      // MySQL: the length of a packet that fits, then its number.
      for (const high of [0, 1, 0x52, 0x0a]) {
        const bytes = bytesOf(low, high, 0, 1);
        expect(recognise(bytes)).toBe('none');
      }
    }
  });
});
