import { describe, expect, test } from 'bun:test';
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import type { CertificateKind } from '../../test/support/certificates.ts';
import { certificateKinds, makeCertificate } from '../../test/support/certificates.ts';
import { EMPTY } from '../base/bytes.ts';
import { endPointOf } from './channel-binding.ts';

const kinds = Object.entries(certificateKinds) as [CertificateKind, { hash: string | undefined }][];

/** What must not be taken for a certificate may have a hash, or none; it must not throw or go on for ever. */
function settles(bytes: Uint8Array): void {
  const found = endPointOf(bytes);
  expect(found === undefined || found.length >= 28).toBe(true);
}

describe('what a login over TLS is bound to (PG-100)', () => {
  test.each(kinds)('%s', (kind, { hash }) => {
    const { der } = makeCertificate(kind);
    const expected = hash === undefined ? undefined : createHash(hash).update(der).digest();
    expect(endPointOf(der)).toEqual(expected);
  });

  test('is nothing for what is no certificate, cut off anywhere or changed in any byte', () => {
    expect(endPointOf(EMPTY)).toBeUndefined();
    for (const kind of ['RSA-PSS with SHA-384', 'ECDSA P-256 with SHA-256'] as const) {
      const { der } = makeCertificate(kind);
      for (let cut = 0; cut < der.length; cut += 1) {
        expect(endPointOf(der.subarray(0, cut))).toBeUndefined();
        for (const byte of [0, 0x7f, 0x80, 0xff]) settles(Uint8Array.from(der).with(cut, byte));
      }
    }
  });

  test('PG-16: arbitrary bytes have a hash or none', () => {
    const bytes = fc.uint8Array({ maxLength: 200 });
    fc.assert(
      fc.property(bytes, fc.nat(4), (content, depth) => {
        let nested = content;
        for (let left = depth; left > 0; left -= 1)
          nested = Uint8Array.of(0x30, 0x82, nested.length >> 8, nested.length & 255, ...nested);
        settles(nested);
      }),
      { numRuns: 2_000 },
    );
  });
});
