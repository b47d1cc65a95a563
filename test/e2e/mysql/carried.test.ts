import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { command } from '../../../src/wire/mysql/commands.ts';
import { mysqlReleasesHere, mysqlSettingsFor, withMysql } from '../../support/mysql.ts';
import { MysqlClient } from '../../support/mysql-client.ts';
import { passwordOf, startSluice } from '../../support/sluice.ts';
import type { Sluice } from '../../support/sluice.ts';

const here = await mysqlReleasesHere();

/** What random sessions have found (`test/property`), on one connection that all share. */
describe.each([...here])('in front of %s', (release) => {
  let sluice: Sluice;
  beforeAll(async () => {
    // The proxy watches the database on a connection of its own.
    const database = { maxConnections: 2 };
    sluice = await startSluice(mysqlSettingsFor(await withMysql(release), { database }));
  }, 120_000);
  afterAll(async () => {
    expect(sluice.logs('bug')).toEqual([]);
    await sluice.stop();
  });

  const signIn = (database?: string): Promise<MysqlClient> => {
    const login = { host: '127.0.0.1', port: sluice.port, user: 'app' };
    const password = passwordOf('app');
    return MysqlClient.signIn({
      ...login,
      password,
      ...(database === undefined ? {} : { database }),
    });
  };

  test('who is in no schema does not come into that of one who left in a transaction', async () => {
    const leaver = await signIn();
    await leaver.query('BEGIN');
    await leaver.query('USE app');
    leaver.destroy();
    const next = await signIn();
    expect(await next.rows('SELECT DATABASE()')).toEqual([[null]]);
    await next.end();
  });

  test('who is in no schema does not come into that of one who was reset in a transaction', async () => {
    const other = await signIn();
    await other.query('BEGIN');
    await other.query('USE app');
    other.send(Uint8Array.of(command.resetConnection));
    await other.reply('one');
    expect(await other.rows('SELECT DATABASE()')).toEqual([['app']]);
    const next = await signIn();
    expect(await next.rows('SELECT DATABASE()')).toEqual([[null]]);
    await Promise.all([other.end(), next.end()]);
  });

  test('a SET that was refused ends nobody, alone or behind others', async () => {
    const careless = await signIn();
    for (const sql of ['SET max_error_count = no', 'SELECT 1; SELEC; SET max_error_count = 3'])
      await careless.query(sql);
    const other = await signIn();
    expect(await other.rows('SELECT 1')).toEqual([['1']]);
    expect(await careless.rows('SELECT 2')).toEqual([['2']]);
    await Promise.all([careless.end(), other.end()]);
  });

  test('what is set in a transaction stays where a statement has to be prepared again in it', async () => {
    const [client, other] = [await signIn(), await signIn()];
    client.send(Buffer.from([command.stmtPrepare, ...Buffer.from('SELECT 5')]));
    await client.reply('prepared');
    await client.query(`SET sql_mode = 'NO_ZERO_DATE'`);
    // The server has forgotten what is prepared where all is reset.
    await other.query('CREATE TEMPORARY TABLE app.tmp (a INT)');
    other.destroy();
    await client.query('BEGIN');
    await client.query(`SET sql_mode = 'ANSI_QUOTES'`);
    client.send(Buffer.from([command.stmtExecute, 1, 0, 0, 0, 0, 1, 0, 0, 0]));
    await client.reply('results');
    expect(await client.rows('SELECT @@sql_mode')).toEqual([['ANSI_QUOTES']]);
    await client.end();
  });

  test('a variable too long to carry ends nobody whose transactions are reported', async () => {
    const [client, other] = [await signIn(), await signIn()];
    client.send(Buffer.from([command.stmtPrepare, ...Buffer.from('SELECT 6')]));
    await client.reply('prepared');
    await client.query(`SET session_track_transaction_info = 'STATE'`);
    // The server has forgotten what is prepared where all is reset.
    await other.query('CREATE TEMPORARY TABLE app.tmp (a INT)');
    other.destroy();
    await client.query('BEGIN');
    await client.query(`SET @long = REPEAT('x', 20000)`);
    client.send(Buffer.from([command.stmtExecute, 1, 0, 0, 0, 0, 1, 0, 0, 0]));
    await client.reply('results');
    expect(await client.rows('SELECT LENGTH(@long)')).toEqual([['20000']]);
    await client.end();
  });

  test('a user variable has the collation that MariaDB gives it when a statement that assigns it is prepared', async () => {
    const [client, other] = [await signIn(), await signIn()];
    await client.query(`SET @x = _latin2'abc'`);
    client.send(Buffer.from([command.stmtPrepare, ...Buffer.from('SELECT @x := ?')]));
    await client.reply('prepared');
    await other.query('SELECT 1');
    const expected = release === 'mysql' ? 'latin2_general_ci' : 'binary';
    expect(await client.rows('SELECT COLLATION(@x)')).toEqual([[expected]]);
    // Nothing of it is there for others.
    expect(await other.rows('SELECT @x')).toEqual([[null]]);
    await Promise.all([client.end(), other.end()]);
  });

  test('the number of a statement means nothing after a reset, though others have been prepared', async () => {
    const client = await signIn();
    client.send(Buffer.from([command.stmtPrepare, ...Buffer.from('SELECT 1')]));
    await client.reply('prepared');
    client.send(Uint8Array.of(command.resetConnection));
    await client.reply('one');
    client.send(Buffer.from([command.stmtPrepare, ...Buffer.from('SELECT 2')]));
    await client.reply('prepared');
    client.send(Buffer.from([command.stmtExecute, 1, 0, 0, 0, 0, 1, 0, 0, 0]));
    const [answer] = await client.reply('results');
    expect(Buffer.from(answer?.payload ?? []).toString()).toContain('handler (1)');
    await client.end();
  });

  test('large selects are allowed to those who allow them again after they have set max_join_size', async () => {
    const [client, other] = [await signIn(), await signIn()];
    await client.query('SET max_join_size = 5');
    expect(await client.rows('SELECT @@sql_big_selects')).toEqual([['0']]);
    await client.query('SET sql_big_selects = 1');
    await other.query('SELECT 1');
    expect(await client.rows('SELECT @@sql_big_selects')).toEqual([['1']]);
    expect(await other.rows('SELECT @@sql_big_selects')).toEqual([['1']]);
    await Promise.all([client.end(), other.end()]);
  });

  test('a parameter has the collation of the handshake, whoever has been on the connection with another', async () => {
    const login = {
      host: '127.0.0.1',
      port: sluice.port,
      user: 'app',
      password: passwordOf('app'),
    };
    const german = { ...login, collation: 31 };
    const [client, other] = [await MysqlClient.signIn(german), await MysqlClient.signIn(german)];
    client.send(Buffer.from([command.stmtPrepare, ...Buffer.from('SELECT @x := ?')]));
    await client.reply('prepared');
    await other.query('SET NAMES utf8mb4');
    // Once, with one text.
    const bound = [0, 1, 0, 0, 0, 0, 1, 253, 0, 1, 97];
    client.send(Buffer.from([command.stmtExecute, 1, 0, 0, 0, ...bound]));
    await client.reply('results');
    expect(await client.rows('SELECT COLLATION(@x)')).toEqual([['latin1_german2_ci']]);
    await Promise.all([client.end(), other.end()]);
  });

  test('the numbers that a procedure gives out are its session’s LAST_INSERT_ID()', async () => {
    const [client, other] = [await signIn('app'), await signIn('app')];
    await client.query('CREATE TABLE numbers (id INT AUTO_INCREMENT PRIMARY KEY, v INT)');
    await client.query('CREATE PROCEDURE number() INSERT INTO numbers (v) VALUES (1), (2)');
    await client.query('CREATE PROCEDURE nothing() DO 0');
    // It is known from here on that somebody asks.
    await client.rows('SELECT LAST_INSERT_ID()');
    await client.query('CALL number()');
    await other.query('INSERT INTO numbers (v) VALUES (3)');
    expect(await client.rows('SELECT LAST_INSERT_ID()')).toEqual([['1']]);
    await other.query('INSERT INTO numbers (v) VALUES (4)');
    await client.query('CALL nothing()');
    expect(await client.rows('SELECT LAST_INSERT_ID()')).toEqual([['1']]);
    await client.query('DROP TABLE numbers; DROP PROCEDURE number; DROP PROCEDURE nothing');
    await Promise.all([client.end(), other.end()]);
  });

  test('COM_PING, COM_STMT_RESET tell nothing of the statement of somebody else', async () => {
    const [client, other] = [await signIn('app'), await signIn('app')];
    client.send(Buffer.from([command.stmtPrepare, ...Buffer.from('SELECT 5')]));
    await client.reply('prepared');
    await other.query(`DO CAST('12x' AS SIGNED)`);
    await other.query('SELECT * FROM information_schema.schemata');
    for (const payload of [[command.ping], [command.stmtReset, 1, 0, 0, 0]]) {
      client.send(Uint8Array.from(payload));
      const [heard] = await client.reply('one');
      expect(Buffer.from(heard?.payload ?? []).toString('hex')).toBe('00000002000000');
    }
    await Promise.all([client.end(), other.end()]);
  });
});
