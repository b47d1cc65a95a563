import { expect, test } from 'bun:test';
import { utf8 } from '../../base/bytes.ts';
import { firstWord } from './first-word.ts';

test.each([
  ['fetch all from c', 'fetch'],
  ['  FETCH\nfrom c', 'fetch'],
  ['/* a /* nested */ comment, longer than a piece of text */ -- and more\n move c', 'move'],
  ['MOVE', 'move'],
  ['select 1', 'select'],
  ['"fetch" 1', ''],
  ['(values (1))', ''],
  ["'fetch'", ''],
  [' -- nothing', ''],
  ['', ''],
])('the first word of %j is %j', (sql, word) => {
  const bytes = utf8(`before ${sql}`);
  expect(firstWord(bytes, 'before '.length, bytes.length)).toBe(word);
});
