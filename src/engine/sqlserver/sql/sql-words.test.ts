import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { SqlWords } from './sql-words.ts';

/** Names in brackets, what is in double quotes in those, texts in angles, numbers with a `#`. */
function told(text: string): { readonly tokens: readonly string[]; readonly isDoubtful: boolean } {
  const words = new SqlWords(text);
  const tokens: string[] = [];
  const around = {
    name: '[]',
    quoted: '""',
    string: '<>',
    number: '#',
    mark: '',
    word: '',
    variable: '',
    system: '',
  };
  for (let token = words.next(); token !== undefined; token = words.next()) {
    const [open = '', close = ''] = around[token.kind];
    tokens.push(`${open}${token.text}${close}`);
  }
  return { tokens, isDoubtful: words.isDoubtful };
}

describe('the lexer', () => {
  test.each([
    [
      'SELECT a.[B c],"D", \'e\' FROM #T',
      ['select', 'a', '.', '[B c]', ',', '"D"', ',', '<e>', 'from', '#t'],
    ],
    ["'it''s' N'x' n'y' \"a\"\"b\" [a]]b]", ["<it's>", '<x>', '<y>', '"a"b"', '[a]b]']],
    ['@X @@RowCount @@a', ['@x', '@@rowcount', '@@a']],
    [
      '1 1.5 .5 1e5 1E-5 0xFF 1.e2 $5',
      ['#1', '#1.5', '#.5', '#1e5', '#1e-5', '#0xff', '#1.e2', '$5'],
    ],
    ['1ELSE 2', ['#1', 'else', '#2']],
    ['0x1Gset', ['#0x1', 'gset']],
    ['1set', ['#1', 'set']],
    ['a--b\nc', ['a', 'c']],
    ['a/*b*/c', ['a', 'c']],
    ['a/*/*b*/c*/d', ['a', 'd']],
    ['a/*/c*/d', ['a', 'd']],
    ['a - - b / * c', ['a', '-', '-', 'b', '/', '*', 'c']],
    ['a\u00a0b\u3000c\ufeffd\u200be', ['a', 'b', 'c', 'd', 'e']],
    ['né É ſet', ['né', 'É', 'ſet']],
    ['a_1$ _b a@b a#b', ['a_1$', '_b', 'a@b', 'a#b']],
    ["'never", ['<never>']],
    ['[never', ['[never]']],
    ['/* never', []],
    ["N 'x'", ['n', '<x>']],
    ['', []],
  ])('cuts %j', (text, tokens) => {
    expect(told(text)).toEqual({ tokens, isDoubtful: false });
  });

  test.each(['a -- b\rc', 'a\0b', '1eset', '1.5exec', '\0'])('doubts %j', (text) => {
    expect(told(text).isDoubtful).toBe(true);
  });

  test.each(['a -- b\r\nc', '-- a', "'\0'", '1end', '1e', '2e5set'])(
    'does not doubt %j',
    (text) => {
      expect(told(text).isDoubtful).toBe(false);
    },
  );

  test('tells what is spaced', () => {
    const words = new SqlWords('a b/**/c(d');
    const spaced = [];
    for (let token = words.next(); token !== undefined; token = words.next())
      spaced.push(token.isSpaced);
    expect(spaced).toEqual([false, true, true, false, false]);
  });

  test('comes to the end of any text', () => {
    const texts = fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme-ascii' }));
    fc.assert(
      fc.property(texts, (text) => {
        expect(told(text).tokens.length).toBeLessThanOrEqual(text.length);
      }),
      { numRuns: 5_000 },
    );
  });
});
