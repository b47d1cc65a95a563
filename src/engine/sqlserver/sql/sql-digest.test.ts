import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { limits } from '../../../base/limits.ts';
import { digestOf } from './sql-digest.ts';

describe('a digest', () => {
  test.each([
    [
      "SELECT  a, 'x', N'y', 1.5, 0xFF\n\tFROM [dbo].[T] -- comment",
      'select a, ?, ?, ?, ? from [dbo].[T]',
    ],
    ['SELECT/* x */1', 'select ?'],
    ["EXEC sp_setapprole 'r', secret", 'exec sp_setapprole ?, ?'],
    [
      'EXEC dbo.p @a = word, @b = @c OUTPUT, @d = NULL',
      'exec dbo.p @a = ?, @b = @c output, @d = null',
    ],
    ['EXEC @r = [a].p 1 SELECT 2', 'exec @r = [a].p ? select ?'],
    ['sp_who active', 'sp_who ?'],
    ["EXEC ('select 1')", 'exec (?)'],
    ["CREATE LOGIN a WITH PASSWORD = 'x'", 'create login a with password = ?'],
    ['SET LANGUAGE Deutsch', 'set language ?'],
    ['SET CONTEXT_INFO 0x01', 'set context_info ?'],
    ['SELECT a."B", "text" FROM #t WHERE @X = @@SPID', 'select a."B", ? from #t where @x = @@spid'],
    ['SELECT [a]]b]', 'select [a]]b]'],
    ['', ''],
  ])('of %j', (text, digest) => {
    expect(digestOf(text)).toBe(digest);
  });

  test('is short', () => {
    const digest = digestOf('select '.repeat(100_000));
    expect(Buffer.byteLength(digest)).toBeLessThanOrEqual(limits.statementDigestBytes.value);
    expect(digest).toEndWith('…');
    expect(digestOf(`select '${'x'.repeat(100_000)}'`)).toBe('select ?…');
  });

  test('GX-11: shows no text, wherever it stands', () => {
    fc.assert(
      fc.property(
        fc.string(),
        fc.constantFrom('select ', 'exec p ', 'set x = ', "a'b' "),
        (text, before) => {
          const secret = `s3cr3t${text}`.replaceAll("'", "''");
          expect(digestOf(`${before}'${secret}' c`)).not.toContain('s3cr3t');
        },
      ),
    );
  });
});
