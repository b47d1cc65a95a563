import { describe, expect, test } from 'bun:test';
import { classify, mysql, stream } from '../../../../test/support/mysql-effects.ts';
import { utf8 } from '../../../base/bytes.ts';
import { limits } from '../../../base/limits.ts';
import { digestOf } from './classifier.ts';
import { dialectOf, serverTraits } from './dialect.ts';

describe('digests', () => {
  const digests: readonly (readonly [sql: string, digest: string])[] = [
    ["SET  SQL_MODE\n=\t'a',b = on", 'set sql_mode = ?,b = ?'],
    ['SET SESSION x = on; SET @a := 1', 'set session x = ?; set @a := ?'],
    ['SELECT GET_LOCK("a", 10)', 'select get_lock(?, ?)'],
    [
      "select row_count(), -1.5e3, 0xfe, ?, 'x\\'y', x'ff', _utf8'z'",
      'select row_count(), -?, ?, ?, ?, ?, _utf8?',
    ],
    ['/* secret */ DROP -- secret\n TABLE a', 'drop table a'],
    ['SET @`größe` = 1', 'set @`größe` = ?'],
    ['DROP TABLE `a`.`b c`', 'drop table a.`b c`'],
  ];
  for (const [sql, digest] of digests) {
    test(digest, () => {
      expect(classify(sql)?.digest).toBe(digest);
      expect(stream(sql, 1, mysql)?.digest).toBe(digest);
      const bytes = utf8(sql);
      expect(digestOf(bytes, 0, bytes.length, mysql)).toBe(digest);
    });
  }

  test('end where the text cannot be read for sure', () => {
    const bytes = Buffer.from("SELECT 1, '\x81' , 'secret', '", 'latin1');
    const gbk = dialectOf(serverTraits('9.7.4', false), '', 'gbk');
    expect(digestOf(bytes, 0, bytes.length, gbk)).toBe('select ?,…');
  });

  test('are never longer than their limit', () => {
    const digest =
      classify(`SET @a = 1; select ${"größe, 'secret', ".repeat(1_000)} 1`)?.digest ?? '';
    expect(Buffer.byteLength(digest)).toBeLessThanOrEqual(limits.statementDigestBytes.value);
    expect(Buffer.byteLength(digest)).toBeGreaterThan(limits.statementDigestBytes.value - 70);
    expect(digest).toEndWith('…');
    expect(digest).not.toContain('secret');
  });
});
