/** The authentication plug-ins of MySQL and MariaDB that are known here, by their names on the wire. */
export const plugin = {
  native: 'mysql_native_password',
  cachingSha2: 'caching_sha2_password',
  sha256: 'sha256_password',
  ed25519: 'client_ed25519',
  parsec: 'parsec',
  clear: 'mysql_clear_password',
  /** MariaDB's PAM: it asks a question, and what is answered is the password. */
  dialog: 'dialog',
} as const;

/** What caching_sha2_password and sha256_password say beside the password itself. */
export const sha2 = {
  /** A server's word: the scramble was enough. */
  fastAuthOk: 3,
  /** A server's word: it wants the password itself. */
  fullAuth: 4,
  /** A client's word to caching_sha2_password: it wants the server's public key. */
  requestKey: 2,
  /** The same to sha256_password. */
  requestKeyOld: 1,
} as const;

/** What challenges of these two plug-ins count. */
export const CHALLENGE_BYTES = 20;
export const LONG_CHALLENGE_BYTES = 32;
