import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { table } from './table.ts';

test('columns are aligned, without spaces at the end', () => {
  expect(
    table(
      [
        ['NAME', 'X'],
        ['a', 'bb'],
        ['cccccc', ''],
      ],
      80,
    ),
  ).toBe('NAME    X\na       bb\ncccccc');
});

test('wide characters count twice', () => {
  expect(
    table(
      [
        ['日本', 'x'],
        ['a', 'y'],
      ],
      80,
    ),
  ).toBe('日本  x\na     y');
});

test('what does not fit is wrapped inside its column, also inside a word', () => {
  const text = 'one two threefourfivesixseven';
  expect(table([['a', text, 'end']], 20)).toBe(
    ['a  one two       end', '   threefourfiv', '   esixseven'].join('\n'),
  );
});

test('a line is not longer than allowed, and no text is lost', () => {
  const cell = fc.string({ maxLength: 60 });
  fc.assert(
    fc.property(fc.array(fc.tuple(cell, cell, cell), { maxLength: 5 }), (rows) => {
      const shown = table(rows, 40);
      for (const line of shown.split('\n')) expect(Bun.stringWidth(line)).toBeLessThanOrEqual(40);
      const letters = (text: string) => Array.from(text.replaceAll(/\s/g, '')).sort().join('');
      expect(letters(shown)).toBe(letters(rows.flat().join('')));
    }),
  );
});

test('no cell moves the cursor', () => {
  expect(table([['a\u001b[2Jb\nc\u202e']], 80)).toBe('a\u{fffd}[2Jb\u{fffd}c\u{fffd}');
});

test('nothing is an empty text', () => expect(table([], 80)).toBe(''));
