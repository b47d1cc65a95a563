import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { BareClient, parameter } from './client.ts';
import type { TdsServer } from './server.ts';
import { startTdsServer } from './server.ts';
import { outcomeOf } from '../outcome.ts';

let server: TdsServer;
beforeAll(async () => {
  server = await startTdsServer({
    encrypt: 'none',
    users: { sa: 'Secret-1', app: 'Secret-2' },
    databases: ['shop', 'other'],
    grants: { app: ['shop'] },
    defaultDatabases: { app: 'shop' },
  });
});
afterAll(async () => {
  expect(server.failures).toEqual([]);
  await server.stop();
});

describe('signing in', () => {
  test('tells database, language, collation, version and packet size', async () => {
    const client = await BareClient.open(server.port);
    const answer = await client.signIn({ database: 'Shop', packetBytes: 8000 });
    expect(
      answer.changes.map(({ type, now }) => [type, typeof now === 'string' ? now : now.length]),
    ).toEqual([
      [1, 'shop'],
      [7, 5],
      [2, 'us_english'],
      [4, '8000'],
    ]);
    expect(answer.infos.map(({ number }) => number)).toEqual([5701, 5703]);
    expect(answer.loginVersion).toBe(0x74000004);
    expect(answer.dones).toHaveLength(1);
    client.close();
  });

  test.each([
    ['a wrong password', { password: 'x' }, [18_456]],
    ['an unknown user', { user: 'nobody' }, [18_456]],
    ['an unknown database', { database: 'nix' }, [4060, 18_456]],
    [
      'a database that is not granted',
      { user: 'app', password: 'Secret-2', database: 'other' },
      [4060, 18_456],
    ],
  ])('%s is refused', async (_what, options, numbers) => {
    const client = await BareClient.open(server.port);
    const answer = await client.signIn(options);
    expect(answer.errors.map(({ number }) => number)).toEqual(numbers);
    expect(answer.loginVersion).toBeUndefined();
    await client.closed();
  });

  test('packet sizes lie between 512 and 32767', async () => {
    for (const [asked, given] of [
      [0, 4096],
      [100, 512],
      [512, 512],
      [40_000, 32_767],
    ] as const) {
      const client = await BareClient.logIn(server.port, { packetBytes: asked });
      expect(client.packetBytes).toBe(given);
      expect(
        await client.value(`SELECT REPLICATE(CAST(N'x' AS nvarchar(max)), 40000)`),
      ).toHaveLength(40_000);
      client.close();
    }
  });

  test('only UTF8_SUPPORT is acknowledged of the features', async () => {
    const client = await BareClient.open(server.port);
    const features = [1, 4, 10].map((id) => ({ id, data: Uint8Array.of(1) }));
    const answer = await client.signIn({ features });
    expect(answer.features).toEqual([{ id: 10, data: Uint8Array.of(1) }]);
    expect(server.sessions().at(-1)?.features).toEqual([1, 4, 10]);
    client.close();
  });

  test('more connections than there may be are refused', async () => {
    const few = await startTdsServer({ encrypt: 'none', maxConnections: 1 });
    const first = await BareClient.logIn(few.port);
    const second = await BareClient.open(few.port);
    expect((await second.signIn()).errors[0]).toMatchObject({ number: 17_809, severity: 20 });
    first.close();
    await few.stop();
  });

  test('TD-27: logins are routed, or those of readers only', async () => {
    const routing = await startTdsServer({ encrypt: 'none' });
    routing.routeTo('reader.example', 1433, true);
    const reader = await BareClient.open(routing.port);
    const told = await reader.signIn({ isReadOnly: true });
    expect(told.changes.find(({ type }) => type === 20)?.now).toBe('reader.example:1433');
    await reader.closed();
    const writer = await BareClient.logIn(routing.port);
    expect(await writer.value('SELECT 1')).toBe(1);
    writer.close();
    await routing.stop();
  });
});

