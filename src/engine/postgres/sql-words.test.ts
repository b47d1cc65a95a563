import { describe, expect, test } from 'bun:test';
import { utf8 } from '../../base/bytes.ts';
import { MAX_WORD_BYTES, SqlWords } from './sql-words.ts';
import type { WordVisitor } from './sql-words.ts';

/** Writes down what is told: words as they are (quoted ones in quotes), `#` for a value, `~` for a riddle. */
class Scribe implements WordVisitor {
  readonly told: string[] = [];

  space(): void {
    this.told.push(' ');
  }

  word(word: string, quoted: boolean): void {
    this.told.push(quoted ? `"${word}"` : word);
  }

  value(): void {
    this.told.push('#');
  }

  mark(byte: number): void {
    this.told.push(String.fromCharCode(byte));
  }

  riddle(): void {
    this.told.push('~');
  }
}

function told(bytes: Uint8Array, ...cuts: number[]): string[] {
  const scribe = new Scribe();
  const words = new SqlWords(scribe);
  let from = 0;
  for (const cut of [...cuts, bytes.length]) {
    words.feed(bytes, from, cut);
    from = cut;
  }
  words.finish();
  return scribe.told;
}

const long = 'x'.repeat(MAX_WORD_BYTES);

const texts: readonly (readonly [sql: string, told: string])[] = [
  ['', ''],
  ['  select\t\n1 ', ' select #'],
  ['SELECT a.B, "C""d"(*);', 'select a.b, "C"d"(*);'],
  ['größe ÄB', 'größe Äb'],
  ['a$b$c', 'a$b$c'],
  [`${long}yz ${long}`, `${long} ${long}`],
  // Numbers and parameters.
  ['1 1.5 .5 1e5 1.5E-10 1_0', '# # .# # # #_0'],
  ['1from 1e5from 1e from 1e+from 1e-from', '#from #from #e from #e+from #e-from'],
  ['1e--comment\n2', '#e #'],
  ['$1+$23a', '#+#a'],
  // Strings.
  ["'a''b'c", '#c'],
  ["'a\\'c'", '#c#'],
  ["E'a\\'b'c", '#c'],
  ["e'a''\\\\'b", '#b'],
  ["e 'a\\'c'", 'e #c#'],
  ["ae'a\\'c'", 'ae#c#'],
  ["b'1' X'f' n'a' y'b'", '# # # y#'],
  ["1e'a\\'b'", '##'],
  ["'a'\n'\\'b", '# #b'],
  ["E'a'\n'\\'b'c", '# #c'],
  ["E'a'  '\\'b", '# #b'],
  ["E'a' -- c\n\t-- d\r'\\'b'c", '# #c'],
  ["E'a' /* c */\n'\\'b", '# #b'],
  ["E'a'\n,'\\'b", '# ,#b'],
  // Dollar quotes.
  ['$$a$b$$c', '#c'],
  ['$a$ $b$ $$ $a $a$c', '#c'],
  ['$a$$a$b', '#b'],
  ['$a$$$a$b', '#b'],
  ['$aa$ $a$aa$b', '#b'],
  ['$é1$ ; $é1$ b', '# b'],
  ['$A$ $a$ $A$b', '#b'],
  ['1$a$ b $a$c', '##c'],
  [`$${long}$ a $${long}$ b`, '# b'],
  [`$${long}x$ a $${long}x$ b`, '~#'],
  // Comments and operators.
  ['a--b\nc', 'a c'],
  ['a--b\rc', 'a c'],
  ['a-b- -c', 'a-b- -c'],
  ['a/*b*/c/d', 'a c/d'],
  ['a/*/*b*/*/c', 'a c'],
  ['a/*/b*/c', 'a c'],
  ['a/***/b/*//**/*/c', 'a b c'],
  ['a//*b*/+--c\n*/*d*/e', 'a/ + * e'],
  ['a<=b@>c', 'a<=b@>c'],
  // Unicode escapes.
  ['u&"a""b"c', '~"a"b"c'],
  ["U&'a''\\'b", '#b'],
  ['u&a u& "a" u &"a"', 'u&a u& "a" u &"a"'],
  // Cut short.
  ['a', 'a'],
  ['"a"', '"a"'],
  ['a -', 'a -'],
  ['a /', 'a /'],
  ['u&', 'u&'],
  ['1e', '#e'],
  ['1e-', '#e-'],
  ["a 'b", 'a #'],
  ['a "b', 'a'],
  ['a $b', 'a $'],
  ['a $ b $c d', 'a $ b $ d'],
  ['a /* b', 'a'],
];

describe('the words of a statement', () => {
  for (const [sql, expected] of texts) {
    test(JSON.stringify(sql), () => {
      expect(told(utf8(sql)).join('')).toBe(expected);
    });
  }

  test('are the same wherever the text is cut', () => {
    for (const [sql] of texts) {
      const bytes = utf8(sql);
      const whole = told(bytes);
      expect(told(bytes, ...bytes.keys())).toEqual(whole);
      for (let first = 0; first <= bytes.length; first += 1) {
        for (let second = first; second <= bytes.length; second += 1) {
          expect(told(bytes, first, second)).toEqual(whole);
        }
      }
    }
  });

  test('of one text do not depend on the text before it', () => {
    const lone = texts.map(([sql]) => told(utf8(sql)).join(''));
    const scribe = new Scribe();
    const words = new SqlWords(scribe);
    const inRow = texts.map(([sql]) => {
      scribe.told.length = 0;
      const bytes = utf8(sql);
      words.feed(bytes, 0, bytes.length);
      words.finish();
      return scribe.told.join('');
    });
    expect(inRow).toEqual(lone);
  });

  test('come from between start and end only', () => {
    const scribe = new Scribe();
    const words = new SqlWords(scribe);
    words.feed(utf8("a'b c'd"), 2, 5);
    words.feed(utf8(" 'x' y' z"), 1, 3);
    words.feed(utf8(" ' y"), 0, 2);
    words.finish();
    expect(scribe.told.join('')).toBe('b c#');
  });
});
