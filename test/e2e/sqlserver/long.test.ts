import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { TYPES } from 'tedious';
import { eventually } from '../clients/stage.ts';
import { openSqlServerStage } from './stage.ts';
import type { SqlServerStage } from './stage.ts';
import { addedPins, expectNothingLeft, pinsOf } from './twins.ts';
import { Visitor } from './visitor.ts';

const MiB = 1_048_576;

/** INSERTs of so many bytes, as they are sent. */
function inserts(table: string, bytes: number): { readonly sql: string; readonly rows: number } {
  const row = (n: number): string => `(${n}, N'set #t, exec, it''s ${'x'.repeat(400)}')`;
  const statements: string[] = [];
  let length = 0;
  let rows = 0;
  while (2 * length < bytes) {
    const values = Array.from({ length: 200 }, (_, n) => row(rows + n));
    const statement = `INSERT INTO ${table} VALUES ${values.join(',\n')};\n`;
    statements.push(statement);
    length += statement.length;
    rows += values.length;
  }
  return { sql: statements.join(''), rows };
}

describe('requests of many megabytes', () => {
  let here: SqlServerStage;
  const table = `sluice_long_${process.pid}`;
  beforeAll(async () => {
    here = await openSqlServerStage({ connections: 1 });
    await here.server.query(`CREATE TABLE ${table} (id int, text nvarchar(max))`);
  });
  afterAll(async () => {
    await here.server.query(`DROP TABLE ${table}`);
    await here.stage.close();
  });

  /** Somebody else gets the one connection that there is. */
  async function expectFree(): Promise<void> {
    const other = await Visitor.arrive({ server: here.proxied });
    expect(await other.value('SELECT 1')).toBe('1');
    await other.end();
  }

  async function visit(
    what: (one: Visitor) => Promise<void>,
    expected: readonly string[] = [],
  ): Promise<void> {
    const before = await pinsOf(here);
    const one = await Visitor.arrive({ server: here.proxied });
    await what(one);
    expect(await one.value("SELECT 'still here'")).toBe('still here');
    await one.end();
    expect(addedPins(before, await pinsOf(here))).toEqual(expected);
  }

  const last = (one: Visitor): string | undefined => one.lines.at(-1);

  test('a batch of 6 MiB is run, and neither pins nor costs anybody a connection', async () => {
    const { sql, rows } = inserts(table, 6 * MiB);
    await visit(async (one) => {
      await one.batch(sql);
      expect(last(one)).toBe(`done ${rows}`);
      await expectFree();
      await one.batch(sql);
      expect(last(one)).toBe(`done ${rows}`);
      await expectFree();
    });
    const counted = await here.server.query(`SELECT COUNT(*), MAX(LEN(text)) FROM ${table}`);
    expect(counted).toEqual([[String(2 * rows), String("set #t, exec, it's ".length + 400)]]);
  });

  test('what such a batch sets and makes behind its fourth megabyte is seen', async () => {
    const { sql } = inserts(table, 5 * MiB);
    await visit(
      async (one) => {
        await one.batch(`${sql} SET LOCK_TIMEOUT 1234; CREATE TABLE #mine (n int)`);
        await one.batch('INSERT INTO #mine VALUES (5)');
        expect(await one.value('SELECT n FROM #mine')).toBe('5');
        await one.batch('DROP TABLE #mine');
        await expectFree();
        expect(await one.value('SELECT @@LOCK_TIMEOUT')).toBe('1234');
      },
      ['temporaryObject'],
    );
  });

  test('and a transaction that it leaves open is the session’s', async () => {
    const { sql } = inserts(table, 5 * MiB);
    const count = async () => (await here.server.query(`SELECT COUNT(*) FROM ${table}`))[0]?.[0];
    const before = await count();
    await visit(async (one) => {
      await one.batch(`BEGIN TRANSACTION; ${sql}`);
      expect(await one.value('SELECT @@TRANCOUNT')).toBe('1');
      await one.batch('ROLLBACK');
      await expectFree();
    });
    expect(await count()).toBe(before);
  });

  test('one that fails is told to have failed', async () => {
    await visit(async (one) => {
      await one.batch(`SELECT N'${'x'.repeat(3 * MiB)}' AS a FROM sluice_nowhere`);
      expect(last(one)).toContain('failed');
      await expectFree();
    });
  });

  test('a parameter of 20 MiB arrives, and one of as many characters', async () => {
    const bytes = Buffer.alloc(20 * MiB, 'abcdefg');
    const text = 'ü'.repeat(10 * MiB);
    await visit(async (one) => {
      await one.sql('SELECT DATALENGTH(@a) AS n', ['a', TYPES.VarBinary, bytes]);
      expect(one.lines.findLast((line) => line.startsWith('ROW'))).toContain(String(20 * MiB));
      await expectFree();
      await one.sql('SELECT LEN(@a) AS n, RIGHT(@a, 1) AS c', ['a', TYPES.NVarChar, text]);
      expect(one.lines.findLast((line) => line.startsWith('ROW'))).toBe(`ROW [${10 * MiB},"ü"]`);
      await expectFree();
    });
  }, 60_000);

  test('a prepared statement takes one', async () => {
    await visit(async (one) => {
      const statement = await one.prepare('SELECT DATALENGTH(@a) AS n', ['a', TYPES.VarBinary]);
      for (const size of [5 * MiB, 3, 6 * MiB]) {
        await one.execute(statement, { a: Buffer.alloc(size, 1) });
        expect(one.lines.findLast((line) => line.startsWith('ROW'))).toContain(String(size));
        await expectFree();
      }
      await one.unprepare(statement);
    });
  });

  test('a bulk load of 8 MiB passes', async () => {
    const loaded = `${table}_bulk`;
    await here.server.query(`CREATE TABLE ${loaded} (id int, text nvarchar(max))`);
    const rows = Array.from({ length: 2_048 }, (_, n) => [n, 'y'.repeat(2_048)]);
    await visit(async (one) => {
      await one.bulk(
        loaded,
        [
          ['id', TYPES.Int, { nullable: true }],
          ['text', TYPES.NVarChar, { nullable: true, length: Infinity }],
        ],
        rows,
      );
      expect(last(one)).toBe('loaded 2048');
      await expectFree();
    });
    await here.server.query(`DROP TABLE ${loaded}`);
  });

  test('one that is stopped on its way is over, and the session goes on', async () => {
    // Some of its connections do not get over that.
    if (here.server.abilities.product === 'Babelfish') return;
    const { sql } = inserts(table, 12 * MiB);
    const one = await Visitor.arrive({ server: here.proxied });
    for (const afterMs of [0, 1, 5, 20]) {
      expect(['stopped', 'done']).toContain(await one.stopped(sql, afterMs));
      expect(await one.value('SELECT 1')).toBe('1');
      await expectFree();
    }
    await one.end();
  });

  test('of a client that leaves in the middle nothing is left', async () => {
    const { sql } = inserts(table, 12 * MiB);
    const one = await Visitor.arrive({ server: here.proxied });
    void one.batch(sql);
    one.connection.close();
    await one.gone;
    await eventually(expectFree, () => true);
  });

  test('nothing is left behind', () => expectNothingLeft(here));
});
