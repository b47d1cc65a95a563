import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { BareClient, parameter } from './client.ts';
import type { TdsServer } from './server.ts';
import { startTdsServer } from './server.ts';
import { parseBatch } from './sql/statements.ts';
import { SqlError } from './types/errors.ts';

let server: TdsServer;
let client: BareClient;
beforeAll(async () => {
  server = await startTdsServer({ encrypt: 'none' });
  client = await BareClient.logIn(server.port);
});
afterEach(() => {
  expect(server.offences).toEqual([]);
  expect(server.failures).toEqual([]);
});
afterAll(() => server.stop());

const shown = async (sql: string): Promise<unknown> =>
  (await client.rows(sql)).map((row) =>
    row.map((value) => (value === null ? null : String(value))),
  );

describe('expressions', () => {
  test.each([
    ['7 / 2, 7 % 4, -7 / 2, 7.0 / 2', '3,3,-3,3.500000'],
    ["'a' + N'b', CONCAT('a', NULL, 1), 'a' + CAST(1 AS varchar(5))", 'ab,a1,a1'],
    ["CASE 2 WHEN 1 THEN 'a' WHEN 2 THEN 'b' END, IIF(1 = 2, 'x', 'y')", 'b,y'],
    ["CAST('2020-02-30' AS varchar(20)), TRY_CAST('x' AS int), ISNULL(NULL, 5)", '2020-02-30,,5'],
    [
      "LEN('ab  '), DATALENGTH(N'ab'), CHARINDEX('b', 'abc'), SUBSTRING('abcdef', 2, 3)",
      '2,4,2,bcd',
    ],
    [
      "CONVERT(varchar(10), CAST('2020-01-02T03:04:05' AS datetime), 120), YEAR('2020-01-02')",
      '2020-01-02,2020',
    ],
    [
      "DATEADD(month, 1, CAST('2020-01-31' AS date)), DATEDIFF(day, '2020-01-01', '2020-03-01')",
      '2020-02-29 00:00:00.0000000,60',
    ],
    ['CAST(1.005 AS decimal(10, 2)), ROUND(2.567, 1), CAST(1.5 AS int)', '1.01,2.600,1'],
    [
      "COALESCE(NULL, 'x'), NULLIF(1, 1), STUFF('abc', 2, 1, 'x'), REPLACE('aXa', 'x', 'y')",
      'x,,axc,aya',
    ],
    ['CAST(9223372036854775807 AS bigint), 0x0102, 1e3', '9223372036854775807,1,2,1000'],
  ])('%s', async (sql, expected) => {
    expect(
      String(
        (await client.rows(`SELECT ${sql}`))[0]?.map((value) =>
          value === null ? '' : String(value),
        ),
      ),
    ).toBe(expected);
  });

  test.each([
    ['SELECT 1 / 0', 8134],
    ["SELECT CAST('x' AS int)", 245],
    ['SELECT 2147483647 + 1', 8115],
    ['SELECT @nope', 137],
    ['SELECT nope', 207],
    ['SELECT FROM', 102],
    ["SELECT 'open", 105],
    ['SELECT NOSUCH(1)', 195],
    ['EXEC nope', 2812],
    ['SELECT (SELECT 1 UNION ALL SELECT 2)', 512],
  ])('%s is refused', async (sql, number) => {
    expect((await client.batch(sql)).errors[0]?.number).toBe(number);
  });
});

