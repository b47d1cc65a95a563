import type { Random } from '../../base/random.ts';

/** A UUID of version 4. */
export function requestIdOf(random: Random): string {
  const hex = Buffer.from(random.bytes(16)).toString('hex');
  const variant = '89ab'[Number.parseInt(hex.charAt(16), 16) % 4];
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `4${hex.slice(13, 16)}`,
    `${variant}${hex.slice(17, 20)}`,
    hex.slice(20),
  ].join('-');
}
