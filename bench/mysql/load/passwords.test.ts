import { describe, expect, test } from 'bun:test';
import { constants, createHash, generateKeyPairSync, privateDecrypt } from 'node:crypto';
import { proofOf, sealed } from './passwords.ts';

const nonce = Uint8Array.from({ length: 20 }, (_, at) => at + 1);
const hash = (algorithm: string, ...parts: readonly Uint8Array[]): Uint8Array =>
  createHash(algorithm).update(Buffer.concat(parts)).digest();
const xor = (bytes: Uint8Array, pad: Uint8Array): Uint8Array =>
  bytes.map((byte, at) => byte ^ (pad[at % pad.length] ?? 0));

describe('a proof of the password', () => {
  // What servers keep is the hash of the hash: with the nonce it turns the proof into the hash.
  test('convinces a server of mysql_native_password', () => {
    const stored = hash('sha1', hash('sha1', Buffer.from('geheim')));
    const proof = proofOf('mysql_native_password', 'geheim', nonce);
    expect(hash('sha1', xor(proof, hash('sha1', nonce, stored)))).toEqual(stored);
  });

  test('convinces a server of caching_sha2_password', () => {
    const stored = hash('sha256', hash('sha256', Buffer.from('geheim')));
    const proof = proofOf('caching_sha2_password', 'geheim', nonce);
    expect(hash('sha256', xor(proof, hash('sha256', stored, nonce)))).toEqual(stored);
  });

  test('by a plugin that is not known here is none', () => {
    expect(() => proofOf('client_ed25519', 'geheim', nonce)).toThrow('asks for client_ed25519');
  });
});

test('a sealed password can be read by who has the key', () => {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const pem = publicKey.export({ type: 'spki', format: 'pem' });
  const key = { key: privateKey, padding: constants.RSA_PKCS1_OAEP_PADDING };
  const longerThanTheNonce = 'ein Passwort, das länger ist';
  const read = privateDecrypt(key, sealed(longerThanTheNonce, nonce, pem));
  expect(Buffer.from(xor(read, nonce)).toString()).toBe(`${longerThanTheNonce}\0`);
});
