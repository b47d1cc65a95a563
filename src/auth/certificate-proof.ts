import { digest } from './digests.ts';

/**
 * What MariaDB 11.4 and later says for information in the OK that ends a sign-in: that who knows the password's hash has also
 * presented this certificate. A client of its family takes that for trust where nobody has signed the certificate.
 * @param passwordHash `nativePasswordVerifier` or `ed25519Verifier`; other plug-ins prove nothing
 * @param nonce the challenge of the handshake, whichever the client has answered in the end
 * @param fingerprint SHA-256 of the server's certificate as DER
 */
export function certificateProof(
  passwordHash: Uint8Array,
  nonce: Uint8Array,
  fingerprint: Uint8Array,
): string {
  const proof = Buffer.from(digest('sha256', passwordHash, nonce, fingerprint));
  return `\u0001${proof.toString('hex').toUpperCase()}`;
}
