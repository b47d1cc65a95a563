import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { saslprep } from './saslprep.ts';

// What PostgreSQL 18 made of these passwords when it stored them.
const prepared: readonly (readonly [what: string, password: string, prepared: string])[] = [
  ['ASCII', 'correct horse', 'correct horse'],
  ['ASCII control characters', 'a\u0001\u007f', 'a\u0001\u007f'],
  ['nothing', '', ''],
  ['what is mapped to nothing', 'I\u00adX', 'IX'],
  ['what would vanish altogether', '\u00ad', '\u00ad'],
  ['another space', 'a\u00a0b\u3000', 'a b '],
  ['a zero-width space, in both tables', 'a\u200bb', 'a b'],
  ['a compatibility character', '\u00aa\u2168\uff21', 'aIXA'],
  ['a decomposed letter', 'e\u0301', '\u00e9'],
  ['a control character among others', '\u0001\u00aa', '\u0001\u00aa'],
  ['a prohibited character that normalisation removes', '\u0340\u00aa', '\u0340\u00aa'],
  ['a letter younger than Unicode 3.2 that normalisation removes', 'a\u1d2c', 'a\u1d2c'],
  ['an emoji', '\u{1f600}\u00aa', '\u{1f600}\u00aa'],
  ['right to left', '\u05d0\u00a0\u05d1', '\u05d0 \u05d1'],
  ['right to left with an end that is not', '\u06271\u00a0', '\u06271\u00a0'],
  ['right to left with a left-to-right letter', '\u05d0\u00aa\u05d0', '\u05d0\u00aa\u05d0'],
  [
    'right to left with a letter that normalisation removes',
    '\u05d0\u037a\u05d0',
    '\u05d0\u037a\u05d0',
  ],
];

for (const [what, password, expected] of prepared) {
  test(`prepares as PostgreSQL does: ${what}`, () => {
    expect(saslprep(password)).toBe(expected);
  });
}

test('takes any text, lone surrogates and all', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' }), (a, b) => {
      const once = saslprep(a + b);
      expect(typeof once).toBe('string');
    }),
  );
  expect(saslprep('\ud800\u00aa')).toBe('\ud800\u00aa');
});
