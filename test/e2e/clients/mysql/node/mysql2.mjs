// mysql2: text and binary protocol, pools, several statements in one, files, other users.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import mysql2 from 'mysql2/promise';
import mysql2Callbacks from 'mysql2';
import {
  address,
  administer,
  CROWD,
  inRounds,
  inTurn,
  isMariadb,
  numbers,
  one,
  oneExecuted,
  play,
  printVersion,
  together,
  withClients,
  zones,
} from './common.mjs';

const isolation = isMariadb ? 'tx_isolation' : 'transaction_isolation';
const levels = ['READ-UNCOMMITTED', 'READ-COMMITTED', 'REPEATABLE-READ', 'SERIALIZABLE'];
const modes = ['ANSI_QUOTES', 'NO_BACKSLASH_ESCAPES', '', 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES'];

await play({
  async version() {
    await withClients(1, {}, async ([client]) => {
      assert.match((await one(client, 'SELECT CURRENT_USER() AS name')).name, /^app@/);
    });
    printVersion('mysql2');
  },

  /** What frameworks say when they connect, each with values of its own (traps GX-01, MY-45, MY-57). */
  async settings_on_connect() {
    await withClients(CROWD, { timezone: 'Z' }, async (clients) => {
      await inTurn(clients, async (client, n) => {
        await client.query(n % 2 === 0 ? 'SET NAMES utf8mb4' : "SET NAMES 'latin1'");
        await client.query(`SET SESSION sql_mode = '${modes[n % 4]}', time_zone = '${zones[n]}'`);
        await client.query(`SET SESSION wait_timeout = ${1_000 + n}`);
        await client.query(
          `SET SESSION TRANSACTION ISOLATION LEVEL ${levels[n % 4].replace('-', ' ')}`,
        );
      });
      await inRounds(4, clients, async (client, n) => {
        const row = await one(
          client,
          `SELECT @@sql_mode AS mode, @@time_zone AS zone, @@wait_timeout AS timeout, @@character_set_client AS charset,
             @@${isolation} AS level, HOUR(FROM_UNIXTIME(86400)) AS hour`,
        );
        assert.deepEqual(row, {
          mode: modes[n % 4],
          zone: zones[n],
          timeout: 1_000 + n,
          charset: n % 2 === 0 ? 'utf8mb4' : 'latin1',
          level: levels[n % 4],
          hour: [0, 9, 19, 1, 5, 10][n],
        });
        assert.equal((await one(client, `SELECT 'é' AS text`)).text, 'é');
      });
    });
  },

  /** Who changes something for each request, and changes it again for the next one. */
  async settings_per_request() {
    await withClients(CROWD, {}, async (clients) => {
      await inRounds(8, clients, async (client, n, round) => {
        const at = (n + round) % CROWD;
        await client.query(`SET time_zone = ?`, [zones[at]]);
        await client.execute(`SET SESSION sql_select_limit = ${at + 1}`);
        const [rows] = await client.query(
          'SELECT @@time_zone AS zone FROM (SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3) AS t',
        );
        assert.deepEqual(
          rows,
          numbers(Math.min(at + 1, 3)).map(() => ({ zone: zones[at] })),
        );
        await client.query('SET SESSION sql_select_limit = DEFAULT');
        assert.equal((await oneExecuted(client, 'SELECT @@time_zone AS zone')).zone, zones[at]);
      });
    });
  },

  /** Words in quotes and backslashes mean what the client's own sql_mode says (trap MY-52). */
  async sql_modes() {
    await administer('CREATE OR REPLACE VIEW moded AS SELECT 7 AS n');
    await withClients(CROWD, {}, async (clients) => {
      await inRounds(4, clients, async (client, n, round) => {
        const mode = modes[(n + round) % 4];
        await client.query(`SET sql_mode = '${mode}'`);
        const row = await one(client, `SELECT "n" AS n, 'a\\\\b' AS text FROM moded`);
        assert.equal(row.n, mode.includes('ANSI') ? 7 : 'n');
        assert.equal(row.text, mode.includes('BACKSLASH') ? 'a\\\\b' : 'a\\b');
        // What has been prepared means what it meant then.
        const first = modes[n % 4].includes('ANSI') ? 7 : 'n';
        assert.equal((await oneExecuted(client, 'SELECT "n" AS n FROM moded')).n, first);
      });
    });
    await administer('DROP VIEW moded');
  },

  /** A tenant's number in a user variable, and rows numbered by one (trap MY-47). */
  async user_variables() {
    await withClients(CROWD, {}, async (clients) => {
      await together(clients, (client, n) =>
        client.query("SET @tenant = ?, @name = 'it''s é', @nothing = NULL, @share = 1.5e0", [n]),
      );
      await inRounds(3, clients, async (client, n, round) => {
        assert.deepEqual(
          await oneExecuted(
            client,
            'SELECT @tenant AS tenant, @name AS name, @nothing AS nothing, @share AS share',
          ),
          { tenant: n, name: "it's é", nothing: null, share: 1.5 },
        );
        const { other } = await one(client, 'SELECT @other AS other');
        assert.equal(other, round === 0 ? null : round);
        await client.query('SELECT ? INTO @other', [round + 1]);
        await client.query('SET @row := 0');
        const [rows] = await client.query(
          'SELECT @row := @row + 1 AS n FROM (SELECT 1 UNION ALL SELECT 1 UNION ALL SELECT 1) AS t',
        );
        assert.deepEqual(
          rows.map((row) => Number(row.n)),
          [1, 2, 3],
        );
      });
    });
  },

  /** Statements of all clients are called 1, 2, 3 …, and mean different things (traps MY-60, MY-62). */
  async prepared_statements() {
    await withClients(CROWD, {}, async (clients) => {
      const kept = await together(clients, (client, n) =>
        client.prepare(`SELECT ${n} AS client, ? AS round, ? AS text, ? AS date`),
      );
      await inRounds(6, clients, async (client, n, round) => {
        const date = new Date(2020, n, 1 + round);
        const [[row]] = await kept[n].execute([round, 'é'.repeat(round), date]);
        assert.deepEqual([row.client, Number(row.round), row.text], [n, round, 'é'.repeat(round)]);
        assert.equal(new Date(row.date).getTime(), date.getTime());
        // The same text in everybody's.
        const same = await oneExecuted(client, 'SELECT ? + ? AS sum', [n, round]);
        assert.equal(same.sum, n + round);
        // Types change from one execution to the next.
        const value = round % 2 === 0 ? n : `text ${n}`;
        const typed = await oneExecuted(client, 'SELECT CONCAT(?) AS it', [value]);
        assert.equal(typed.it, String(value));
        const failing = client.execute('SELECT (SELECT 1 UNION SELECT 2) + ?', [n]);
        await assert.rejects(failing, { errno: 1242 });
      });
      await together(kept, (statement) => statement.close());
    });
  },

  /** More texts than the client keeps: it closes those that it has not used for longest (trap MY-70). */
  async closed_statements() {
    await withClients(CROWD, { maxPreparedStatements: 2 }, async (clients) => {
      await inRounds(6, clients, async (client, n, round) => {
        for (const k of numbers(4)) {
          const sum = n * 10 + k;
          const row = await oneExecuted(client, `SELECT ${sum} + ? AS n`, [round]);
          assert.equal(row.n, sum + round);
        }
      });
    });
  },

  /** Prepared under one schema or sql_mode, and used under another (trap MY-63). */
  async prepared_in_other_schemas() {
    const schemas = numbers(CROWD).map((n) => `tenant_${n}`);
    await administer(
      ...schemas.flatMap((name, n) => [
        `CREATE DATABASE IF NOT EXISTS ${name}`,
        `CREATE OR REPLACE VIEW ${name}.own AS SELECT ${n} AS n`,
      ]),
    );
    await withClients(CROWD, {}, async (clients) => {
      await inRounds(CROWD, clients, async (client, n, round) => {
        const at = (n + round) % CROWD;
        await client.query(`USE ${schemas[at]}`);
        assert.equal((await one(client, 'SELECT n FROM own')).n, at);
        const prepared = await client.prepare('SELECT n, DATABASE() AS name FROM own WHERE n >= ?');
        const [[row]] = await prepared.execute([0]);
        assert.deepEqual(row, { n: at, name: schemas[at] });
        await client.changeUser({ ...address, database: schemas[(at + 1) % CROWD] });
        assert.equal((await one(client, 'SELECT n FROM own')).n, (at + 1) % CROWD);
      });
    });
    await administer(...schemas.map((name) => `DROP DATABASE ${name}`));
  },

  async changed_tables() {
    await administer(
      'CREATE TABLE IF NOT EXISTS changing (a INT)',
      'INSERT INTO changing VALUES (1)',
    );
    await withClients(CROWD, {}, async (clients) => {
      const select = 'SELECT * FROM changing WHERE a > ?';
      await together(clients, (client) => client.execute(select, [0]));
      await clients[0].query('ALTER TABLE changing ADD COLUMN b INT DEFAULT 2');
      await inRounds(2, clients, async (client) =>
        assert.deepEqual(await oneExecuted(client, select, [0]), { a: 1, b: 2 }),
      );
    });
    await administer('DROP TABLE changing');
  },

  /** LAST_INSERT_ID() is of the session's own last INSERT, whoever had the connection since (trap MY-48). */
  async last_insert_id() {
    const columns = 'id INT AUTO_INCREMENT PRIMARY KEY, n INT UNIQUE';
    await administer(`CREATE TABLE numbered (${columns})`, `CREATE TABLE given (${columns})`);
    await withClients(CROWD, {}, async (clients) => {
      await inRounds(6, clients, async (client, n, round) => {
        const value = n * 100 + round;
        const [done] = await client.query('INSERT INTO numbered (n) VALUES (?)', [value]);
        const asked = async () => (await one(client, 'SELECT LAST_INSERT_ID() AS id')).id;
        assert.equal(await asked(), done.insertId);
        const { id } = await one(client, 'SELECT id FROM numbered WHERE n = ?', [value]);
        assert.equal(id, done.insertId);
        assert.equal((await oneExecuted(client, 'SELECT LAST_INSERT_ID() AS id')).id, id);
        await client.beginTransaction();
        assert.equal(await asked(), id);
        await client.rollback();
        // A row that comes with a number of its own leaves the one before.
        await client.query('INSERT INTO given VALUES (?, ?)', [1_000 + value, value]);
        assert.equal(await asked(), id);
        await client.query('SELECT LAST_INSERT_ID(?)', [value + 1]);
        assert.equal(await asked(), value + 1);
      });
      // Whoever has inserted nothing has none, on whatever connection.
      await withClients(2, {}, async (newcomers) => {
        await inRounds(3, newcomers, async (client) =>
          assert.equal((await one(client, 'SELECT LAST_INSERT_ID() AS id')).id, 0),
        );
      });
    });
    await administer('DROP TABLE numbered', 'DROP TABLE given');
  },

  /**
   * What only the connection knows: clients of a kind that asks for it stay there for a moment (trap MY-48). These are of a kind of
   * their own, so that others are spared.
   */
  async what_the_last_statement_left() {
    await administer('CREATE TABLE left_by (n INT UNIQUE, text VARCHAR(3))');
    await withClients(CROWD, { flags: ['-FOUND_ROWS'] }, async (clients) => {
      await inRounds(1, clients, async (client, n, round) => {
        const value = n * 100 + round;
        await client.query('INSERT INTO left_by (n) VALUES (?)', [value]);
        await client.query('SELECT SQL_CALC_FOUND_ROWS n FROM left_by WHERE n = ? LIMIT 0', [
          value,
        ]);
        assert.equal((await one(client, 'SELECT FOUND_ROWS() AS n')).n, 1);
        const [updated] = await client.query('UPDATE left_by SET text = ? WHERE n = ?', [
          'a',
          value,
        ]);
        assert.deepEqual([updated.affectedRows, updated.changedRows], [1, 1]);
        const [ignored] = await client.query('INSERT IGNORE INTO left_by (n) VALUES (?)', [value]);
        assert.deepEqual([ignored.affectedRows, ignored.warningStatus], [0, 1]);
        const [warnings] = await client.query('SHOW WARNINGS');
        assert.deepEqual(
          warnings.map(({ Code, Message }) => [Code, Message.includes(`'${value}'`)]),
          [[1062, true]],
        );
        const duplicate = client.query('INSERT INTO left_by (n) VALUES (?)', [value]);
        await assert.rejects(duplicate, { errno: 1062 });
        assert.equal((await one(client, 'SHOW ERRORS')).Code, 1062);
      });
    });
    await administer('DROP TABLE left_by');
  },

  async transactions() {
    await administer('CREATE TABLE purse (n INT PRIMARY KEY, money INT)');
    await administer(
      `INSERT INTO purse VALUES ${numbers(CROWD)
        .map((n) => `(${n}, 100)`)
        .join()}`,
    );
    await withClients(CROWD, {}, async (clients) => {
      await inRounds(6, clients, async (client, n, round) => {
        if (round % 2 === 0)
          await client.query(
            `SET TRANSACTION ISOLATION LEVEL ${['SERIALIZABLE', 'READ COMMITTED'][n % 2]}`,
          );
        await client.beginTransaction();
        await client.execute('UPDATE purse SET money = money - 1 WHERE n = ?', [n]);
        await client.query('SAVEPOINT s');
        await assert.rejects(client.query('INSERT INTO purse VALUES (?, 1)', [n]), { errno: 1062 });
        await client.query('UPDATE purse SET money = 0 WHERE n = ?', [n]);
        await client.query('ROLLBACK TO SAVEPOINT s');
        await client.query('UPDATE purse SET money = money + 1 WHERE n = ?', [n]);
        if (round % 3 === 0) await client.rollback();
        else await client.commit();
      });
      const { money } = await one(
        clients[0],
        'SELECT CAST(SUM(money) AS SIGNED) AS money FROM purse',
      );
      assert.equal(money, 100 * CROWD);
    });
    await administer('DROP TABLE purse');
  },

  /** With autocommit off a SELECT begins a transaction, which COMMIT ends (trap MY-41). */
  async autocommit_off() {
    await administer('CREATE TABLE journal (n INT)');
    await withClients(CROWD, {}, async (clients) => {
      await inTurn(clients, (client) => client.query('SET autocommit = 0'));
      await inRounds(4, clients.slice(0, 2), async (client, n, round) => {
        const before = await one(client, 'SELECT COUNT(*) AS count FROM journal WHERE n = ?', [n]);
        assert.equal(before.count, round);
        await client.query('INSERT INTO journal VALUES (?), (?)', [n, n]);
        await client.query('ROLLBACK');
        await client.query('INSERT INTO journal VALUES (?)', [n]);
        await client.query('COMMIT');
      });
      await inTurn(clients, async (client) => {
        assert.equal(
          (await one(client, 'SELECT @@autocommit AS it, COUNT(*) AS n FROM journal')).n,
          8,
        );
        await client.query('ROLLBACK');
        await client.query('SET autocommit = 1');
      });
    });
    await administer('DROP TABLE journal');
  },

  /** Several statements in one text, procedures with several results, in columns by name and by number (trap MY-08). */
  async several_results() {
    await administer(
      'CREATE PROCEDURE both_of(n INT) BEGIN SELECT n AS first; SELECT n + 1 AS second; END',
    );
    await withClients(CROWD, { multipleStatements: true }, async (clients) => {
      await inRounds(4, clients, async (client, n, round) => {
        const [results] = await client.query(
          `SET @n = ${n}; SELECT @n AS n; USE app; SELECT ${round} AS round; SET time_zone = '${zones[n]}'`,
        );
        assert.deepEqual([results[1], results[3]], [[{ n }], [{ round }]]);
        const [called] = await client.query('CALL both_of(?)', [n]);
        assert.deepEqual(called.slice(0, 2), [[{ first: n }], [{ second: n + 1 }]]);
        const [executed] = await client.execute('CALL both_of(?)', [round]);
        assert.deepEqual(executed.slice(0, 2), [[{ first: round }], [{ second: round + 1 }]]);
        await assert.rejects(client.query('SELECT 1; SELECT nothing; SELECT 3'), { errno: 1054 });
        const row = await one(client, { sql: 'SELECT @n, @@time_zone', rowsAsArray: true });
        assert.deepEqual(row, [n, zones[n]]);
      });
    });
    await administer('DROP PROCEDURE both_of');
  },

  /** A pool's connection goes back as it is, or reset, or as another user's (traps MY-24, MY-25). */
  async pools() {
    const pool = mysql2.createPool({ ...address, connectionLimit: CROWD, namedPlaceholders: true });
    try {
      await inRounds(4, numbers(CROWD), async (n, _, round) => {
        const connection = await pool.getConnection();
        await connection.query('SET @who = ?, time_zone = ?', [n, zones[n]]);
        const row = await one(
          connection,
          'SELECT @who AS who, @@time_zone AS zone, :round AS round',
          { round },
        );
        assert.deepEqual(row, { who: n, zone: zones[n], round });
        await connection.reset();
        const after = await one(
          connection,
          'SELECT @who AS who, @@time_zone AS zone, DATABASE() AS name',
        );
        assert.deepEqual(after, { who: null, zone: 'SYSTEM', name: 'app' });
        await connection.query('SET @who = 1');
        await connection.changeUser({
          user: 'reader',
          password: "reader's password",
          database: 'app',
        });
        const other = await one(connection, 'SELECT @who AS who, USER() AS name');
        assert.equal(other.who, null);
        assert.match(other.name, /^reader@/);
        await connection.changeUser(address);
        assert.match((await one(connection, 'SELECT USER() AS name')).name, /^app@/);
        connection.release();
      });
      const all = await together(numbers(60), (n) => pool.execute('SELECT ? AS n', [n]));
      assert.deepEqual(
        all.map(([[{ n }]]) => Number(n)),
        numbers(60),
      );
    } finally {
      await pool.end();
    }
  },

  /** Rows as they come, with a slow reader, and left alone in the middle. */
  async streams() {
    const clients = await together(numbers(CROWD), async () =>
      mysql2Callbacks.createConnection(address),
    );
    try {
      await inRounds(2, clients, async (client, n) => {
        const text = 'x'.repeat(500);
        const rows = client
          .query(
            `WITH RECURSIVE s (g) AS (SELECT 1 UNION ALL SELECT g + 1 FROM s WHERE g < 900) SELECT g, '${text}' AS text FROM s`,
          )
          .stream({ highWaterMark: 5 });
        let sum = 0;
        for await (const row of rows) sum += row.g;
        assert.equal(sum, 405_450);
        const [[row]] = await client.promise().query('SELECT ? AS n', [n]);
        assert.equal(row.n, n);
      });
    } finally {
      await together(clients, (client) => client.promise().end());
    }
  },

  /** A file of the client's, a file that it will not send (trap MY-10). */
  async local_files() {
    await administer('CREATE TABLE read_lines (n INT, line VARCHAR(20))');
    await withClients(CROWD, {}, async (clients) => {
      await inRounds(2, clients, async (client, n) => {
        const sql = `LOAD DATA LOCAL INFILE 'lines' INTO TABLE read_lines (line) SET n = ${n}`;
        const lines = numbers(2_000).map((at) => `line ${at}\n`);
        const [done] = await client.query({
          sql,
          infileStreamFactory: () => Readable.from([Buffer.from(lines.join(''))]),
        });
        assert.equal(done.affectedRows, 2_000);
        await assert.rejects(client.query(sql), /LOCAL INFILE/);
        assert.equal(
          (await one(client, 'SELECT COUNT(*) AS n FROM read_lines WHERE n = ?', [n])).n % 2_000,
          0,
        );
      });
    });
    await administer('DROP TABLE read_lines');
  },

  /** Texts and values larger than any packet (traps MY-01, MY-61). */
  async large_values() {
    await withClients(3, {}, async (clients) => {
      await together(clients, async (client, n) => {
        const value = Buffer.alloc(17 * 1024 * 1024 - n, `${n}`);
        const expected = createHash('sha256').update(value).digest('hex');
        const limit = (await one(client, 'SELECT @@max_allowed_packet AS it')).it;
        if (limit > value.length) {
          assert.equal(
            (await oneExecuted(client, 'SELECT SHA2(?, 256) AS it', [value])).it,
            expected,
          );
          assert.equal(
            (await one(client, 'SELECT SHA2(?, 256) AS it', [value.toString()])).it,
            expected,
          );
        }
        const row = await one(
          client,
          "SELECT REPEAT('x', 9000000) AS a, REPEAT('y', 9000000) AS b",
        );
        assert.deepEqual([row.a.length, row.b.length], [9_000_000, 9_000_000]);
        assert.equal((await one(client, 'SELECT ? AS n', [n])).n, n);
      });
    });
  },

  /** Temporary tables pin until they are dropped (trap MY-47). */
  async temporary_tables() {
    await withClients(CROWD, {}, async (clients) => {
      await inTurn(clients, async (client, n) => {
        await client.query('CREATE TEMPORARY TABLE scratch (n INT)');
        await client.query('INSERT INTO scratch VALUES (?)', [n]);
        assert.deepEqual(await oneExecuted(client, 'SELECT n FROM scratch'), { n });
        await client.query('DROP TEMPORARY TABLE scratch');
      });
    });
  },

  /** What migrations of many tools hold (trap MY-47). */
  async session_locks() {
    await withClients(CROWD, {}, async (clients) => {
      await inTurn(clients, async (client, n) => {
        assert.deepEqual(await one(client, "SELECT GET_LOCK('migration', 10) AS got"), { got: 1 });
        assert.equal((await oneExecuted(client, 'SELECT ? AS n', [n])).n, n);
        const released = await one(client, "SELECT RELEASE_LOCK('migration') AS released");
        assert.deepEqual(released, { released: 1 });
      });
    });
  },

  async table_locks() {
    await administer('CREATE TABLE locked (n INT)');
    await withClients(CROWD, {}, async (clients) => {
      await inTurn(clients, async (client, n) => {
        await client.query('LOCK TABLES locked WRITE');
        await client.query('INSERT INTO locked VALUES (?)', [n]);
        assert.equal((await one(client, 'SELECT COUNT(*) AS n FROM locked')).n, n + 1);
        await client.query('UNLOCK TABLES');
      });
    });
    await administer('DROP TABLE locked');
  },

  /**
   * PREPARE and EXECUTE in SQL, as authors of stored procedures write them (trap MY-67). EXECUTE may set any user variable, which
   * pins its client to the end: each has gone before the next one comes.
   */
  async prepare_by_sql() {
    await inTurn(numbers(CROWD), async (n) => {
      await withClients(1, {}, async ([client]) => {
        await client.query(`PREPARE plan FROM 'SELECT ${n} + ? AS sum'`);
        await client.query('SET @a = 5');
        assert.equal((await one(client, 'EXECUTE plan USING @a')).sum, n + 5);
        await client.query('DEALLOCATE PREPARE plan');
        await assert.rejects(client.query('EXECUTE plan USING @a'), { errno: 1243 });
      });
    });
  },

  /** KILL QUERY by the number that the client was told (trap MY-30). */
  async kills() {
    await withClients(CROWD, {}, async (clients) => {
      for (const round of numbers(3)) {
        const [sleeper, killer] = [clients[round], clients[round + 1]];
        const slept = one(sleeper, 'SELECT SLEEP(50) AS it').catch((error) => error);
        const asleep =
          "SELECT COUNT(*) AS n FROM information_schema.processlist WHERE info LIKE 'SELECT SLEEP(5%'";
        while ((await one(killer, asleep)).n === 0);
        await killer.query(`KILL QUERY ${sleeper.threadId}`);
        const ended = await slept;
        assert.ok(ended.it === 1 || ended.errno === 1317, String(ended));
      }
      await inRounds(2, clients, async (client, n) =>
        assert.equal((await one(client, 'SELECT ? AS n', [n])).n, n),
      );
    });
  },
});