describe('a session', () => {
  test('knows who it is', async () => {
    const client = await BareClient.logIn(server.port, {
      ...{ user: 'app', password: 'Secret-2', appName: 'an app', hostName: 'a host' },
    });
    expect(
      await client.rows('SELECT APP_NAME(), HOST_NAME(), SUSER_SNAME(), DB_NAME(), @@LANGUAGE'),
    ).toEqual([['an app', 'a host', 'app', 'shop', 'us_english']]);
    const spid = await client.value('SELECT @@SPID');
    expect(server.sessions().map((one) => one.spid)).toContain(Number(spid));
    expect(
      await client.rows(
        'SELECT session_id, program_name, transaction_isolation_level FROM sys.dm_exec_sessions WHERE session_id = @@SPID',
      ),
    ).toEqual([[spid, 'an app', 2]]);
    client.close();
  });

  test('SET counts in a batch, and ends with sp_executesql, EXEC and procedures', async () => {
    const client = await BareClient.logIn(server.port);
    expect(await client.value('SELECT @@OPTIONS')).toBe(5432);
    await client.batch('SET ARITHABORT, NOCOUNT ON; SET DATEFIRST 3; SET LOCK_TIMEOUT 50');
    await client.call(10, [
      parameter('SET NOCOUNT OFF; SET DATEFIRST 5; SET TRANSACTION ISOLATION LEVEL SERIALIZABLE'),
    ]);
    await client.batch("EXEC('SET LOCK_TIMEOUT 1; USE shop')");
    await client.batch('CREATE PROCEDURE sets AS SET DATEFIRST 6; SET LANGUAGE Deutsch');
    const answer = await client.batch('EXEC sets');
    expect(answer.changes).toMatchObject([
      { type: 2, now: 'Deutsch', before: 'us_english' },
      { type: 2, now: 'us_english', before: 'Deutsch' },
    ]);
    expect(
      await client.rows(
        'SELECT @@OPTIONS, @@DATEFIRST, @@LOCK_TIMEOUT, DB_NAME(), transaction_isolation_level FROM sys.dm_exec_sessions WHERE session_id = @@SPID',
      ),
    ).toEqual([[5432 + 64 + 512, 3, 50, 'master', 2]]);
    await client.batch('DROP PROCEDURE sets');
    client.close();
  });

  test('USE and SET LANGUAGE are told', async () => {
    const client = await BareClient.logIn(server.port);
    const answer = await client.batch('USE shop; SET LANGUAGE français');
    expect(answer.changes).toMatchObject([
      { type: 1, now: 'shop', before: 'master' },
      { type: 2, now: 'Français', before: 'us_english' },
    ]);
    expect(answer.infos.map(({ number }) => number)).toEqual([5701, 5703]);
    expect((await client.batch('USE nix')).errors[0]?.number).toBe(911);
    expect((await client.batch('SET NOSUCH ON')).errors[0]?.number).toBe(195);
    client.close();
  });

  test('TD-02, TD-03, TD-04: a reset leaves the isolation level and nothing else', async () => {
    const client = await BareClient.logIn(server.port);
    await client.batch(
      'CREATE TABLE #t (i int); SET DATEFIRST 2; USE shop; SET TRANSACTION ISOLATION LEVEL SERIALIZABLE; SET CONTEXT_INFO 0x01; BEGIN TRAN',
    );
    await client.batch(
      "EXEC sp_set_session_context 'k', 1; EXEC sp_getapplock 'r', 'Exclusive', 'Session'",
    );
    expect(client.transaction).not.toBe(0n);
    const answer = await client.batch(
      "SELECT @@TRANCOUNT, @@DATEFIRST, DB_NAME(), OBJECT_ID('tempdb..#t'), CONTEXT_INFO(), SESSION_CONTEXT(N'k')",
      8,
    );
    expect(answer.changes.map(({ type }) => type)).toEqual([18]);
    expect(answer.sets[0]?.rows).toEqual([[0, 7, 'master', null, null, null]]);
    expect(
      server
        .sessions()
        .find(({ spid }) => spid === Math.max(...server.sessions().map((one) => one.spid))),
    ).toMatchObject({
      ...{ isolation: 4, temporaryTables: 0, applicationLocks: 0 },
    });
    client.close();
  });

  test('a reset that skips the transaction keeps it', async () => {
    const client = await BareClient.logIn(server.port);
    await client.batch('SET NOCOUNT ON; BEGIN TRAN');
    const { transaction } = client;
    client.sendBatch('SELECT @@TRANCOUNT, @@OPTIONS', 16);
    expect((await client.answer()).sets[0]?.rows).toEqual([[1, 5432]]);
    client.transaction = transaction;
    expect((await client.batch('ROLLBACK')).errors).toEqual([]);
    client.close();
  });

  test('dies by KILL, and by an error of severity 20', async () => {
    const client = await BareClient.logIn(server.port);
    const other = await BareClient.logIn(server.port);
    await other.batch(`KILL ${String(await client.value('SELECT @@SPID'))}`);
    await client.closed();
    const answer = await other.batch("RAISERROR('enough', 20, 1) WITH LOG");
    expect(answer.errors[0]).toMatchObject({ number: 50_000, severity: 20 });
    await other.closed();
    await server.until(() => server.sessions().length === 0);
  });

  test('what it leaves open is rolled back', async () => {
    const client = await BareClient.logIn(server.port);
    await client.batch('CREATE TABLE gone (i int)');
    await client.batch('BEGIN TRAN; INSERT gone VALUES (1)');
    client.close();
    const other = await BareClient.logIn(server.port);
    await server.until(() => server.sessions().length === 1);
    expect(await other.value('SELECT COUNT(*) FROM gone WITH (NOLOCK)')).toBe(0);
    await other.batch('DROP TABLE gone');
    other.close();
  });

  test('requests can be seen, held and slowed down', async () => {
    server.requests.length = 0;
    const client = await BareClient.logIn(server.port);
    await client.call('sp_executesql', [
      parameter('SELECT @a'),
      parameter('@a int'),
      parameter(1, { name: '@a' }),
    ]);
    await client.transact(5, Buffer.from([2, 0]));
    await client.transact(8, Buffer.from([0, 0]));
    expect(server.requests.map(({ kind, text }) => [kind, text])).toEqual([
      ['sp_executesql', 'SELECT @a'],
      ['transaction', 'begin'],
      ['transaction', 'rollback'],
    ]);
    server.latencyMs = 30;
    const start = performance.now();
    await client.batch('SELECT 1');
    expect(performance.now() - start).toBeGreaterThan(25);
    server.latencyMs = 0;
    client.close();
  });

  test('replies may come in pieces, or break off', async () => {
    const client = await BareClient.logIn(server.port);
    server.pieceBytes = 3;
    expect(await client.value("SELECT REPLICATE('x', 500)")).toBe('x'.repeat(500));
    server.pieceBytes = undefined;
    server.breakAfter(10);
    client.sendBatch('SELECT 1');
    expect(await outcomeOf(client.message())).toThrow('closed');
    await client.closed();
  });

  test('a restart drops everybody and keeps the tables', async () => {
    const own = await startTdsServer({ encrypt: 'none' });
    const client = await BareClient.logIn(own.port);
    await client.batch('CREATE TABLE stays (i int)');
    await own.restart();
    await client.closed();
    const again = await BareClient.logIn(own.port);
    expect(await again.value('SELECT COUNT(*) FROM stays')).toBe(0);
    await own.stop();
  });
});
