import { pbkdf2, sign } from 'node:crypto';
import { Violation } from '../base/assert.ts';
import { concat, u8, utf8 } from '../base/bytes.ts';
import { limits } from '../base/limits.ts';
import type { SecretText } from '../base/secret-text.ts';
import { ed25519PrivateKey } from './ed25519-keys.ts';

// MariaDB's PARSEC, the client's side: Ed25519 over both sides' nonces, by a key derived from the password. The server's
// challenge is its nonce; to an empty packet it answers with the salt. MariaDB documentation, "Authentication Plugin - PARSEC".

export const PARSEC = 'parsec';

/** Both sides' nonces. */
export const PARSEC_NONCE_BYTES = 32;

const PBKDF2_ALGORITHM = 0x50; // P
const KEY_BYTES = 32;

export interface ParsecSalt {
  readonly salt: Uint8Array;
  readonly iterations: number;
}

/** Reads what a server answers to an empty packet, without the byte 0x01 before it. It may be hostile. */
export function readParsecSalt(data: Uint8Array): ParsecSalt {
  if (data.length < 2) throw new Violation('PARSEC: no salt');
  if (u8(data, 0) !== PBKDF2_ALGORITHM) throw new Violation('PARSEC: an unknown key derivation');
  const iterations = 1024 * 2 ** u8(data, 1);
  if (iterations > limits.parsecIterations.value) {
    throw new Violation('PARSEC: too many iterations are asked for');
  }
  return { salt: data.slice(2), iterations };
}

/** The secret key, 32 bytes; derived off the event loop. */
export async function parsecKey(password: SecretText, from: ParsecSalt): Promise<Uint8Array> {
  const { salt, iterations } = from;
  return await new Promise((resolve, reject) => {
    pbkdf2(utf8(password.reveal()), salt, iterations, KEY_BYTES, 'sha512', (error, key) => {
      if (error === null) resolve(key);
      else reject(error);
    });
  });
}

/** @param clientNonce fresh random bytes, PARSEC_NONCE_BYTES of them */
export function parsecResponse(
  key: Uint8Array,
  serverNonce: Uint8Array,
  clientNonce: Uint8Array,
): Uint8Array {
  const signature = sign(undefined, concat([serverNonce, clientNonce]), ed25519PrivateKey(key));
  return concat([clientNonce, signature]);
}
