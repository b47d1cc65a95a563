import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { recording } from '../../test/support/mysql-recordings.ts';
import { text } from '../base/bytes.ts';
import { SecretText } from '../base/secret-text.ts';
import {
  NATIVE_PASSWORD,
  nativePasswordMatches,
  nativePasswordResponse,
} from './native-password.ts';

/** Where they stand in what MariaDB and its client said. */
const handshake = recording('mariadbHandshake');
const at = Buffer.from(handshake).indexOf('Debian\0') + 'Debian\0'.length + 4;
const nonce = Buffer.concat([handshake.slice(at, at + 8), handshake.slice(at + 27, at + 39)]);
const answer = recording('mariadbResponse').slice(37, 57);
const secret = new SecretText('Secret-1');
const none = new SecretText('');

test("answers as MariaDB's client did", () => {
  expect(text(handshake)).toEndWith(`${NATIVE_PASSWORD}\0`);
  expect(Buffer.from(nativePasswordResponse(secret, nonce))).toEqual(Buffer.from(answer));
});

test('knows any of the passwords, and nothing else', () => {
  const other = new SecretText('secret-1');
  expect(nativePasswordMatches([secret], nonce, answer)).toBe(true);
  expect(nativePasswordMatches([other, secret, none], nonce, answer)).toBe(true);
  expect(nativePasswordMatches([other, none], nonce, answer)).toBe(false);
  expect(nativePasswordMatches([], nonce, answer)).toBe(false);
  expect(
    nativePasswordMatches(
      [secret],
      nonce.map((byte) => byte ^ 1),
      answer,
    ),
  ).toBe(false);
  for (let length = 0; length < answer.length; length += 1) {
    expect(nativePasswordMatches([secret], nonce, answer.slice(0, length))).toBe(false);
    expect(nativePasswordMatches([secret], nonce, answer.with(length, answer[length]! ^ 1))).toBe(
      false,
    );
  }
});

test('an empty password has an empty answer', () => {
  const empty = new Uint8Array(0);
  expect(nativePasswordResponse(none, nonce)).toEqual(empty);
  expect(nativePasswordMatches([none], nonce, empty)).toBe(true);
  expect(nativePasswordMatches([secret], nonce, empty)).toBe(false);
  expect(nativePasswordMatches([none], nonce, answer)).toBe(false);
});

test('takes any answer', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (response) => {
      expect(nativePasswordMatches([secret], nonce, response)).toBe(false);
    }),
  );
});
