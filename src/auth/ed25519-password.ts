import { Point } from '@noble/ed25519';
import { verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { concat, u8 } from '../base/bytes.ts';
import type { SecretText } from '../base/secret-text.ts';
import { digest } from './digests.ts';
import { ed25519PublicKey } from './ed25519-keys.ts';

// MariaDB's `client_ed25519`: Ed25519 (RFC 8032) over the server's challenge, with the password in place of the secret key.
// A secret key has 32 bytes there, and a password any number of them, so the signature is made here, by the RFC's steps;
// verifying knows no difference.

export const ED25519 = 'client_ed25519';

const { n: ORDER } = Point.CURVE();
const SIGNATURE_BYTES = 64;
const KEY_BYTES = 32;

/** The secret scalar, the prefix of the signature's nonce, and the public key: RFC 8032, 5.1.5. */
interface Expanded {
  readonly scalar: bigint;
  readonly prefix: Uint8Array;
  readonly publicKey: Uint8Array;
}

function expand(password: SecretText): Expanded {
  const hash = digest('sha512', password.reveal());
  const clamped = hash.slice(0, KEY_BYTES);
  clamped[0] = u8(clamped, 0) & 0xf8;
  clamped[31] = (u8(clamped, 31) & 0x7f) | 0x40;
  const scalar = littleEndian(clamped) % ORDER;
  return {
    scalar,
    prefix: hash.slice(KEY_BYTES),
    publicKey: Point.BASE.multiply(scalar).toBytes(),
  };
}

/** What a client answers to a challenge: 64 bytes, whatever the password. */
export function ed25519Response(password: SecretText, nonce: Uint8Array): Uint8Array {
  const { scalar, prefix, publicKey } = expand(password);
  // RFC 8032, 5.1.6. A nonce of zero is no point to be had, and as likely as a collision of the hash.
  const r = littleEndian(digest('sha512', prefix, nonce)) % ORDER;
  const commitment = Point.BASE.multiply(r).toBytes();
  const k = littleEndian(digest('sha512', commitment, publicKey, nonce)) % ORDER;
  return concat([commitment, bytesOf((r + k * scalar) % ORDER)]);
}

const publicKeys = new WeakMap<SecretText, KeyObject>();

function publicKeyOf(password: SecretText): KeyObject {
  let key = publicKeys.get(password);
  if (key === undefined) {
    key = ed25519PublicKey(expand(password).publicKey);
    publicKeys.set(password, key);
  }
  return key;
}

/** Whether the client answered with one of the passwords. */
export function ed25519Matches(
  passwords: readonly SecretText[],
  nonce: Uint8Array,
  response: Uint8Array,
): boolean {
  if (response.length !== SIGNATURE_BYTES) return false;
  let matches = false;
  for (const password of passwords) {
    if (verify(undefined, nonce, publicKeyOf(password), response)) matches = true;
  }
  return matches;
}

/** What MariaDB keeps of a password: its public key, 32 bytes. */
export function ed25519Verifier(password: SecretText): Uint8Array {
  return expand(password).publicKey;
}

function littleEndian(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes.toReversed()).toString('hex')}`);
}

function bytesOf(scalar: bigint): Uint8Array {
  return Buffer.from(scalar.toString(16).padStart(2 * KEY_BYTES, '0'), 'hex').toReversed();
}
