// Collations have numbers, and a connection's tells its character set. What follows is what MySQL 9 and MariaDB 11.8 list in
// INFORMATION_SCHEMA: where both have a number it means the same character set.

export interface Charset {
  readonly name: string;
  /** The most bytes of a character. */
  readonly bytes: number;
  /**
   * Whether a byte of a longer character may look like an ASCII one, a quote or a backslash even: who reads such a text byte
   * by byte goes astray.
   */
  readonly hidesAscii: boolean;
}

/** Name, bytes of a character, numbers of collations; `!` before a name whose characters hide ASCII. */
const table = [
  'armscii8 1 32 64',
  'ascii 1 11 65',
  '!big5 2 1 84',
  'binary 1 63',
  'cp1250 1 26 34 44 66 99',
  'cp1251 1 14 23 50-52',
  'cp1256 1 57 67',
  'cp1257 1 29 58 59',
  'cp850 1 4 80',
  'cp852 1 40 81',
  'cp866 1 36 68',
  '!cp932 2 95 96',
  'dec8 1 3 69',
  'eucjpms 3 97 98',
  'euckr 2 19 85',
  '!gb18030 4 248-250',
  'gb2312 2 24 86',
  '!gbk 2 28 87',
  'geostd8 1 92 93',
  'greek 1 25 70',
  'hebrew 1 16 71',
  'hp8 1 6 72',
  'keybcs2 1 37 73',
  'koi8r 1 7 74',
  'koi8u 1 22 75',
  'latin1 1 5 8 15 31 47-49 94',
  'latin2 1 2 9 21 27 77',
  'latin5 1 30 78',
  'latin7 1 20 41 42 79',
  'macce 1 38 43',
  'macroman 1 39 53',
  '!sjis 2 13 88',
  'swe7 1 10 82',
  'tis620 1 18 89',
  '!ucs2 2 35 90 128-159 640-642 2560-2815',
  'ujis 3 12 91',
  '!utf16 4 54 55 101-124 672-674 2816-3071',
  '!utf16le 4 56 62',
  '!utf32 4 60 61 160-183 736-738 3072-3327',
  'utf8mb3 3 33 76 83 192-223 576-579 2048-2303',
  'utf8mb4 4 45 46 224-247 255-323 608-611 2304-2559',
] as const;

/** MariaDB's collations that do not pad have the number of the one that does, and this many more. */
const NO_PAD = 1024;

const byCollation = new Map<number, Charset>();
for (const line of table) {
  const [name = '', bytes, ...ranges] = line.split(' ');
  const hidesAscii = name.startsWith('!');
  const charset = { name: hidesAscii ? name.slice(1) : name, bytes: Number(bytes), hidesAscii };
  for (const range of ranges) {
    const [first, last = first] = range.split('-').map(Number);
    for (let id = Number(first); id <= Number(last); id += 1) byCollation.set(id, charset);
  }
}

/** Undefined for a number that no collation has. */
export function charsetOf(collation: number): Charset | undefined {
  const pads = collation >= NO_PAD && collation < 2 * NO_PAD ? collation - NO_PAD : collation;
  return byCollation.get(pads);
}

/**
 * utf8mb4_general_ci, which both families have, with a number that fits the handshake's one byte (trap MY-14). MariaDB 11.8 makes
 * of it what `character_set_collations` says is utf8mb4's default.
 */
export const UTF8MB4_GENERAL_CI = 45;
/** utf8mb4_0900_ai_ci, the default of MySQL from 8.0 on. MariaDB 11.8 knows it too. */
export const UTF8MB4_0900_AI_CI = 255;
/** The character set `binary`, which columns of bytes and of numbers have. */
export const BINARY = 63;
