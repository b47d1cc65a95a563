import { describe, expect, test } from 'bun:test';
import { utf8 } from '../../../base/bytes.ts';
import type { Dialect } from './dialect.ts';
import { dialectOf, serverTraits } from './dialect.ts';
import { MAX_STRING_BYTES } from './sql-strings.ts';
import { SqlWords } from './sql-words.ts';
import type { WordVisitor } from './word-visitor.ts';
import { MAX_WORD_BYTES } from './word-visitor.ts';

/** Writes down what is told: bare words as they are, names in backquotes, strings in angles, numbers with a `#`, riddles as `~`. */
class Scribe implements WordVisitor {
  readonly told: string[] = [];

  space(): void {
    this.told.push(' ');
  }

  word(word: string, isBare: boolean): void {
    this.told.push(isBare ? word : `\`${word}\``);
  }

  string(said: Uint8Array | undefined): void {
    this.told.push(said === undefined ? '<…>' : `<${Buffer.from(said).toString()}>`);
  }

  number(digits: string): void {
    this.told.push(`#${digits}`);
  }

  variable(name: string): void {
    this.told.push(`@(${name})`);
  }

  system(name: string): void {
    this.told.push(`@@(${name})`);
  }

  mark(byte: number): void {
    this.told.push(String.fromCharCode(byte));
  }

  executable(): void {
    this.told.push('!');
  }

  riddle(): void {
    this.told.push('~');
  }
}

function dialect(version: string, sqlMode = '', charset = 'utf8mb4'): Dialect {
  return dialectOf(serverTraits(version, false), sqlMode, charset);
}

const mysql = dialect('9.7.4');
const mariadb = dialect('11.8.9-MariaDB');

function told(bytes: Uint8Array, of: Dialect, ...cuts: number[]): string {
  const scribe = new Scribe();
  const words = new SqlWords(scribe, of);
  let from = 0;
  for (const cut of [...cuts, bytes.length]) {
    words.feed(bytes, from, cut);
    from = cut;
  }
  words.finish();
  return scribe.told.join('');
}

const long = 'x'.repeat(MAX_WORD_BYTES);
const longer = 'x'.repeat(MAX_STRING_BYTES);

type Row = readonly [sql: string, told: string];

const both: readonly Row[] = [
  ['', ''],
  ['  select\t\n1 ', ' select #1'],
  ['SELECT a.B, `C``d`(*);', 'SELECT a.`B`, `C`d`(*);'],
  ['größe ÄB _utf8', 'größe ÄB _utf8'],
  ['a$b 1$', 'a$b `1$`'],
  [`${long}yz ${long}`, `${long} ${long}`],
  // A keyword behind a dot is a name; behind a dot and a blank it is not.
  ['a.select a. select a .select .`b`.1', 'a.`select` a. select a .`select` .`b`#'],
  ['a.1e5 a.1 1a.2b', 'a.`1e5` a.`1` `1a`.`2b`'],
  // Numbers.
  ['1 12345 1.5 .5 1. 1e5 1E-10 1.5e+10', '#1 #12345 # # # # # #'],
  ['1from 1.5from 1e5from 1e 1e+ 1e+a', '`1from` #from #from `1e` `1e`+ `1e`+a'],
  ['0x1f 0X1f 0xfg 0x 0b01 0b2 0b01a', '# `0X1f` `0xfg` `0x` # `0b2` `0b01a`'],
  ['1.5e 1.5e+', '~#~ #'],
  ["x'1f' X'' b'01' B'1' y'1'", '# # # # y<1>'],
  // Strings.
  ["'a''b'c", "<a'b>c"],
  [String.raw`'a\'c' 'd\\' "e\"f" "g""h" 'i"j' "k'l"`, `<a'c> <d\\> <e"f> <g"h> <i"j> <k'l>`],
  [String.raw`'\0\b\n\r\t\Z\%\_\x'`, '<\0\b\n\r\t\x1a\\%\\_x>'],
  ["n'a' N'b' _utf8'c' ''", '<a> <b> _utf8<c> <>'],
  [`'${longer}' '${longer}y'`, `<${longer}> <…>`],
  // Variables.
  ["@a @_a.b$1 @`c``d` @'e''f' @\"g\" @1", "@(a) @(_a.b$1) @(c`d) @(e'f) @(g) @(1)"],
  ['@@a @@SESSION.b @@`c` @@d . e', '@@(a) @@(session).`b` @@(c) @@(d) . e'],
  ["u@h 'u'@'h' `u`@`h`", 'u@(h) <u>@(h) `u`@(h)'],
  ['@a:=1 @ b @', '@(a):=#1 @() b @()'],
  // Comments.
  ['a--b a--1', 'a--b a--#1'],
  ['a-- b\nc--\td\ne--\x01f\ng--', 'a c e g'],
  ['a---- b\nc', 'a-- c'],
  ['a#b\rc\nd # e', 'a d'],
  ['a/*b*/c/d/**/e/***/f/*/g*/h', 'a c/d e f h'],
  ['a/* /* b */ c */', 'a c */'],
  ["/* ' */a'/*'b-- '\n", ' a</*>b'],
  ['a /*! b */ c', 'a! b c'],
  ['/*!50000 a*/b/*!50000a*/', '! a b! a'],
  ['/*!123 a*/ /*!1234a*/', '! #123 a! `1234a`'],
  ['/*! a /* b */ c */ d', '! a c d'],
  ['/*! a */* b', '! a * b'],
  ['/*! a * b */', '! a * b'],
  ['/*!999999 a /* b */ c */ d', ' d'],
  ['/*! a; b */ c', '! a; b c'],
  ['/*! a; b */* c', '! a; b~ * c'],
  ['/*! a', '! a'],
  // Cut short.
  ['a', 'a'],
  ['`a', ''],
  ["'a", ''],
  ['a -', 'a -'],
  ['a /', 'a /'],
  ['a.', 'a.'],
  ['a /* b', 'a'],
  ['a /*!50', 'a! #50'],
];

