import { sign } from 'node:crypto';
import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { recording } from '../../test/support/mysql-recordings.ts';
import { SecretText } from '../base/secret-text.ts';
import { ed25519PrivateKey } from './ed25519-keys.ts';
import { ED25519, ed25519Matches, ed25519Response, ed25519Verifier } from './ed25519-password.ts';

const challenge = recording('mariadbSwitchToEd25519').slice(`?${ED25519}\0`.length);
const signature = recording('mariadbEd25519Signature');
const secret = new SecretText('Secret-1');

test("answers as MariaDB's client did", () => {
  expect(Buffer.from(ed25519Response(secret, challenge))).toEqual(Buffer.from(signature));
});

test('keeps of a password what MariaDB keeps', () => {
  const stored = '+NJgPIblk8g7hbe1nTm/dmaJL0qIo6+lMrn5JZRjOZ8=';
  expect(Buffer.from(ed25519Verifier(secret)).toString('base64')).toBe(stored);
});

test('a password of 32 bytes is a secret key of RFC 8032', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 32, maxLength: 32 }), fc.uint8Array(), (key, nonce) => {
      fc.pre(Buffer.from(key).length === 32);
      const expected = sign(undefined, nonce, ed25519PrivateKey(Buffer.from(key)));
      expect(Buffer.from(ed25519Response(new SecretText(key), nonce))).toEqual(expected);
    }),
    { numRuns: 20 },
  );
});

test('knows any of the passwords, and nothing else', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.uint8Array(), (password, nonce) => {
      const own = new SecretText(password);
      const other = new SecretText(`${password}x`);
      const response = ed25519Response(own, nonce);
      expect(ed25519Matches([own], nonce, response)).toBe(true);
      expect(ed25519Matches([other, own], nonce, response)).toBe(true);
      expect(ed25519Matches([other], nonce, response)).toBe(false);
      expect(ed25519Matches([], nonce, response)).toBe(false);
      expect(ed25519Matches([own], Buffer.concat([nonce, Buffer.of(1)]), response)).toBe(false);
    }),
    { numRuns: 20 },
  );
});

test('every byte of the answer counts, and any answer is taken', () => {
  for (let at = 0; at < signature.length; at += 1) {
    expect(ed25519Matches([secret], challenge, signature.slice(0, at))).toBe(false);
    expect(ed25519Matches([secret], challenge, signature.with(at, signature[at]! ^ 1))).toBe(false);
  }
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 60, maxLength: 68 }), (response) => {
      expect(ed25519Matches([secret], challenge, response)).toBe(false);
    }),
  );
});
