// The MariaDB connector: pipelining, bulk batches, its cache of statements, streams, other users.
import assert from 'node:assert/strict';
import * as mariadb from 'mariadb';
import {
  address,
  administer,
  CROWD,
  inRounds,
  inTurn,
  isMariadb,
  numbers,
  play,
  printVersion,
  ssl,
  together,
  zones,
} from './common.mjs';

// Without TLS the server's key is asked for, where a password is to be told in secret.
const own = { ...address, ...(ssl === undefined && { allowPublicKeyRetrieval: true }) };

async function withConnections(count, options, work) {
  const connections = [];
  try {
    for (const n of numbers(count)) {
      const more = typeof options === 'function' ? options(n) : options;
      connections.push(await mariadb.createConnection({ ...own, ...more }));
    }
    await work(connections);
  } finally {
    await together(connections, (connection) => connection.end());
  }
}

/** The first row. */
const one = async (connection, ...query) => (await connection.query(...query))[0];
const oneExecuted = async (connection, ...query) => (await connection.execute(...query))[0];

await play({
  async version() {
    await withConnections(1, {}, async ([connection]) => {
      assert.match((await one(connection, 'SELECT CURRENT_USER() AS name')).name, /^app@/);
    });
    printVersion('mariadb');
  },

  /** `sessionVariables`, `initSql`, a time zone, a collation: all said in one or more SETs at sign-in. */
  async settings_on_connect() {
    const options = (n) => ({
      sessionVariables: { wait_timeout: 1_000 + n, sql_mode: n % 2 === 0 ? 'ANSI_QUOTES' : '' },
      initSql: [`SET @who = ${n}`, `SET SESSION lock_wait_timeout = ${50 + n}`],
      timezone: zones[n],
      collation: n % 2 === 0 ? 'UTF8MB4_BIN' : 'LATIN1_SWEDISH_CI',
    });
    await withConnections(CROWD, options, async (connections) => {
      await inRounds(4, connections, async (connection, n) => {
        const row = await one(
          connection,
          `SELECT @@wait_timeout AS wait, @@lock_wait_timeout AS lock_wait, @@sql_mode AS mode, @who AS who,
             @@time_zone AS zone, @@character_set_client AS charset, 'é' AS text`,
        );
        assert.deepEqual(
          {
            ...row,
            wait: Number(row.wait),
            lock_wait: Number(row.lock_wait),
            who: Number(row.who),
          },
          {
            wait: 1_000 + n,
            lock_wait: 50 + n,
            mode: n % 2 === 0 ? 'ANSI_QUOTES' : '',
            who: n,
            zone: zones[n],
            charset: n % 2 === 0 ? 'utf8mb4' : 'latin1',
            text: 'é',
          },
        );
      });
    });
  },

  /** Commands are sent before the replies to those before have come (trap MY-69). */
  async pipelines() {
    await withConnections(
      CROWD,
      { pipelining: true, multipleStatements: true },
      async (connections) => {
        await inRounds(3, connections, async (connection, n, round) => {
          const answers = numbers(40).map((k) => {
            if (k === 20)
              return connection.query('SELECT nothing').catch((error) => [{ k: error.errno }]);
            if (k % 10 === 5)
              return connection.query(`SET @k = ${k}; SELECT @k AS k`).then(([, rows]) => rows);
            return k % 3 === 0
              ? connection.query('SELECT ? AS k', [k])
              : connection.execute('SELECT ? AS k', [k]);
          });
          const found = (await Promise.all(answers)).map(([row]) => Number(row.k));
          assert.deepEqual(
            found,
            numbers(40).map((k) => (k === 20 ? 1054 : k)),
          );
          const { it } = await one(connection, 'SELECT ? AS it', [n * 10 + round]);
          assert.equal(Number(it), n * 10 + round);
        });
      },
    );
  },

  /** Batches, in one packet where the server can do that (trap MY-68), with and without generated numbers. */
  async batches() {
    const name = (n, k, round) => `name ${n} ${k} ${round}`;
    await administer(
      'CREATE TABLE batched (id INT AUTO_INCREMENT PRIMARY KEY, n INT, name VARCHAR(20))',
    );
    await withConnections(
      CROWD,
      (n) => ({ bulk: n % 3 !== 2 }),
      async (connections) => {
        await inRounds(3, connections, async (connection, n, round) => {
          const values = numbers(300).map((k) => [n, k % 7 === 0 ? null : name(n, k, round)]);
          const done = await connection.batch(
            'INSERT INTO batched (n, name) VALUES (?, ?)',
            values,
          );
          const affected = Array.isArray(done) ? done.length : done.affectedRows;
          assert.equal(affected, 300);
          const count = await oneExecuted(
            connection,
            'SELECT COUNT(*) AS n, COUNT(name) AS named FROM batched WHERE n = ?',
            [n],
          );
          assert.deepEqual(
            [Number(count.n), Number(count.named)],
            [300 * (round + 1), 257 * (round + 1)],
          );
          const late = connection.batch('INSERT INTO batched VALUES (?, ?, ?)', [
            [null, n, 'a'],
            [1, n, 'a'],
          ]);
          await assert.rejects(late, { errno: 1062 });
          await connection.query("DELETE FROM batched WHERE n = ? AND name = 'a'", [n]);
          await connection.batch('UPDATE batched SET name = ? WHERE n = ? AND name IS NULL', [
            ['none', n],
            ['none', n],
          ]);
          await connection.query("UPDATE batched SET name = NULL WHERE n = ? AND name = 'none'", [
            n,
          ]);
        });
      },
    );
    await administer('DROP TABLE batched');
  },

  /** A cache of statements, a small one, and none (traps MY-60, MY-62). */
  async prepared_statements() {
    for (const prepareCacheLength of [256, 2, 0]) {
      await withConnections(CROWD, { prepareCacheLength }, async (connections) => {
        const kept = await together(connections, (connection, n) =>
          connection.prepare(`SELECT ${n} AS n, ? AS round, ? AS text`),
        );
        await inRounds(4, connections, async (connection, n, round) => {
          const [row] = await kept[n].execute([round, `é ${n}`]);
          assert.deepEqual([Number(row.n), Number(row.round), row.text], [n, round, `é ${n}`]);
          for (const k of numbers(3)) {
            const { sum } = await oneExecuted(connection, `SELECT ${n * 10 + k} + ? AS sum`, [
              round,
            ]);
            assert.equal(Number(sum), n * 10 + k + round);
          }
          await assert.rejects(connection.execute('SELECT nothing + ?', [1]), { errno: 1054 });
          await assert.rejects(connection.execute('SELECT (SELECT 1 UNION SELECT 2) + ?', [1]), {
            errno: 1242,
          });
        });
        await together(kept, (statement) => statement.close());
      });
    }
  },

  /** Rows as they come: read by steps, and left alone in the middle. */
  async streams() {
    await withConnections(CROWD, {}, async (connections) => {
      await inRounds(3, connections, async (connection, n) => {
        const text = `WITH RECURSIVE s (g) AS (SELECT 1 UNION ALL SELECT g + 1 FROM s WHERE g < 900) SELECT g, REPEAT('x', 400) AS text FROM s`;
        let sum = 0;
        for await (const row of connection.queryStream(text)) sum += Number(row.g);
        assert.equal(sum, 405_450);
        const prepared = await connection.prepare(`${text} WHERE g > ?`);
        sum = 0;
        for await (const row of prepared.executeStream([800])) sum += Number(row.g);
        assert.equal(sum, 85_050);
        prepared.close();
        assert.equal(Number((await one(connection, 'SELECT ? AS it', [n])).it), n);
      });
    });
  },

  /** A pool that resets what comes back (with MariaDB, the connector trusts no other server to), with savepoints and isolation levels. */
  async pools() {
    await administer('CREATE TABLE pooled (n INT PRIMARY KEY, money INT)');
    await administer(
      `INSERT INTO pooled VALUES ${numbers(CROWD)
        .map((n) => `(${n}, 100)`)
        .join()}`,
    );
    const options = { connectionLimit: CROWD, resetAfterUse: true, noControlAfterUse: false };
    const pool = mariadb.createPool({ ...own, ...options });
    try {
      await inRounds(5, numbers(CROWD), async (n, _, round) => {
        const connection = await pool.getConnection();
        try {
          const before = await one(
            connection,
            'SELECT @who AS who, @@time_zone AS zone, DATABASE() AS name',
          );
          if (isMariadb) assert.deepEqual(before, { who: null, zone: 'SYSTEM', name: 'app' });
          await connection.query('SET @who = ?, time_zone = ?', [n, zones[n]]);
          await connection.query('SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED');
          await connection.beginTransaction();
          await connection.query('UPDATE pooled SET money = money - 1 WHERE n = ?', [n]);
          await connection.query('SAVEPOINT s');
          await connection.query('UPDATE pooled SET money = 0');
          await connection.query('ROLLBACK TO s');
          const to = (n + round) % CROWD;
          await connection.query('UPDATE pooled SET money = money + 1 WHERE n = ?', [to]);
          await connection.commit();
          const after = await one(connection, 'SELECT @who AS who, @@time_zone AS zone');
          assert.deepEqual({ ...after, who: Number(after.who) }, { who: n, zone: zones[n] });
        } catch (error) {
          if (error.errno !== 1213) throw error;
        } finally {
          await connection.release();
        }
      });
      assert.equal(
        Number((await pool.query('SELECT SUM(money) AS sum FROM pooled'))[0].sum),
        100 * CROWD,
      );
    } finally {
      await pool.end();
    }
    await administer('DROP TABLE pooled');
  },

  /** Another user on the same connection, which the connector does with MariaDB only; and resets (traps MY-24, MY-25). */
  async other_users() {
    const reader = { user: 'reader', password: "reader's password", database: 'app' };
    if (isMariadb) {
      await withConnections(CROWD, {}, async (connections) => {
        await inRounds(3, connections, async (connection, n) => {
          await connection.query('SET @who = ?, time_zone = ?', [n, zones[n]]);
          await connection.changeUser({ ...reader, charset: n % 2 === 0 ? 'LATIN1' : 'UTF8MB4' });
          const seen = 'SELECT @who AS who, USER() AS name, @@time_zone AS zone';
          const row = await one(connection, seen);
          assert.deepEqual([row.who, row.name.split('@')[0], row.zone], [null, 'reader', 'SYSTEM']);
          await connection.changeUser(own);
          assert.match((await one(connection, seen)).name, /^app@/);
        });
      });
    }
    await withConnections(CROWD, {}, async (connections) => {
      await inRounds(3, connections, async (connection, n) => {
        await connection.query('SET @who = ?, autocommit = 0', [n]);
        await connection.query('USE information_schema');
        await connection.reset();
        const seen = 'SELECT @who AS who, @@autocommit AS autocommit, DATABASE() AS name';
        const row = await one(connection, seen);
        assert.deepEqual([row.who, Number(row.autocommit)], [null, 1]);
        assert.equal(row.name, 'information_schema');
        await connection.query('USE app');
      });
    });
  },

  /** RETURNING, and statements with settings of their own are MariaDB's. */
  async of_mariadb() {
    if (!isMariadb) return;
    await administer('CREATE TABLE returned (id INT AUTO_INCREMENT PRIMARY KEY, n INT)');
    await withConnections(CROWD, {}, async (connections) => {
      await inRounds(3, connections, async (connection, n) => {
        const { id } = await one(connection, 'INSERT INTO returned (n) VALUES (?) RETURNING id', [
          n,
        ]);
        assert.equal(
          Number((await one(connection, 'SELECT n FROM returned WHERE id = ?', [id])).n),
          n,
        );
        const row = await one(
          connection,
          'SET STATEMENT max_statement_time = 20 FOR SELECT @@max_statement_time AS t',
        );
        assert.equal(Number(row.t), 20);
        assert.equal(Number((await one(connection, 'SELECT @@max_statement_time AS t')).t), 0);
      });
    });
    await administer('DROP TABLE returned');
  },

  async temporary_tables() {
    await withConnections(CROWD, {}, async (connections) => {
      await inTurn(connections, async (connection, n) => {
        await connection.query('CREATE TEMPORARY TABLE scratch (n INT)');
        await connection.batch('INSERT INTO scratch VALUES (?)', [[n], [n]]);
        assert.equal((await connection.query('SELECT * FROM scratch')).length, 2);
        await connection.query('DROP TABLE scratch');
      });
    });
  },
});