const onlyMysql: readonly Row[] = [
  ['/*!80000 a*/ /*!99999 b*/', '! a'],
  ['/*!080000 a*/ /*!0800001*/ /*!990000 b*/', '! a! #01'],
  ['/*M! a*/ b', ' b'],
  ['/*M!100000 a*/ b', ' b'],
  ['$$a; $ b$$c', '<…>c'],
  ['$a$ $b$ $$ $a $a$c', '<…>c'],
  ['$a$$a$b', '<…>b'],
  ['$aa$ $a$aa$b', '<…>b'],
  ['a$b$ c', 'a$b$ c'],
  ['$a $ $é', '$a $ $é'],
  [`$${long}$ a`, '~'],
  ['a.$b$ c', 'a.`$b$` c'],
  ["/*+ a('b') */ c", ' c'],
  ["/*+ a('*/') */ c", '~'],
];

const onlyMariadb: readonly Row[] = [
  ['/*!80000 a*/ /*!50700 b*/ /*!50699 c*/ /*!100000 d*/', '! c! d'],
  ['/*!0500001*/ /*!110900 a*/', '! #1'],
  ['/*M! a*/ /*M!80000 b*/ /*M!999999 c*/', '! a! b'],
  ['/*M a*/ /*MM! b*/ c', ' c'],
  ['/*!99997 a*/', '~'],
  ['$$a; $ b$$c', '$$a; $ b$$c'],
  ["/*+ a('*/') */ c'", ' <) */ c>'],
];

const rows: readonly (readonly [Dialect, Row])[] = [
  ...both.map((row): readonly [Dialect, Row] => [mysql, row]),
  ...both.map((row): readonly [Dialect, Row] => [mariadb, row]),
  ...onlyMysql.map((row): readonly [Dialect, Row] => [mysql, row]),
  ...onlyMariadb.map((row): readonly [Dialect, Row] => [mariadb, row]),
];

describe('the words of a statement', () => {
  for (const [of, [sql, expected]] of rows) {
    const name = of.isMariadb ? 'MariaDB' : 'MySQL';
    test(`${name}: ${JSON.stringify(sql.slice(0, 100))}`, () => {
      expect(told(utf8(sql), of).trimEnd()).toBe(expected.trimEnd());
    });
  }

  test('are the same wherever the text is cut', () => {
    for (const [of, [sql]] of rows) {
      const bytes = utf8(sql);
      const whole = told(bytes, of);
      expect(told(bytes, of, ...bytes.keys())).toBe(whole);
      if (bytes.length > 100) continue;
      for (let first = 0; first <= bytes.length; first += 1) {
        for (let second = first; second <= bytes.length; second += 1)
          expect(told(bytes, of, first, second)).toBe(whole);
      }
    }
  });

  test('come from between start and end only', () => {
    const scribe = new Scribe();
    const words = new SqlWords(scribe, mysql);
    words.feed(utf8("a'b c'd"), 2, 5);
    words.feed(utf8(" 'x' y' z"), 1, 3);
    words.feed(utf8(" ' y"), 0, 2);
    words.finish();
    expect(scribe.told.join('')).toBe('b c<x >');
  });

  test('MY-52: depend on sql_mode', () => {
    const ansi = dialect('9.7.4', 'ANSI_QUOTES');
    const plain = dialect('9.7.4', 'NO_BACKSLASH_ESCAPES');
    const bytes = utf8(String.raw`"a\" 'b\'`);
    expect(told(bytes, mysql)).toBe('');
    expect(told(bytes, ansi)).toBe('`a\\`');
    expect(told(bytes, plain)).toBe('<a\\> <b\\>');
    expect(told(utf8('@"a" @@"b"'), ansi)).toBe('@(a) @@()`b`');
  });

  test('depend on the character set', () => {
    const bytes = Buffer.from("a\xa0b '\xa0' \xe4", 'latin1');
    expect(told(bytes, dialect('9.7.4', '', 'latin1'))).toMatch(/^a b <.> .$/);
    expect(told(bytes, dialect('9.7.4', '', 'koi8r'))).toMatch(/^~a.b <.>~ .$/);
    expect(told(bytes, dialect('9.7.4', '', 'sjis'))).toMatch(/^~a.b~ <.>~ .$/);
    expect(told(bytes, mysql)).toMatch(/^a.b <.> .$/);
  });

  test('of old servers may be riddles', () => {
    expect(told(utf8('$$a$$'), dialect('8.0.36'))).toBe('~<…>');
    expect(told(utf8('$$a$$'), dialect('5.7.44'))).toBe('$$a$$');
    expect(told(utf8('/*!080000 a*/'), dialect('8.0.36'))).toBe('~! a');
  });
});

describe('a server’s version', () => {
  test('is read as the server shows it', () => {
    expect(serverTraits('8.0.36-0ubuntu0.22.04.1', false).version).toBe(80_036);
    expect(serverTraits('5.7.mysql_aurora.2.11.1', false).version).toBe(21_101);
    expect(serverTraits('10.11.18-MariaDB-0+deb12u1', true)).toEqual({
      isMariadb: true,
      version: 101_118,
      foldsTableNames: true,
    });
    expect(serverTraits('5.5.5-10.6.1-MariaDB', false).version).toBe(100_601);
    expect(serverTraits('?', false).version).toBe(0);
  });
});
