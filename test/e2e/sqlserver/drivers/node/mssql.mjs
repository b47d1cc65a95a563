// mssql's pools keep connections of tedious, and ask each for SELECT 1 before it is used.
import assert from 'node:assert/strict';
import mssql from 'mssql';
import {
  address,
  administer,
  CROWD,
  inRounds,
  numbers,
  options,
  play,
  printVersion,
  together,
  withTables,
} from './common.mjs';

const { port: _, database: __, ...tls } = options;

/** A pool of more connections than there are, for each application. */
async function withPools(count, work) {
  const pools = await together(numbers(count), () =>
    new mssql.ConnectionPool({
      ...address,
      options: { trustServerCertificate: false, ...tls, appName: 'shop' },
      pool: { max: 3, min: 0 },
    }).connect(),
  );
  try {
    return await work(pools);
  } finally {
    await together(pools, (pool) => pool.close());
  }
}

await play({
  async version() {
    await withPools(1, ([pool]) => pool.query('SELECT 1 AS a'));
    printVersion('mssql');
  },

  async queries() {
    await withPools(CROWD, (pools) =>
      inRounds(4, pools, async (pool, n, round) => {
        const { recordset } = await pool.query`SELECT ${n} AS n, ${`round ${round}`} AS t`;
        assert.deepEqual([...recordset], [{ n, t: `round ${round}` }]);
        const { recordsets } = await pool.request().query('SELECT 1 AS a; SELECT 2 AS b');
        assert.equal(recordsets.length, 2);
        await assert.rejects(pool.query('SELECT * FROM sluice_nowhere'), mssql.RequestError);
      }),
    );
  },

  async procedures() {
    const name = 'sluice_mssql_twice';
    await administer(
      `IF OBJECT_ID('${name}') IS NOT NULL DROP PROCEDURE ${name}`,
      `CREATE PROCEDURE ${name} @a int, @b int OUTPUT AS BEGIN SELECT @a AS a; SET @b = @a * 2; RETURN 7; END`,
    );
    await withPools(CROWD, (pools) =>
      inRounds(3, pools, async (pool, n) => {
        const request = pool.request().input('a', mssql.Int, n).output('b', mssql.Int);
        const { output, recordset, returnValue } = await request.execute(name);
        assert.deepEqual([output.b, recordset[0].a, returnValue], [n * 2, n, 7]);
      }),
    );
    await administer(`DROP PROCEDURE ${name}`);
  },

  async prepared_statements() {
    // Babelfish does not take what it sends, with or without a proxy.
    if (process.env.DB_PRODUCT === 'Babelfish') return;
    await withPools(CROWD, (pools) =>
      inRounds(3, pools, async (pool, n, round) => {
        const statement = new mssql.PreparedStatement(pool).input('a', mssql.Int);
        await statement.prepare(`SELECT @a + ${n * 100} AS c`);
        for (const a of [round, round + 1]) {
          const { recordset } = await statement.execute({ a });
          assert.equal(recordset[0].c, n * 100 + a);
        }
        await statement.unprepare();
      }),
    );
  },

  async transactions() {
    await withTables('mssql', 'id int PRIMARY KEY', (tables) =>
      withPools(CROWD, (pools) =>
        inRounds(3, pools, async (pool, n, round) => {
          for (const isKept of [false, true]) {
            const transaction = new mssql.Transaction(pool);
            await transaction.begin(mssql.ISOLATION_LEVEL.SERIALIZABLE);
            await transaction.request().query(`INSERT INTO ${tables[n]} VALUES (${round})`);
            if (isKept) await transaction.commit();
            else await transaction.rollback();
          }
          const { recordset } = await pool.query(`SELECT COUNT(*) AS n FROM ${tables[n]}`);
          assert.equal(recordset[0].n, round + 1);
        }),
      ),
    );
  },

  async bulk_loads() {
    await withTables('mssql', 'id int NOT NULL, name nvarchar(50)', (tables) =>
      withPools(CROWD, (pools) =>
        inRounds(2, pools, async (pool, n) => {
          const table = new mssql.Table(tables[n]);
          table.columns.add('id', mssql.Int, { nullable: false });
          table.columns.add('name', mssql.NVarChar(50), { nullable: true });
          for (const id of numbers(100)) table.rows.add(id, `row ${id}`);
          const { rowsAffected } = await pool.request().bulk(table);
          assert.equal(rowsAffected, 100);
        }),
      ),
    );
  },

  async streams() {
    const ten = '(VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9))';
    const sql = `SELECT a.n + 10 * b.n + 100 * c.n AS n FROM ${ten} AS a (n) CROSS JOIN ${ten} AS b (n) CROSS JOIN ${ten} AS c (n)`;
    await withPools(CROWD, (pools) =>
      inRounds(2, pools, async (pool) => {
        const request = pool.request();
        request.stream = true;
        request.query(sql);
        let sum = 0;
        for await (const row of request.toReadableStream()) sum += row.n;
        assert.equal(sum, 499_500);
      }),
    );
  },

  async cancelled() {
    await withPools(2, (pools) =>
      inRounds(3, pools, async (pool, n) => {
        const request = pool.request();
        const asked = request
          .query("WAITFOR DELAY '00:00:10'; SELECT 1 AS a")
          .catch(() => 'stopped');
        setTimeout(() => request.cancel(), 20 * n);
        await asked;
        const { recordset } = await pool.query`SELECT ${n} AS n`;
        assert.equal(recordset[0].n, n);
      }),
    );
  },
});
