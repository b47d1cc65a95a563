import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { UNSURE } from './effects.ts';
import type { Effects } from './effects.ts';
import { judge, LongJudge } from './judge.ts';

function judged(text: string, pieceLength: number): Effects | undefined {
  const long = new LongJudge();
  for (let at = 0; at < text.length; at += pieceLength) long.add(text.slice(at, at + pieceLength));
  return long.end();
}

const row = "(1, N'it''s a text with set, exec and #t', 0xFFAB, -1.5e3),\n";
const rows = row.repeat(2_000);
const long = 'x'.repeat(100_000);
const insert = `INSERT INTO t VALUES ${rows}(2, '', 0x, 0)`;

const statements = [
  insert,
  `INSERT INTO t VALUES (N'${long}')`,
  `INSERT INTO t VALUES (0x${'ab'.repeat(50_000)})`,
  `UPDATE t SET a = '${long}', b = 2`,
  `/* ${long} */`,
  `-- ${long}\n`,
  'SET NOCOUNT ON;',
  'SET LOCK_TIMEOUT 5',
  'SET IDENTITY_INSERT a.b ON',
  'USE other;',
  'CREATE TABLE #t (n int)',
  'DROP TABLE #t;',
  'SELECT 1 AS a INTO #u',
  'BEGIN TRANSACTION; COMMIT;',
  "EXEC sp_getapplock 'a', 'Exclusive', 'Session'",
  "EXEC ('SET LOCK_TIMEOUT 9')",
  "EXEC sp_set_session_context N'k', 1;",
  'IF @a = 1 SET ROWCOUNT 7',
  'DECLARE c CURSOR GLOBAL FOR SELECT 1;',
  'SELECT @@IDENTITY;',
  'SELECT "quoted", [in brackets]',
  `${' '.repeat(5_000)};`,
];

describe('a batch that comes in pieces', () => {
  test('does what it does as a whole', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...statements), { maxLength: 8 }),
        fc.integer({ min: 900, max: 40_000 }),
        (all, pieceLength) => {
          const text = all.join(' ');
          expect(judged(text, pieceLength)).toEqual(judge(text, 'batch'));
        },
      ),
      { numRuns: 60 },
    );
  });

  test.each([1, 2, 7])('of %d characters', (pieceLength) => {
    const text = statements.filter((one) => one.length < 1_000).join(' ');
    expect(judged(text, pieceLength)).toEqual(judge(text, 'batch'));
  });

  test('and is an INSERT leaves an identity and nothing else', () => {
    expect(judged(insert.repeat(20), 4_000)).toEqual({
      ...{ isUnsure: false, sets: [], uses: undefined, pins: [], ties: [], awsPins: [] },
      ...{ asksForPrevious: false, asksForIdentity: false, mayInsert: true },
      ...{ mayChangeTransaction: false, startsBulkLoad: false },
    });
  });

  test('and makes a procedure does nothing more', () => {
    const text = `CREATE PROCEDURE p AS ${'SET NOCOUNT ON; '.repeat(10_000)}`;
    expect(judged(text, 4_000)).toBeUndefined();
  });

  test('cannot be told from what it runs where that is too long', () => {
    expect(judged(`EXEC ('${long}')`, 4_000)).toBe(UNSURE);
    expect(judged(`EXEC sp_executesql N'${long}'`, 4_000)).toBe(UNSURE);
    expect(judged(`EXEC ('a'${"+ 'a'".repeat(1_000)})`, 100)).toBe(UNSURE);
    expect(judged('a'.repeat(1_000_000), 4_000)).toBe(UNSURE);
    expect(judged(`SELECT 1 -- a\rSELECT 2${long}`, 4_000)).toBe(UNSURE);
  });

  test('of any characters is told of', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 2_000 }), (text) => {
        const whole = judge(text, 'batch');
        expect([whole, UNSURE]).toContainEqual(judged(text, 50));
      }),
    );
  });
});
