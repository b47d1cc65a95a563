import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { recording } from '../../test/support/mysql-recordings.ts';
import { Violation } from '../base/assert.ts';
import { text, utf8 } from '../base/bytes.ts';
import { limits } from '../base/limits.ts';
import { seededRandom } from '../base/random.ts';
import { SecretText } from '../base/secret-text.ts';
import {
  decryptPassword,
  encryptPassword,
  makeRsaKeys,
  SHA256_PASSWORD,
  SHA256_PUBLIC_KEY_REQUEST,
} from './rsa-password.ts';

const { publicPem, privateKey } = await makeRsaKeys();
const pem = utf8(publicPem);
const nonce = seededRandom(1).bytes(20);

test('MY-20: what is encrypted for a key is decrypted by it', () => {
  for (const password of ['', 'Secret-1', 'größer', 'x'.repeat(200)]) {
    const message = encryptPassword(new SecretText(password), nonce, pem);
    expect(message).toHaveLength(256);
    expect(decryptPassword(message, nonce, privateKey)?.reveal()).toBe(password);
  }
});

test('another challenge, or a damaged message, gives no password or another', () => {
  const message = encryptPassword(new SecretText('Secret-1'), nonce, pem);
  const other = decryptPassword(message, seededRandom(2).bytes(20), privateKey);
  expect(other?.reveal()).not.toBe('Secret-1');
  expect(decryptPassword(message.slice(1), nonce, privateKey)).toBeUndefined();
  expect(decryptPassword(message.with(9, message[9]! ^ 1), nonce, privateKey)).toBeUndefined();
  const long = new Uint8Array(limits.passwordMessageBytes.value + 1);
  expect(decryptPassword(long, nonce, privateKey)).toBeUndefined();
});

test("MySQL's own key is one, and is sent to who asks for it", () => {
  expect(text(recording('mysqlSwitchToSha256'), 1)).toStartWith(`${SHA256_PASSWORD}\0`);
  expect(recording('mysqlPublicKeyRequest')).toEqual(Uint8Array.of(SHA256_PUBLIC_KEY_REQUEST));
  const key = recording('mysqlPublicKey').slice(1);
  expect(encryptPassword(new SecretText('Secret-1'), nonce, key)).toHaveLength(256);
});

test('a key that is none, or too short for the password, is a violation without the password', () => {
  const long = new SecretText('x'.repeat(300));
  for (const attempt of [
    () => encryptPassword(long, nonce, pem),
    () => encryptPassword(long, nonce, utf8('-----BEGIN PUBLIC KEY-----\nAAAA\n')),
  ]) {
    expect(attempt).toThrow(Violation);
    expect(attempt).not.toThrow('xxx');
  }
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (key) => {
      expect(() => encryptPassword(long, nonce, key)).toThrow(Violation);
      expect(decryptPassword(key, nonce, privateKey)).toBeUndefined();
    }),
  );
});
