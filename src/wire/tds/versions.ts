/**
 * Versions as a LOGIN7 holds them, a little-endian number, and as all of our code does. A LOGINACK has them the other way round, and
 * the two oldest in an encoding of their own: `tokens.ts`. [MS-TDS] 2.2.6.4, 2.2.7.14.
 */
export const tdsVersion = {
  v70: 0x70000000,
  v71: 0x71000000,
  v71rev1: 0x71000001,
  v72: 0x72090002,
  v73a: 0x730a0003,
  v73b: 0x730b0003,
  v74: 0x74000004,
  v80: 0x08000000,
} as const;

/** Whether a version is `other` or a later one: 8.0 is a small number, and the latest. */
export function isAtLeast(version: number, other: number): boolean {
  return version === tdsVersion.v80 || (other !== tdsVersion.v80 && version >= other);
}

/** From here on, requests begin with headers, and counts and numbers are wider. */
export function isWide(version: number): boolean {
  return isAtLeast(version, tdsVersion.v72);
}
