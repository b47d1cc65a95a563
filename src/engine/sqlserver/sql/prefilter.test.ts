import { describe, expect, test } from 'bun:test';
import { utf16 } from '../../../base/bytes.ts';
import { glance } from './prefilter.ts';

function seen(text: string): string {
  const bytes = utf16(`??${text}??`);
  return glance(bytes, 4, bytes.length - 4);
}

describe('the filter', () => {
  test.each([
    'UPDATE t SET a = 1 WHERE id = 100000',
    "update dbo.t set a = a + 1, b = N'x'",
    'UPDATE [t] SET [a] = 1',
    'SELECT id FROM t WHERE id = 1 AND x < 1.5 AND t1.a = 1.',
    '(SELECT 1)',
  ])('lets through %p', (text) => expect(seen(text)).toBe('nothing'));

  test.each([
    'UPDATE t SET a = 1 SET NOCOUNT ON',
    'UPDATE STATISTICS t SET ROWCOUNT 5',
    'UPDATE /* x */ STATISTICS t SET ROWCOUNT 5',
    'UPDATE [statistics] SET a = 1',
    'UPDATE #t SET a = 1',
    'UPDATE t SET ROWCOUNT 5',
    'UPDATE t /* SET a = 1 */ SET a = 1 SET ROWCOUNT 5',
    'SELECT 1 SET NOCOUNT ON',
    'SELECT 1 WHERE 1 = 1set nocount on',
    'SELECT 1.eset nocount on',
    'proc_of_mine 1',
    'WITH x AS (SELECT 1 AS a) UPDATE x SET a = 2',
    'selects 1',
  ])('stops %p', (text) => expect(seen(text)).toBe('anything'));

  test.each([
    "INSERT INTO t (a, b) VALUES (1, N'x'), (2, 'y')",
    ' insert\n\tinto [dbo].[t] select a from u',
    'INSERT INTO t DEFAULT VALUES',
  ])('tells %p from what would have to be read', (text) => expect(seen(text)).toBe('inserts'));

  test.each([
    'INSERT t VALUES (1)',
    'INSERT BULK t (a int)',
    'INSERT/**/INTO t VALUES (1)',
    'INSERT\r\nINTO t VALUES (1)',
    'INSERT INTOé t VALUES (1)',
    'INSERT INTO1 VALUES (1)',
    'INSERT INTO #t VALUES (1)',
    'INSERT INTO [#t] VALUES (1)',
    'INSERT INTO t EXEC p',
    'INSERT INTO t VALUES (1) SET NOCOUNT ON',
    'INSERT INTO t VALUES (1) UPDATE t SET a = 1',
    'INSERT INTO t VALUES (1); INSERT INTO t VALUES (2)',
    'INSERT INTO t VALUES (1); SELECT SCOPE_IDENTITY()',
    'INSERT',
  ])('does not tell %p from others', (text) => expect(seen(text)).toBe('anything'));

  test('of half a character at the end nothing is seen', () => {
    const bytes = utf16('SELECT 1 SET');
    expect(glance(bytes, 0, bytes.length - 1)).toBe('nothing');
    expect(glance(bytes, 0, bytes.length)).toBe('anything');
  });
});
