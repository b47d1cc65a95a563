import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { recording } from '../../test/support/mysql-recordings.ts';
import { text } from '../base/bytes.ts';
import { SecretText } from '../base/secret-text.ts';
import {
  CACHING_SHA2,
  cachingSha2,
  cachingSha2Matches,
  cachingSha2Response,
  cachingSha2Verifier,
} from './caching-sha2.ts';

/** Where they stand in what MySQL and its client said. */
const handshake = recording('mysqlHandshake');
const at = '\n9.7.4-2\0'.length + 4;
const nonce = Buffer.concat([handshake.slice(at, at + 8), handshake.slice(at + 27, at + 39)]);
const answer = recording('mysqlResponse').slice(37, 69);
const secret = new SecretText('Secret-1');
const verifier = cachingSha2Verifier(secret);
const other = cachingSha2Verifier(new SecretText('secret-1'));

test("MY-20: answers as MySQL's client did, which was enough", () => {
  expect(text(handshake)).toEndWith(`${CACHING_SHA2}\0`);
  expect(Buffer.from(cachingSha2Response(secret, nonce))).toEqual(Buffer.from(answer));
  expect(recording('mysqlFastSuccess')[1]).toBe(cachingSha2.fastSuccess);
  expect(cachingSha2Response(new SecretText(''), nonce)).toHaveLength(0);
});

test('MY-21: knows any of the passwords by what is kept of it, and nothing else', () => {
  expect(cachingSha2Matches([verifier], nonce, answer)).toBe(true);
  expect(cachingSha2Matches([other, verifier], nonce, answer)).toBe(true);
  expect(cachingSha2Matches([other], nonce, answer)).toBe(false);
  expect(cachingSha2Matches([], nonce, answer)).toBe(false);
  expect(
    cachingSha2Matches(
      [verifier],
      nonce.map((byte) => byte ^ 1),
      answer,
    ),
  ).toBe(false);
  for (let length = 0; length < answer.length; length += 1) {
    expect(cachingSha2Matches([verifier], nonce, answer.slice(0, length))).toBe(false);
    expect(cachingSha2Matches([verifier], nonce, answer.with(length, answer[length]! ^ 1))).toBe(
      false,
    );
  }
  expect(cachingSha2Matches([verifier], nonce, Buffer.concat([answer, Buffer.of(0)]))).toBe(false);
});

test('what is kept is not enough to sign in', () => {
  const hex = new SecretText(Buffer.from(verifier).toString('latin1'));
  expect(cachingSha2Matches([verifier], nonce, cachingSha2Response(hex, nonce))).toBe(false);
});

test('takes any answer', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (response) => {
      expect(cachingSha2Matches([verifier], nonce, response)).toBe(false);
    }),
  );
});
