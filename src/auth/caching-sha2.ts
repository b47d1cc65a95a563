import { EMPTY } from '../base/bytes.ts';
import type { SecretText } from '../base/secret-text.ts';
import { digest, sameBytes, xor } from './digests.ts';

// MySQL documentation, "Caching SHA-2 information": a client answers the challenge; a server that has not met the password
// lately asks for all of it (over TLS in the clear, else by RSA: `rsa-password.ts`).

export const CACHING_SHA2 = 'caching_sha2_password';

/** What is said in one byte: by the server behind `AuthMoreData`, by the client as all of its message. */
export const cachingSha2 = {
  /** The client: send me your public key. */
  publicKeyRequest: 2,
  /** The server: that was enough, an OK follows. */
  fastSuccess: 3,
  /** The server: I need the whole password. */
  fullExchange: 4,
} as const;

/** What a server keeps of a password: 32 bytes, which are not enough to sign in with. */
export function cachingSha2Verifier(password: SecretText): Uint8Array {
  return digest('sha256', digest('sha256', password.reveal()));
}

/**
 * What a client answers to a challenge: 32 bytes, none for an empty password.
 * @param nonce the 20 bytes of the server's challenge, without the NUL behind them
 */
export function cachingSha2Response(password: SecretText, nonce: Uint8Array): Uint8Array {
  if (password.reveal() === '') return EMPTY;
  return xor(
    digest('sha256', password.reveal()),
    digest('sha256', cachingSha2Verifier(password), nonce),
  );
}

/** Whether a client that answered so has one of the passwords. An empty password has an empty answer, which is none here. */
export function cachingSha2Matches(
  verifiers: readonly Uint8Array[],
  nonce: Uint8Array,
  response: Uint8Array,
): boolean {
  let matches = false;
  for (const verifier of verifiers) {
    const once = xor(response, digest('sha256', verifier, nonce));
    if (sameBytes(digest('sha256', once), verifier)) matches = true;
  }
  return matches;
}
