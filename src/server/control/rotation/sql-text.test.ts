import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import {
  mysqlAccount,
  mysqlText,
  pgName,
  pgText,
  sqlServerName,
  sqlServerText,
} from './sql-text.ts';

/** What a reader of the dialect takes as one piece: where the quotes end, and what stands between them. */
function read(
  sql: string,
  quote: string,
  escapes: boolean,
  open = quote,
): { value: string; rest: string } {
  expect(sql.startsWith(open)).toBe(true);
  let value = '';
  for (let at = open.length; at < sql.length; at += 1) {
    const one = sql.charAt(at);
    const next = sql.charAt(at + 1);
    if (escapes && one === '\\') {
      value += next;
      at += 1;
    } else if (one === quote && next === quote) {
      value += quote;
      at += 1;
    } else if (one === quote) return { value, rest: sql.slice(at + 1) };
    else value += one;
  }
  throw new Error('it does not end');
}

const nasty = fc
  .array(
    fc.constantFrom(
      "'",
      '"',
      '\\',
      '`',
      ';',
      '--',
      '/*',
      ' ',
      "\\'",
      '[',
      ']',
      '$$',
      '%',
      'a',
      'é',
      '\n',
    ),
  )
  .map((parts) => parts.join(''));
const text = fc.oneof(
  nasty,
  fc.string({ unit: 'binary' }).filter((one) => !one.includes('\0')),
);

describe('names and texts in statements', () => {
  test('are one piece, whatever is in them', () => {
    fc.assert(
      fc.property(text, (content) => {
        const whole = { value: content, rest: '' };
        expect(read(pgName(content), '"', false)).toEqual(whole);
        expect(pgText(content)).toStartWith("E'");
        expect(read(pgText(content).slice(1), "'", true)).toEqual(whole);
        expect(read(mysqlText(content), "'", true)).toEqual(whole);
      }),
    );
  });

  test('likewise in SQL Server, where a line that ends with a backslash would go on', () => {
    const goesOn = /\\\r?\n/;
    fc.assert(
      fc.property(text, (content) => {
        fc.pre(!goesOn.test(content));
        const whole = { value: content, rest: '' };
        expect(sqlServerName(content)).toStartWith('[');
        expect(read(sqlServerName(content).slice(1), ']', false, '')).toEqual(whole);
        expect(sqlServerText(content)).toStartWith("N'");
        expect(read(sqlServerText(content).slice(1), "'", false)).toEqual(whole);
      }),
    );
    for (const write of [sqlServerName, sqlServerText])
      for (const end of ['\\\n', '\\\r\n'])
        expect(() => write(`a${end}b`)).toThrow('a backslash at the end of a line');
  });

  test('an account is two of them', () => {
    fc.assert(
      fc.property(text, text, (user, host) => {
        const { value, rest } = read(mysqlAccount(user, host), "'", true);
        expect(value).toBe(user);
        expect(read(rest.slice(1), "'", true)).toEqual({ value: host, rest: '' });
      }),
    );
  });

  test('cannot hold a NUL character', () => {
    for (const write of [pgName, pgText, mysqlText, sqlServerName, sqlServerText])
      expect(() => write('a\0b')).toThrow('a name or password has a NUL character in it');
  });
});
