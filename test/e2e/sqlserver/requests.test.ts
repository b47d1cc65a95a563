import { describe } from 'bun:test';
import { TYPES } from 'tedious';
import { describeTwins } from './twins.ts';

const long = 'long '.repeat(8_000);

describe('requests', () => {
  describeTwins({
    batches: {
      async script(one) {
        await one.batches(
          "SELECT 1 AS a, N'zwei ünd 三' AS b, NULL AS c",
          'SELECT 1 AS a; SELECT 2 AS b; SELECT 3 AS c WHERE 1 = 0',
          "PRINT 'printed'; SELECT 1 AS a; PRINT 'again'",
          '',
          '   ',
          '-- nothing',
          'DECLARE @a int; SET @a = 41; SELECT @a + 1 AS a',
          `SELECT '${long}' AS text`,
        );
      },
    },
    'changes of rows': {
      async script(one) {
        const table = one.name('t');
        await one.batches(
          `CREATE TABLE ${table} (id int IDENTITY PRIMARY KEY, name nvarchar(50), credit decimal(10, 2) DEFAULT 0)`,
          `INSERT INTO ${table} (name) VALUES (N'Ada'), (N'Grace'), (N'Barbara')`,
          `INSERT INTO ${table} (name, credit) OUTPUT inserted.id VALUES (N'Edsger', 10.25)`,
          `UPDATE ${table} SET credit = credit + 1 WHERE id > 2`,
          `SELECT * FROM ${table} ORDER BY id`,
          `SELECT name FROM ${table} ORDER BY id OFFSET 1 ROWS FETCH NEXT 2 ROWS ONLY`,
          `DELETE FROM ${table} WHERE id < 3`,
          `SELECT COUNT(*) AS n, SUM(credit) AS total FROM ${table}`,
          `SET NOCOUNT ON; UPDATE ${table} SET credit = 0; SELECT @@ROWCOUNT AS n; SET NOCOUNT OFF`,
          `TRUNCATE TABLE ${table}`,
          `DROP TABLE ${table}`,
        );
      },
    },
    sp_executesql: {
      async script(one) {
        await one.sql('SELECT @a + 1 AS a', ['a', TYPES.Int, 41]);
        await one.sql(
          'SELECT @a AS a; SELECT @b AS b',
          ['a', TYPES.Int, 1],
          ['b', TYPES.NVarChar, 'ü'],
        );
        await one.sql(
          "SET @out = @a * 2; SET @text = N'twice'",
          ['a', TYPES.Int, 21],
          ['out', TYPES.Int, undefined, { output: true }],
          ['text', TYPES.NVarChar, undefined, { output: true, length: 50 }],
        );
        await one.sql('SELECT LEN(@a) AS n', ['a', TYPES.NVarChar, long]);
        await one.sql('SELECT 1 AS a');
      },
    },
    'procedures, with output parameters and a status': {
      async script(one) {
        const procedure = one.name('p');
        await one.batch(
          `CREATE PROCEDURE ${procedure} @a int, @b int OUTPUT, @text nvarchar(50) OUTPUT AS
           BEGIN
             SELECT @a AS a;
             SET @b = @a * 2;
             SET @text = N'twice';
             RETURN 7;
           END`,
        );
        await one.call(
          procedure,
          ['a', TYPES.Int, 21],
          ['b', TYPES.Int, undefined, { output: true }],
          ['text', TYPES.NVarChar, undefined, { output: true, length: 50 }],
        );
        await one.batch(
          `DECLARE @b int, @text nvarchar(50), @status int;
           EXEC @status = ${procedure} 4, @b OUTPUT, @text OUTPUT;
           SELECT @b AS b, @text AS text, @status AS status`,
        );
        await one.call(procedure);
        await one.call(one.name('missing'));
        await one.batch(`DROP PROCEDURE ${procedure}`);
        await one.call(procedure, ['a', TYPES.Int, 1]);
      },
    },
    'errors, each with a good request behind it': {
      async script(one) {
        const table = one.name('t');
        await one.batch(`CREATE TABLE ${table} (id int PRIMARY KEY)`);
        const failing = [
          'SELECT * FROM sluice_nowhere',
          'SELECT nothing',
          'SELEC 1',
          `SELECT 1 AS a; INSERT INTO ${table} VALUES (1), (1); SELECT 2 AS b`,
          `RAISERROR('raised %d', 16, 3, 7)`,
          "RAISERROR('no error', 5, 1)",
          "THROW 50001, 'thrown', 1",
          'SELECT 1 / 0',
          "SELECT CAST('x' AS int)",
          'USE sluice_nowhere',
          'EXEC sluice_nowhere',
        ];
        for (const sql of failing) {
          await one.batch(sql);
          await one.batch(`SELECT COUNT(*) AS n FROM ${table}`);
          await one.sql(sql);
          await one.sql('SELECT @a AS a', ['a', TYPES.Int, 1]);
        }
        await one.batch(`DROP TABLE ${table}`);
      },
    },
    'large results and large parameters': {
      async script(one) {
        await one.batch("SELECT REPLICATE(CAST(N'ü' AS nvarchar(max)), 300000) AS text");
        await one.sql(
          'SELECT @text AS text, DATALENGTH(@bytes) AS n',
          ['text', TYPES.NVarChar, long.repeat(3)],
          ['bytes', TYPES.VarBinary, Buffer.alloc(600_000, 7)],
        );
        const ten = '(VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9))';
        await one.batch(
          `SELECT a.n + 10 * b.n + 100 * c.n AS n, N'row' AS text
           FROM ${ten} AS a (n) CROSS JOIN ${ten} AS b (n) CROSS JOIN ${ten} AS c (n)
           ORDER BY 1`,
        );
      },
    },
    'identities, asked for in another batch': {
      async script(one) {
        const table = one.name('t');
        await one.batches(
          // From here on it is known that these clients ask for it, and they have their connection to themselves for a moment.
          'SELECT @@IDENTITY AS id WHERE 1 = 0',
          `CREATE TABLE ${table} (id int IDENTITY(100, 5), name nvarchar(50))`,
          `INSERT INTO ${table} (name) VALUES (N'a'), (N'b')`,
          'SELECT @@IDENTITY AS id',
          `INSERT INTO ${table} (name) VALUES (N'c')`,
          'SELECT SCOPE_IDENTITY() AS id',
          `DROP TABLE ${table}`,
        );
      },
    },
  });
});
