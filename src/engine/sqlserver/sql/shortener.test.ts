import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { Shortener, SHORTENED } from './shortener.ts';
import { SqlWords } from './sql-words.ts';

const LENGTHS = { quoted: 6, alike: 4 };

const parts = [
  ..."' '' \" [ ] -- /* */ / * - \n \r \r\n 0 0x ff 1 11111111 1e5 . é e else exec \\ \0".split(
    ' ',
  ),
  ...' |        |abcdefgh|N|@v|#t|set|(|)|,|;'.split('|'),
];
const text = fc.array(fc.constantFrom(...parts), { maxLength: 40 }).map((words) => words.join(''));

function shortened(whole: string, cuts: readonly number[] = []): string {
  const shortener = new Shortener(LENGTHS);
  const places = cuts.map((cut) => cut % (whole.length + 1)).toSorted((a, b) => a - b);
  let from = 0;
  let out = '';
  for (const place of places) {
    out += shortener.add(whole.slice(from, place));
    from = place;
  }
  return out + shortener.add(whole.slice(from)) + shortener.end();
}

/** Of what is shortened, that it is one token of its kind. */
function tokensOf(whole: string): readonly unknown[] {
  const words = new SqlWords(whole);
  const found: unknown[] = [];
  for (let token = words.next(); token !== undefined; token = words.next()) {
    const isQuoted = ['string', 'quoted', 'name'].includes(token.kind);
    const isLong = isQuoted && (token.raw.length > 2 || token.raw.includes(SHORTENED));
    const isDigits = token.kind === 'number' && token.raw.length > LENGTHS.alike;
    // A word of more digits than are kept may have begun as a number.
    const isWord = token.kind === 'word' && /[0-9a-f]{4}/i.test(token.raw);
    const text = isLong || isDigits || isWord ? 'long' : token.text;
    found.push([token.kind, text, token.isSpaced]);
  }
  return [...found, words.isDoubtful];
}

describe('a text that is shortened', () => {
  test('has the tokens that it had', () => {
    fc.assert(
      fc.property(text, (whole) => {
        expect(tokensOf(shortened(whole))).toEqual(tokensOf(whole));
      }),
      { numRuns: 5_000 },
    );
  });

  test('has them in whatever pieces it comes', () => {
    fc.assert(
      fc.property(text, fc.array(fc.nat(), { maxLength: 8 }), (whole, cuts) => {
        expect(tokensOf(shortened(whole, cuts))).toEqual(tokensOf(whole));
      }),
      { numRuns: 5_000 },
    );
  });

  test.each([
    ["SELECT 'abc'", "SELECT 'abc'"],
    ["SELECT 'abcdefgh' x", `SELECT 'abcdef${SHORTENED}' x`],
    ["SELECT 'abcde''''''''' x", `SELECT 'abcde${SHORTENED}' x`],
    ['SELECT 1234567890', 'SELECT 12345'],
    ['SELECT 0xABCDEF0123', 'SELECT 0xABCD'],
    ['SELECT 11111111exec p', 'SELECT 11111exec p'],
    ['a        b', 'a     b'],
    ['a /* b /* c */ d */ e', 'a    e'],
    ['a -- b\nc', 'a --\nc'],
    ['a -- b\rc', 'a --\rc'],
  ])('%j becomes %j', (whole, short) => {
    expect(shortened(whole)).toBe(short);
  });
});
