import { constants, createHash, publicEncrypt } from 'node:crypto';

/** How the plugins show a server that the password is known; for those that MySQL and MariaDB have by default. */
export function proofOf(plugin: string, password: string, nonce: Uint8Array): Uint8Array {
  switch (plugin) {
    case 'caching_sha2_password': {
      const once = hash('sha256', Buffer.from(password));
      return xor(once, hash('sha256', hash('sha256', once), nonce));
    }
    case 'mysql_native_password': {
      const once = hash('sha1', Buffer.from(password));
      return xor(once, hash('sha1', nonce, hash('sha1', once)));
    }
    default:
      throw new Error(`the server asks for ${plugin}, which is not known here`);
  }
}

/** For a server that has to see the password, on a connection that TLS does not protect. */
export function sealed(password: string, nonce: Uint8Array, publicKeyPem: string): Uint8Array {
  const key = { key: publicKeyPem, padding: constants.RSA_PKCS1_OAEP_PADDING };
  return publicEncrypt(key, xor(Buffer.from(`${password}\0`), nonce));
}

function hash(algorithm: string, ...parts: readonly Uint8Array[]): Buffer {
  const hashing = createHash(algorithm);
  for (const part of parts) hashing.update(part);
  return hashing.digest();
}

/** The second one is repeated as often as needed. */
function xor(bytes: Uint8Array, pad: Uint8Array): Uint8Array {
  return bytes.map((byte, at) => byte ^ (pad[at % pad.length] ?? 0));
}