describe('tables', () => {
  beforeAll(async () => {
    await client.batch(`
      CREATE TABLE kind (id int IDENTITY(10, 5) PRIMARY KEY, name nvarchar(20) NOT NULL UNIQUE);
      CREATE TABLE item (id int IDENTITY PRIMARY KEY, kind int REFERENCES kind (id), price decimal(8, 2) DEFAULT 1.5, at datetime2 DEFAULT SYSDATETIME(), ok bit NULL);
      INSERT kind (name) VALUES (N'a'), (N'b'), (N'c');
      INSERT item (kind, price) VALUES (10, 1), (10, 2.25), (15, 4)`);
  });

  test('joins, groups, orders and pages', async () => {
    expect(
      await shown(
        'SELECT k.name, COUNT(i.id) AS n, SUM(i.price) AS s FROM kind k LEFT JOIN item AS i ON i.kind = k.id GROUP BY k.name HAVING COUNT(*) > 0 ORDER BY n DESC, k.name',
      ),
    ).toEqual([
      ['a', '2', '3.25'],
      ['b', '1', '4.00'],
      ['c', '0', null],
    ]);
    expect(await shown('SELECT TOP (1) WITH TIES id FROM item ORDER BY id DESC')).toEqual([['3']]);
    expect(
      await shown('SELECT id FROM item ORDER BY id OFFSET 1 ROWS FETCH NEXT 1 ROWS ONLY'),
    ).toEqual([['2']]);
    expect(
      await shown(
        'SELECT id, ROW_NUMBER() OVER (PARTITION BY kind ORDER BY id DESC) AS r FROM item ORDER BY id',
      ),
    ).toEqual([
      ['1', '2'],
      ['2', '1'],
      ['3', '1'],
    ]);
    expect(
      await shown(
        "WITH c AS (SELECT id FROM kind WHERE name LIKE N'[ab]') SELECT name FROM kind WHERE id IN (SELECT id FROM c) AND EXISTS (SELECT * FROM item WHERE item.kind = kind.id)",
      ),
    ).toEqual([['a'], ['b']]);
    expect(await shown('SELECT 1 AS x UNION SELECT 1 UNION ALL SELECT 2 ORDER BY x DESC')).toEqual([
      ['2'],
      ['1'],
    ]);
    expect(await shown('SELECT DISTINCT kind FROM item')).toEqual([['10'], ['15']]);
  });

  test('identities, OUTPUT and counts', async () => {
    const answer = await client.batch(
      'INSERT INTO item (kind) OUTPUT INSERTED.id, INSERTED.price VALUES (20), (20); SELECT @@ROWCOUNT, SCOPE_IDENTITY(), @@IDENTITY',
    );
    expect(answer.sets[0]).toMatchObject({ columns: ['id', 'price'] });
    expect(answer.sets[1]?.rows.map((row) => row.map(String))).toEqual([['2', '5', '5']]);
    expect(answer.dones).toMatchObject([
      { command: 0xc3, count: 2 },
      { command: 0xc1, count: 1 },
    ]);
    expect(
      await shown(
        'UPDATE item SET price += 1, ok = 1 OUTPUT DELETED.price, INSERTED.price WHERE kind = 20 AND id = 4',
      ),
    ).toEqual([['1.50', '2.50']]);
    expect((await client.batch('DELETE FROM item WHERE kind = 20')).dones).toMatchObject([
      { command: 0xc4, count: 2 },
    ]);
    expect((await client.batch('INSERT item (id) VALUES (1)')).errors[0]?.number).toBe(544);
    await client.batch(
      'SET IDENTITY_INSERT item ON; INSERT item (id, kind) VALUES (50, 10); SET IDENTITY_INSERT item OFF; DELETE item WHERE id = 50',
    );
  });

  test('constraints', async () => {
    expect((await client.batch("INSERT kind (name) VALUES (N'A')")).errors[0]).toMatchObject({
      number: 2627,
      severity: 14,
    });
    expect((await client.batch('INSERT item (kind) VALUES (99)')).errors[0]?.number).toBe(547);
    expect((await client.batch('DELETE kind WHERE id = 10')).errors[0]?.number).toBe(547);
    expect((await client.batch('INSERT kind (name) VALUES (NULL)')).errors[0]?.number).toBe(515);
    expect(
      (await client.batch("INSERT kind (name) VALUES (N'123456789012345678901')")).errors[0]
        ?.number,
    ).toBe(2628);
    expect(await client.value('SELECT COUNT(*) FROM kind')).toBe(3);
  });

  test('MERGE', async () => {
    expect(
      await shown(
        "MERGE INTO kind WITH (HOLDLOCK) AS t USING (VALUES (N'a'), (N'd')) AS s (name) ON t.name = s.name WHEN MATCHED THEN UPDATE SET name = UPPER(t.name) WHEN NOT MATCHED THEN INSERT (name) VALUES (s.name) OUTPUT $action, INSERTED.name;",
      ),
    ).toEqual([
      ['UPDATE', 'A'],
      ['INSERT', 'd'],
    ]);
    await client.batch("DELETE kind WHERE name = N'd'");
  });

  test('TD-25: a temporary table lives in its batch’s session, or in its sp_executesql', async () => {
    await client.batch('CREATE TABLE #mine (i int); INSERT #mine VALUES (1)');
    expect(
      await client.value("SELECT COUNT(*) FROM #mine WHERE OBJECT_ID('tempdb..#mine') IS NOT NULL"),
    ).toBe(1);
    await client.call(10, [
      parameter(
        'CREATE TABLE #inner (i int); INSERT #inner SELECT i FROM #mine; SELECT * FROM #inner',
      ),
    ]);
    expect(await client.value("SELECT OBJECT_ID('tempdb..#inner')")).toBeNull();
    const other = await BareClient.logIn(server.port);
    expect((await other.batch('SELECT * FROM #mine')).errors[0]?.number).toBe(208);
    await client.batch('SELECT 5 AS v INTO ##all');
    expect(await other.value('SELECT v FROM ##all')).toBe(5);
    await client.batch('DROP TABLE #mine; DROP TABLE ##all');
    other.close();
  });

  test('definitions are rolled back, too', async () => {
    await client.batch(
      'BEGIN TRAN; CREATE TABLE later (i int); ALTER TABLE kind ADD extra int NULL; ROLLBACK',
    );
    expect(await client.value("SELECT OBJECT_ID('later')")).toBeNull();
    expect(
      await client.value(
        "SELECT COUNT(*) FROM INFORMATION_SCHEMA.COLUMNS WHERE TABLE_NAME = 'kind'",
      ),
    ).toBe(2);
  });

  test('a bulk load', async () => {
    await client.batch('CREATE TABLE loaded (a int NOT NULL, b nvarchar(10))');
    expect(
      (await client.batch('INSERT BULK loaded ([a] int, [b] nvarchar(10)) WITH (TABLOCK)')).errors,
    ).toEqual([]);
    const column = (type: string, name: string): Buffer =>
      Buffer.concat([
        Buffer.from('000000000800', 'hex'),
        Buffer.from(type, 'hex'),
        Buffer.from([name.length]),
        Buffer.from(name, 'utf16le'),
      ]);
    client.send(
      7,
      Buffer.concat([
        ...[Buffer.from('810200', 'hex'), column('2604', 'a'), column('e714000904d00034', 'b')],
        ...[
          Buffer.from('d104070000000200', 'hex'),
          Buffer.from('x', 'utf16le'),
          Buffer.from('d10408000000ffff', 'hex'),
        ],
        Buffer.from('fd000000000000000000000000', 'hex'),
      ]),
    );
    expect((await client.answer()).dones).toMatchObject([{ status: 0x10, count: 2 }]);
    expect(await client.rows('SELECT a, b FROM loaded')).toEqual([
      [7, 'x'],
      [8, null],
    ]);
  });
});

