import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { latin1, utf8 } from '../../src/base/bytes.ts';
import { limits } from '../../src/base/limits.ts';
import { beginStreaming, Classifier, digestOf } from '../../src/engine/mysql/sql/classifier.ts';
import type { Dialect } from '../../src/engine/mysql/sql/dialect.ts';
import { dialectOf, serverTraits } from '../../src/engine/mysql/sql/dialect.ts';
import type { Effects } from '../../src/engine/mysql/sql/effects.ts';

const classifier = new Classifier();

const versions = ['9.7.4', '8.0.36', '5.7.44', '11.8.9-MariaDB', '10.11.18-MariaDB'];
const modes = ['', 'ANSI_QUOTES', 'NO_BACKSLASH_ESCAPES', 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES'];
const dialects = fc
  .tuple(
    fc.constantFrom(...versions),
    fc.constantFrom(...modes, 'ORACLE'),
    fc.constantFrom('utf8mb4', 'latin1', 'koi8r', 'gbk'),
  )
  .map(([version, mode, charset]) => dialectOf(serverTraits(version, false), mode, charset));
/** Those that can be read. */
const plainDialects = fc
  .tuple(fc.constantFrom(...versions), fc.constantFrom(...modes))
  .map(([version, mode]) => dialectOf(serverTraits(version, false), mode, 'utf8mb4'));

/** Pieces that meet in statements, and pieces that hide one in the other. */
const pieces = [
  'select |set |SET|session |global |x = 1|names |transaction |prepare p from |execute |immediate |',
  'create |drop |alter |temporary |table |t |rename |to |insert into |values |into |update |call p|',
  'get_lock|release_lock|release_all_locks|last_insert_id|row_count|found_rows|sql_calc_found_rows |',
  'lock |tables|unlock |handler |open|close|xa start |kill |query |connection_id|show |warnings|get |',
  'diagnostics |load data |local |begin|end|case |if |procedure |function |trigger |as |from |for |',
  'statement |commit |release|next |value |nextval|count|f|order by |limit |where |or |dual|use d|',
  `é|a|1|1e|1.5e|0x|$|?|x|n|b|_utf8|'|''|\\|"|\`|--|-- |#|/*|*/|/*!|/*!50000|/*!99999|/*M!|/*+|-|/|*|`,
  `(|)|,|;|.|=|:|:=|@|@@|&&| |\n|\r|\t|\0|\xa0`,
].flatMap((some) => some.split('|'));
const soup = fc
  .array(fc.constantFrom(...pieces), { maxLength: 24 })
  .map((some) => utf8(some.join('')));
const anything = fc.oneof(soup, fc.uint8Array({ maxLength: 64 }));
const cuts = fc.array(fc.nat(80), { maxLength: 4 });

function stream(bytes: Uint8Array, at: readonly number[], dialect: Dialect): Effects | undefined {
  const streaming = beginStreaming(dialect);
  let from = 0;
  for (const cut of at.toSorted((a, b) => a - b)) {
    const to = Math.max(from, Math.min(cut, bytes.length));
    streaming.feed(bytes, from, to);
    from = to;
  }
  streaming.feed(bytes, from, bytes.length);
  return streaming.finish();
}

function classify(bytes: Uint8Array, dialect: Dialect): Effects | undefined {
  return classifier.classify(bytes, 0, bytes.length, dialect);
}

test('cuts change nothing, and the prefilter lets nothing through that the lexer finds', () => {
  fc.assert(
    fc.property(anything, cuts, dialects, (bytes, at, dialect) => {
      const streamed = stream(bytes, at, dialect);
      expect(stream(bytes, [], dialect)).toEqual(streamed);
      const whole = classify(bytes, dialect);
      // What is a server's error may be told in any way: half a number, or dollars where they may not be quotes.
      const isError = /\.\d*e|\$/i.test(latin1(bytes)) && streamed?.isUnsure === true;
      if (whole === undefined && !isError) expect(streamed).toBeUndefined();
      // Of a text in pieces, texts within it are not looked into.
      if (/prepare|immediate/i.test(latin1(bytes))) return;
      if (whole !== undefined) expect(whole).toEqual(streamed as never);
    }),
    { numRuns: 10_000 },
  );
});

test('a literal, a name or a comment hides its words, and literals never reach the digest', () => {
  const content = soup.map((bytes) =>
    latin1(bytes).replaceAll(/['"`\\*/\r\n\0\u0080-\u00ff]/g, ''),
  );
  const hidden = content.chain((text) =>
    fc.constantFrom(
      `'${text}'`,
      `n'${text}'`,
      `'${text}''${text}'`,
      `a\`${text}\``,
      `/* ${text}*/1`,
      `1-- ${text}\n`,
      `1#${text}\n`,
      `1/*!999999 ${text}*/`,
    ),
  );
  fc.assert(
    fc.property(hidden, plainDialects, (text, dialect) => {
      expect(classify(utf8(`select ${text} from b`), dialect)).toBeUndefined();
      const locking = utf8(`lock table a write; select ${text} from b`);
      expect(digestOf(locking, 0, locking.length, dialect)).toMatch(
        /^lock table a write; select (\?|a ?(`[^`]*`|[\w.$]*)|1) from b$/,
      );
      expect(classify(locking, dialect)?.ties).toHaveLength(1);
    }),
    { numRuns: 5_000 },
  );
});

test('a statement that sets something is found behind whatever is complete', () => {
  const before = fc.constantFrom(
    '',
    ' ',
    '\n',
    '/* set */',
    '/*!999999 /* */ */',
    '-- a\n',
    '# a\n',
    "select 'a''';",
    'select `a;`;',
    "select x'1f', n';';",
    ';',
    '(select 1);',
    'create procedure p() begin select case 1 when 1 then 2 end; if 1 then select 1; end if; end;',
    'create table event (a int);',
    'select @a, @@b, 1.5e3, t.set;',
  );
  fc.assert(
    fc.property(fc.array(before, { maxLength: 6 }), soup, plainDialects, (some, rest, dialect) => {
      const text = `${some.join('')}${some.length > 0 ? ';' : ''}set x = 1;`;
      const bytes = Buffer.concat([utf8(text), rest]);
      const effects = classify(bytes, dialect);
      expect(effects?.sets).toContain('x');
      expect(Buffer.byteLength(effects?.digest ?? '')).toBeLessThanOrEqual(
        limits.statementDigestBytes.value,
      );
      if (rest.length > 0) return;
      expect(effects?.isUnsure).toBe(false);
    }),
    { numRuns: 5_000 },
  );
});

test('a mention in the open is found, wherever it stands', () => {
  const mentions = fc.constantFrom(
    "get_lock('a', 1)",
    'GET_LOCK/**/(1, 2)',
    '@a := 1',
    '@`a`',
    'last_insert_id()',
    'ROW_COUNT ( )',
    'found_rows()',
    '@@warning_count',
    'f(1)',
    'd.f(1)',
    '`f`(1)',
  );
  const around = fc.constantFrom(
    "'get_lock('",
    'a',
    't.`b`',
    '1.5e3',
    "/* ' */ 1",
    "1 -- '\n",
    '1 # `\n',
    "x'00'",
    'count(*)',
    '(1)',
    '"it\'s"',
  );
  fc.assert(
    fc.property(
      fc.array(around),
      mentions,
      fc.array(around),
      plainDialects,
      (a, it, b, dialect) => {
        // Of a name in quotes, the last one is a string, and the other way round.
        if (dialect.ansiQuotes && [...a, ...b].some((one) => one.startsWith('"'))) return;
        const bytes = utf8(`select ${[...a, it, ...b].join(', ')} from t`);
        expect(classify(bytes, dialect)).toBeDefined();
      },
    ),
    { numRuns: 5_000 },
  );
});
