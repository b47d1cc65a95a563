import {
  constants,
  createPublicKey,
  generateKeyPair,
  privateDecrypt,
  publicEncrypt,
} from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { Violation } from '../base/assert.ts';
import { text, utf8 } from '../base/bytes.ts';
import { limits } from '../base/limits.ts';
import { SecretText } from '../base/secret-text.ts';
import { xor } from './digests.ts';

// How a password goes over a channel that is not encrypted: with its NUL, mixed with the challenge, and encrypted for the
// server's RSA key (PKCS #1 OAEP, SHA-1). `caching_sha2_password` does so when all of the password is needed, and
// `sha256_password` always. Whoever stands between can put a key of his own there: only the caller knows whether to ask.

export const SHA256_PASSWORD = 'sha256_password';
/** What a client of `sha256_password` says to get the key; over TLS it sends the password instead. */
export const SHA256_PUBLIC_KEY_REQUEST = 1;

const PADDING = { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha1' } as const;
const KEY_BITS = 2048;

export interface RsaKeys {
  /** As it is sent to clients. */
  readonly publicPem: string;
  readonly privateKey: KeyObject;
}

/** New keys, made off the event loop: it takes a while. */
export async function makeRsaKeys(): Promise<RsaKeys> {
  return await new Promise((resolve, reject) => {
    generateKeyPair('rsa', { modulusLength: KEY_BITS }, (error, publicKey, privateKey) => {
      if (error !== null) reject(error);
      else
        resolve({
          publicPem: publicKey.export({ type: 'spki', format: 'pem' }),
          privateKey,
        });
    });
  });
}

/** Client side. @param publicPem what the server said is its key: it may say anything */
export function encryptPassword(
  password: SecretText,
  nonce: Uint8Array,
  publicPem: Uint8Array,
): Uint8Array {
  const mixed = xor(utf8(`${password.reveal()}\0`), nonce);
  try {
    const key = createPublicKey({ key: text(publicPem), format: 'pem' });
    return publicEncrypt({ key, ...PADDING }, mixed);
  } catch {
    // No reason is passed on: it could be about the password.
    throw new Violation('the public key of the server is none, or too short for the password');
  }
}

/** Server side: the password, or undefined where there is none in the message. */
export function decryptPassword(
  message: Uint8Array,
  nonce: Uint8Array,
  privateKey: KeyObject,
): SecretText | undefined {
  if (message.length > limits.passwordMessageBytes.value) return undefined;
  let mixed: Uint8Array;
  try {
    mixed = privateDecrypt({ key: privateKey, ...PADDING }, message);
  } catch {
    return undefined;
  }
  const clear = xor(mixed, nonce);
  return clear.at(-1) === 0 ? new SecretText(text(clear, 0, clear.length - 1)) : undefined;
}
