import { expect, test } from 'bun:test';
import { BINARY, charsetOf, UTF8MB4_0900_AI_CI, UTF8MB4_GENERAL_CI } from './charsets.ts';

test('MY-14: collations of both families, with numbers beyond one byte', () => {
  const cases: [collation: number, charset: string | undefined][] = [
    [0, undefined],
    [8, 'latin1'],
    [28, 'gbk'],
    [33, 'utf8mb3'],
    [UTF8MB4_GENERAL_CI, 'utf8mb4'],
    [48, 'latin1'],
    [BINARY, 'binary'],
    [224, 'utf8mb4'],
    [250, 'gb18030'],
    [252, undefined],
    [UTF8MB4_0900_AI_CI, 'utf8mb4'],
    [309, 'utf8mb4'], // utf8mb4_0900_bin
    [576, 'utf8mb3'], // utf8mb3_croatian_ci
    [608, 'utf8mb4'], // utf8mb4_croatian_ci
    [1032, 'latin1'], // latin1_swedish_nopad_ci
    [1069, 'utf8mb4'], // utf8mb4_general_nopad_ci
    [2048, 'utf8mb3'], // utf8mb3_uca1400_ai_ci
    [2304, 'utf8mb4'], // utf8mb4_uca1400_ai_ci
    [3271, 'utf32'],
    [4096, undefined],
  ];
  for (const [collation, charset] of cases) {
    expect([collation, charsetOf(collation)?.name]).toEqual([collation, charset]);
  }
});

test('character sets whose bytes may be mistaken for ASCII are known', () => {
  const hiding = [1, 13, 28, 95, 248, 35, 54, 56, 60].map((id) => charsetOf(id));
  expect(hiding.map((charset) => charset?.hidesAscii)).toEqual(hiding.map(() => true));
  const plain = [8, 12, 19, 24, 33, 45, 63, 97].map((id) => charsetOf(id));
  expect(plain.map((charset) => charset?.hidesAscii)).toEqual(plain.map(() => false));
  expect(charsetOf(45)?.bytes).toBe(4);
});
