import { EMPTY } from '../base/bytes.ts';
import type { SecretText } from '../base/secret-text.ts';
import { digest, sameBytes, xor } from './digests.ts';

export const NATIVE_PASSWORD = 'mysql_native_password';

/** What a server keeps of a password: 20 bytes. */
export function nativePasswordVerifier(password: SecretText): Uint8Array {
  return digest('sha1', digest('sha1', password.reveal()));
}

/**
 * What a client answers to a challenge: 20 bytes, none for an empty password.
 * @param nonce the 20 bytes of the server's challenge, without the NUL behind them
 */
export function nativePasswordResponse(password: SecretText, nonce: Uint8Array): Uint8Array {
  if (password.reveal() === '') return EMPTY;
  return xor(
    digest('sha1', password.reveal()),
    digest('sha1', nonce, nativePasswordVerifier(password)),
  );
}

/**
 * Whether the client answered with one of the passwords, in a time that does not tell how close it
 * came.
 */
export function nativePasswordMatches(
  passwords: readonly SecretText[],
  nonce: Uint8Array,
  response: Uint8Array,
): boolean {
  let matches = false;
  for (const password of passwords) {
    if (sameBytes(response, nativePasswordResponse(password, nonce))) matches = true;
  }
  return matches;
}
