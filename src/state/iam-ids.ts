import type { Random } from '../base/random.ts';

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** `AKIA`, `AIDA` … and letters and digits behind it, as many as AWS has. */
export function newId(random: Random, prefix: 'AIDA' | 'AKIA' | 'ANPA' | 'AROA' | 'ASIA'): string {
  const length = prefix === 'AKIA' || prefix === 'ASIA' ? 16 : 17;
  const letters = Array.from(random.bytes(length), (byte) => LETTERS[byte % LETTERS.length]);
  return prefix + letters.join('');
}

/** A text of so many random bytes, in Base64. */
export function newText(random: Random, bytes: number): string {
  return Buffer.from(random.bytes(bytes)).toString('base64');
}