describe('procedures and cursors', () => {
  test('one of the database’s own: results, output parameters and status', async () => {
    await client.batch(
      "CREATE PROCEDURE p_out @a int, @b int OUTPUT, @c nvarchar(10) = N'none' AS BEGIN SET @b = @a * 2; SELECT @a AS a, @c AS c; RETURN 7; END",
    );
    const answer = await client.call('p_out', [
      parameter(21, { name: '@a' }),
      parameter(null, { name: '@b', isOutput: true }),
    ]);
    expect(answer.sets).toMatchObject([{ columns: ['a', 'c'], rows: [[21, 'none']] }]);
    expect([answer.returnStatus, answer.returnValues]).toEqual([7, [{ name: '@b', value: 42 }]]);
    expect(answer.tokens.slice(-4)).toEqual([0xff, 0x79, 0xac, 0xfe]);
    const batch = await client.batch(
      "DECLARE @x int, @r int; EXEC @r = p_out 3, @x OUTPUT, @c = N'c'; SELECT @x, @r",
    );
    expect(batch.sets.at(-1)?.rows).toEqual([[6, 7]]);
    expect((await client.call('p_out', [])).errors[0]?.number).toBe(201);
    expect((await client.call('p_out', [parameter(1, { name: '@zz' })])).errors[0]?.number).toBe(
      8145,
    );
  });

  test('several statements, DECLARE, IF and WHILE', async () => {
    expect(
      await client.value(
        "DECLARE @i int = 0, @s nvarchar(50) = N''; WHILE @i < 5 BEGIN SET @i += 1; IF @i = 2 CONTINUE; IF @i > 3 BREAK ELSE SET @s = @s + CAST(@i AS nvarchar(5)); END; SELECT @s",
      ),
    ).toBe('13');
    expect((await client.batch('DECLARE @x int')).dones).toEqual([
      { token: 0xfd, status: 0, command: 0, count: 0 },
    ]);
  });

  test('TD-26: a global cursor outlives its batch', async () => {
    await client.batch('DECLARE c CURSOR GLOBAL FOR SELECT value FROM sluice_series(3); OPEN c');
    expect(
      await client.value(
        'DECLARE @x int; FETCH NEXT FROM c INTO @x; FETCH NEXT FROM c INTO @x; SELECT @x',
      ),
    ).toBe(2);
    expect(await client.value('SELECT COUNT(*) FROM sys.dm_exec_cursors(@@SPID)')).toBe(1);
    expect((await client.batch('DECLARE c CURSOR FOR SELECT 1')).errors[0]?.number).toBe(16_915);
    await client.batch('CLOSE c; DEALLOCATE c');
    expect((await client.batch('FETCH c')).errors[0]?.number).toBe(16_916);
  });

  test('an API cursor is opened, fetched and closed', async () => {
    const opened = await client.call(2, [
      parameter(0, { isOutput: true }),
      parameter('SELECT value FROM sluice_series(5)'),
      parameter(4, { isOutput: true }),
      parameter(1, { isOutput: true }),
      parameter(0, { isOutput: true }),
    ]);
    const handle = Number(opened.returnValues[0]?.value);
    expect(opened.returnValues.at(-1)?.value).toBe(5);
    const fetched = await client.call(7, [
      parameter(handle),
      parameter(2),
      parameter(0),
      parameter(2),
    ]);
    expect(fetched.sets[0]?.rows).toEqual([[1], [2]]);
    expect((await client.call(9, [parameter(handle)])).returnStatus).toBe(0);
    expect((await client.call(7, [parameter(handle), parameter(2)])).errors[0]?.number).toBe(
      16_909,
    );
  });

  test('a prepared call gives its handle with its rows', async () => {
    const answer = await client.call(13, [
      parameter(null, { isOutput: true }),
      parameter('@a int'),
      parameter('SELECT @a + 1 AS n'),
      parameter(4),
    ]);
    expect(answer.sets[0]?.rows).toEqual([[5]]);
    const handle = Number(answer.returnValues[0]?.value);
    expect((await client.call(12, [parameter(handle), parameter(9)])).sets[0]?.rows).toEqual([
      [10],
    ]);
    expect((await client.call(15, [parameter(handle)])).errors).toEqual([]);
    expect((await client.call(15, [parameter(handle)])).errors[0]?.number).toBe(8179);
  });
});

test('any text is parsed or refused', () => {
  const words = fc.constantFrom(
    ...'SELECT FROM WHERE INSERT INTO VALUES ( ) , ; = @x 1 N\'a\' "b" [c] * BEGIN END TRY CATCH IF ELSE DECLARE int SET ON EXEC AS WITH CASE WHEN THEN . OUTPUT TABLE CREATE'.split(
      ' ',
    ),
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(words).map((all) => all.join(' ')),
      ),
      (text) => {
        try {
          parseBatch(text, true);
        } catch (error) {
          expect(error).toBeInstanceOf(SqlError);
        }
      },
    ),
  );
});
