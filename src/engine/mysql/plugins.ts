import { CACHING_SHA2 } from '../../auth/caching-sha2.ts';
import { ED25519 } from '../../auth/ed25519-password.ts';
import { NATIVE_PASSWORD } from '../../auth/native-password.ts';
import { PARSEC } from '../../auth/parsec.ts';
import { SHA256_PASSWORD } from '../../auth/rsa-password.ts';

/** The authentication plug-ins of MySQL and MariaDB that are known here, by their names on the wire. */
export const plugin = {
  native: NATIVE_PASSWORD,
  cachingSha2: CACHING_SHA2,
  sha256: SHA256_PASSWORD,
  ed25519: ED25519,
  parsec: PARSEC,
  /** The password as it is: also how tokens come. */
  clear: 'mysql_clear_password',
  /** MariaDB's PAM: it asks a question, and what is answered is the password. */
  dialog: 'dialog',
} as const;

/** What a challenge counts; of `client_ed25519` and `parsec` it is longer. */
export const CHALLENGE_BYTES = 20;
export const LONG_CHALLENGE_BYTES = 32;
