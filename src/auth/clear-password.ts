import type { SecretText } from '../base/secret-text.ts';
import { digest, sameBytes } from './digests.ts';

/**
 * Whether a password that has come in the clear is one of those, in a time that does not tell how
 * close it came, nor how long they are.
 */
export function clearPasswordMatches(passwords: readonly SecretText[], given: SecretText): boolean {
  const hash = digest('sha256', given.reveal());
  let matches = false;
  for (const password of passwords) {
    if (sameBytes(hash, digest('sha256', password.reveal()))) matches = true;
  }
  return matches;
}
