import { describe } from 'bun:test';
import { TYPES } from 'tedious';
import { isolationLevel } from '../../../src/wire/tds/transaction-manager.ts';
import { describeTwins } from './twins.ts';

describe('what a session keeps', () => {
  describeTwins({
    'prepared statements': {
      async script(one) {
        const sum = await one.prepare('SELECT @a + @b AS c', ['a', TYPES.Int], ['b', TYPES.Int]);
        const text = await one.prepare('SELECT @t AS t, LEN(@t) AS n', ['t', TYPES.NVarChar]);
        for (const n of [1, 2, 3]) {
          await one.execute(sum, { a: n, b: 40 });
          await one.execute(text, { t: 'ü'.repeat(n * 100) });
          await one.batch('SELECT 1 AS a');
        }
        await one.unprepare(sum);
        await one.execute(text, { t: null });
        await one.unprepare(text);
        await one.prepare('SELECT FROM WHERE');
        await one.batch('SELECT 1 AS a');
      },
    },
    'prepared statements, in transactions and after errors': {
      async script(one) {
        const table = one.name('t');
        await one.batch(`CREATE TABLE ${table} (id int PRIMARY KEY)`);
        const insert = await one.prepare(`INSERT INTO ${table} VALUES (@id)`, ['id', TYPES.Int]);
        const count = await one.prepare(`SELECT COUNT(*) AS n FROM ${table}`);
        await one.begin();
        await one.execute(insert, { id: 1 });
        await one.execute(count);
        await one.rollback();
        await one.execute(count);
        await one.execute(insert, { id: 2 });
        await one.execute(insert, { id: 2 });
        await one.execute(insert, { id: 3 });
        await one.execute(count);
        await one.unprepare(insert);
        await one.unprepare(count);
        await one.batch(`DROP TABLE ${table}`);
      },
    },
    'SET options': {
      async script(one) {
        const asked =
          'SELECT @@LOCK_TIMEOUT AS a, @@DATEFIRST AS b, @@LANGUAGE AS c, @@OPTIONS AS d';
        await one.batches(
          asked,
          'SET LOCK_TIMEOUT 4321',
          'SET DATEFIRST 3; SET TEXTSIZE 5000',
          'SELECT @@TEXTSIZE AS t',
          asked,
          'SET NOCOUNT ON',
          asked,
          'SET NOCOUNT OFF; SET ARITHABORT OFF; SET ANSI_WARNINGS OFF',
          asked,
          'DECLARE @n int; SET @n = 77; SET LOCK_TIMEOUT @n',
          asked,
          'IF 1 = 1 SET LOCK_TIMEOUT 88',
          asked,
          'SET LOCK_TIMEOUT 99; SELECT * FROM sluice_nowhere',
          asked,
          "EXEC ('SET LOCK_TIMEOUT 111; SELECT @@LOCK_TIMEOUT AS a')",
          asked,
          'SET ROWCOUNT 1',
          'SELECT 1 AS a UNION ALL SELECT 2',
          'SET ROWCOUNT 0',
        );
        await one.sql('SET LOCK_TIMEOUT 222; SELECT @@LOCK_TIMEOUT AS a');
        await one.batches(asked, 'SET CONTEXT_INFO 0x0102', 'SELECT CONTEXT_INFO() AS i');
      },
    },
    'languages and date formats': {
      async script(one) {
        await one.batches(
          'SET LANGUAGE German',
          'SELECT @@LANGUAGE AS a, @@DATEFIRST AS b',
          'SET LANGUAGE us_english',
          'SET DATEFORMAT dmy',
          "SELECT CAST('03/04/2026' AS datetime) AS d",
          'SET DATEFORMAT mdy',
          "SELECT CAST('03/04/2026' AS datetime) AS d",
        );
      },
    },
    'its database': {
      async script(one) {
        const { database } = one.connection.config.options;
        await one.batches(
          'SELECT DB_NAME() AS d',
          'USE tempdb',
          'SELECT DB_NAME() AS d',
          'USE sluice_nowhere',
          'SELECT DB_NAME() AS d',
          `USE ${database}`,
          'SELECT DB_NAME() AS d',
        );
      },
    },
    'temporary tables': {
      pins: ['temporaryObject'],
      async script(one) {
        await one.batches(
          "CREATE TABLE #t (id int, name nvarchar(20)); INSERT INTO #t VALUES (1, N'a')",
          'SELECT * FROM #t',
          "INSERT INTO #t VALUES (2, N'b')",
        );
        await one.sql('SELECT name FROM #t WHERE id = @id', ['id', TYPES.Int, 2]);
        await one.batches('DROP TABLE #t', 'SELECT * FROM #t', 'SELECT 3 AS a INTO #u');
        await one.batches('SELECT * FROM #u', 'DROP TABLE #u');
        await one.sql('CREATE TABLE #v (id int); INSERT INTO #v VALUES (1); SELECT * FROM #v');
        await one.batch('SELECT * FROM #v');
      },
    },
    'cursors by SQL': {
      pins: ['cursor'],
      mayPin: true, // Babelfish has no global ones
      async script(one) {
        await one.batches(
          'DECLARE c CURSOR GLOBAL FOR SELECT 1 AS a UNION ALL SELECT 2',
          ...['OPEN c', 'FETCH NEXT FROM c', 'FETCH NEXT FROM c', 'FETCH NEXT FROM c'],
          ...['SELECT @@FETCH_STATUS AS s', 'CLOSE c', 'DEALLOCATE c', 'FETCH NEXT FROM c'],
        );
      },
    },
    'nothing, after a reset': {
      async script(one) {
        const asked = 'SELECT @@LOCK_TIMEOUT AS a, @@DATEFIRST AS b, DB_NAME() AS c';
        const first = await one.prepare('SELECT @a AS a', ['a', TYPES.Int]);
        await one.batches('SET LOCK_TIMEOUT 5; SET DATEFIRST 2', asked);
        await one.execute(first, { a: 1 });
        await one.reset();
        await one.batch(asked);
        await one.batch('CREATE TABLE #gone (id int)');
        await one.reset();
        await one.batch('SELECT * FROM #gone');
      },
      pins: ['temporaryObject'],
    },
    'isolation levels of transactions before': {
      // Its sessions do not always find themselves in that view.
      unless: 'Babelfish',
      async script(one) {
        const level =
          'SELECT transaction_isolation_level AS l FROM sys.dm_exec_sessions WHERE session_id = @@SPID';
        await one.batch(level);
        await one.begin(isolationLevel.serializable);
        await one.batch(level);
        await one.commit();
        await one.batch(level);
        await one.batches('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ', level);
        await one.begin(isolationLevel.readCommitted);
        await one.rollback();
        await one.batch(level);
      },
    },
  });
});
