import { createHash, timingSafeEqual } from 'node:crypto';
import type { SecretText } from '../base/secret-text.ts';

/**
 * What a PostgreSQL client answers to AuthenticationMD5Password: `md5` and 32 hexadecimal digits.
 * @param salt the four bytes of the server's challenge
 */
export function md5Response(user: string, password: SecretText, salt: Uint8Array): string {
  const stored = createHash('md5').update(password.reveal()).update(user).digest('hex');
  return `md5${createHash('md5').update(stored).update(salt).digest('hex')}`;
}

/**
 * Whether the client answered with one of the passwords, in a time that does not tell how close it
 * came.
 */
export function md5Matches(
  user: string,
  passwords: readonly SecretText[],
  salt: Uint8Array,
  response: string,
): boolean {
  const given = Buffer.from(response);
  let matches = false;
  for (const password of passwords) {
    const expected = Buffer.from(md5Response(user, password, salt));
    if (given.length === expected.length && timingSafeEqual(given, expected)) matches = true;
  }
  return matches;
}
