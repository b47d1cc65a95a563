import { describe, expect, test } from 'bun:test';
import { mayMatter } from './prefilter.ts';

describe('the filter', () => {
  test.each([
    'UPDATE t SET a = 1 WHERE id = 100000',
    "update dbo.t set a = a + 1, b = N'x'",
    'UPDATE [t] SET [a] = 1',
    'SELECT id FROM t WHERE id = 1 AND x < 1.5 AND t1.a = 1.',
    '(SELECT 1)',
  ])('lets through %p', (text) => expect(mayMatter(text)).toBe(false));

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
  ])('stops %p', (text) => expect(mayMatter(text)).toBe(true));
});
