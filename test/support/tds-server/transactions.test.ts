import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test';
import { BareClient, parameter } from './client.ts';
import type { TdsServer } from './server.ts';
import { startTdsServer } from './server.ts';

const IN_TRANSACTION = 4;
let server: TdsServer;
let client: BareClient;
let other: BareClient;
beforeAll(async () => {
  server = await startTdsServer({ encrypt: 'none' });
  client = await BareClient.logIn(server.port);
  other = await BareClient.logIn(server.port);
  await client.batch(
    "CREATE TABLE t (id int PRIMARY KEY, v nvarchar(20)); INSERT t VALUES (1, N'one'), (2, N'two')",
  );
});
afterEach(async () => {
  for (const one of [client, other])
    await one.batch(
      'IF @@TRANCOUNT > 0 ROLLBACK; SET XACT_ABORT OFF; SET LOCK_TIMEOUT -1; SET IMPLICIT_TRANSACTIONS OFF',
    );
  expect(server.offences).toEqual([]);
  expect(server.failures).toEqual([]);
});
afterAll(() => server.stop());

const types = ({ changes }: { changes: readonly { type: number }[] }): number[] =>
  changes.map(({ type }) => type);

describe('transactions are told', () => {
  test('TD-19: those of a batch, with the same tokens as those of requests', async () => {
    const begun = await client.batch('BEGIN TRAN');
    expect(types(begun)).toEqual([8]);
    expect(begun.dones).toMatchObject([{ status: IN_TRANSACTION, command: 0xd4 }]);
    expect((await client.batch('SELECT 1')).dones).toMatchObject([
      { status: IN_TRANSACTION | 0x10 },
    ]);
    expect(types(await client.batch('BEGIN TRAN'))).toEqual([]);
    expect(types(await client.batch('COMMIT'))).toEqual([]);
    const ended = await client.batch('COMMIT');
    expect(types(ended)).toEqual([9]);
    expect(ended.dones).toMatchObject([{ status: 0, command: 0xd5 }]);
    expect(types(await client.batch('BEGIN TRAN; ROLLBACK'))).toEqual([8, 10]);
  });

  test('those of requests, one after the other, with savepoints and isolation levels', async () => {
    expect(types(await client.transact(5, Buffer.from([4, 2, 0x61, 0])))).toEqual([8]);
    expect(
      await client.value(
        'SELECT transaction_isolation_level FROM sys.dm_exec_sessions WHERE session_id = @@SPID',
      ),
    ).toBe(4);
    await client.batch("INSERT t VALUES (10, N'kept')");
    await client.transact(9, Buffer.from([4, 0x73, 0, 0x70, 0]));
    await client.batch("INSERT t VALUES (11, N'lost')");
    expect(types(await client.transact(8, Buffer.from([4, 0x73, 0, 0x70, 0, 0])))).toEqual([]);
    expect(types(await client.transact(7, Buffer.from([0, 1, 2, 0])))).toEqual([9, 8]);
    expect(await client.rows('SELECT id FROM t WHERE id > 9')).toEqual([[10]]);
    expect(types(await client.transact(8, Buffer.from([0, 0])))).toEqual([10]);
    await client.batch('DELETE t WHERE id = 10; SET TRANSACTION ISOLATION LEVEL READ COMMITTED');
    expect((await client.transact(8, Buffer.from([0, 0]))).errors[0]?.number).toBe(3903);
    expect((await client.transact(0, Buffer.alloc(0))).errors[0]?.number).toBe(8501);
  });

  test('TD-20: an implicit one begins with the statement that needs it', async () => {
    await client.batch('SET IMPLICIT_TRANSACTIONS ON');
    expect(types(await client.batch('SELECT 1'))).toEqual([]);
    expect(types(await client.batch('SELECT id FROM t'))).toEqual([8]);
    expect(types(await client.batch('ROLLBACK'))).toEqual([10]);
  });

  test('TD-19: one that EXEC, sp_executesql or a procedure begins stays open, with 266', async () => {
    for (const begin of [
      async () => await client.batch("EXEC('BEGIN TRAN')"),
      async () => await client.call(10, [parameter('BEGIN TRAN')]),
      async () => await client.call('sluice_begin', []),
    ]) {
      const answer = await begin();
      expect(types(answer)).toEqual([8]);
      expect(answer.errors[0]?.number).toBe(266);
      expect((answer.dones.at(-1)?.status ?? 0) & IN_TRANSACTION).toBe(IN_TRANSACTION);
      expect(await client.value('SELECT @@TRANCOUNT')).toBe(1);
      await client.batch('ROLLBACK');
    }
  });

  test('Babelfish tells nothing of those in a batch', async () => {
    const babelfish = await startTdsServer({ encrypt: 'none', manner: 'babelfish' });
    const one = await BareClient.logIn(babelfish.port);
    const begun = await one.batch('BEGIN TRAN');
    expect(begun.changes).toEqual([]);
    expect(begun.dones).toMatchObject([{ status: 0 }]);
    expect(await one.value('SELECT @@TRANCOUNT')).toBe(1);
    await one.batch('ROLLBACK');
    expect(types(await one.transact(5, Buffer.from([0, 0])))).toEqual([8]);
    await babelfish.stop();
  });
});

describe('what errors do', () => {
  test('a statement’s error ends the statement, and with XACT_ABORT all', async () => {
    const lax = await client.batch(
      "BEGIN TRAN; INSERT t VALUES (20, N'x'); INSERT t VALUES (1, N'again'); SELECT 1/0; SELECT COUNT(*) FROM t WHERE id = 20",
    );
    expect(lax.errors.map(({ number }) => number)).toEqual([2627, 8134]);
    expect(lax.sets.at(-1)?.rows).toEqual([[1]]);
    await client.batch('ROLLBACK; SET XACT_ABORT ON');
    const strict = await client.batch("BEGIN TRAN; INSERT t VALUES (1, N'again'); SELECT 1");
    expect(types(strict)).toEqual([8, 10]);
    expect(strict.sets).toEqual([]);
    expect(await client.value('SELECT @@TRANCOUNT')).toBe(0);
  });

  test('an unknown table ends the batch, a failed conversion the transaction, too', async () => {
    const unknown = await client.batch('BEGIN TRAN; SELECT * FROM nope; SELECT 1');
    expect(unknown.errors[0]?.number).toBe(208);
    expect(unknown.sets).toEqual([]);
    expect(await client.value('SELECT @@TRANCOUNT')).toBe(1);
    expect(types(await client.batch("SELECT CAST('x' AS int)"))).toEqual([10]);
  });

  test('TRY catches; what is doomed can only be rolled back', async () => {
    const caught = await client.batch(
      'BEGIN TRY; SELECT 1/0; END TRY BEGIN CATCH; SELECT ERROR_NUMBER(), ERROR_MESSAGE(), XACT_STATE(); END CATCH',
    );
    expect(caught.errors).toEqual([]);
    expect(caught.sets.at(-1)?.rows).toEqual([[8134, 'Divide by zero error encountered.', 0]]);
    const doomed = await client.batch(
      'SET XACT_ABORT ON; BEGIN TRAN; BEGIN TRY; SELECT 1/0; END TRY BEGIN CATCH; SELECT XACT_STATE(); END CATCH',
    );
    expect(doomed.sets.at(-1)?.rows).toEqual([[-1]]);
    expect(doomed.errors.map(({ number }) => number)).toEqual([3998]);
    expect(types(doomed)).toEqual([8, 10]);
  });

  test('THROW and RAISERROR', async () => {
    const answer = await client.batch(
      "RAISERROR('note %s', 10, 2, 'x'); RAISERROR('bad %d', 16, 3, 7); THROW 51000, 'thrown', 4; SELECT 1",
    );
    expect(answer.infos).toMatchObject([{ message: 'note x', severity: 10, state: 2 }]);
    expect(answer.errors).toMatchObject([
      { number: 50_000, message: 'bad 7', state: 3 },
      { number: 51_000, message: 'thrown', state: 4 },
    ]);
    expect(answer.sets).toEqual([]);
  });
});

describe('two sessions', () => {
  test('see only what is committed, unless they read dirtily', async () => {
    await client.batch(
      "BEGIN TRAN; UPDATE t SET v = N'changed' WHERE id = 1; INSERT t VALUES (30, N'new'); DELETE t WHERE id = 2",
    );
    expect(await other.rows('SELECT id, v FROM t ORDER BY id')).toEqual([
      [1, 'one'],
      [2, 'two'],
    ]);
    expect(await other.rows('SELECT id, v FROM t WITH (NOLOCK) ORDER BY id')).toEqual([
      [1, 'changed'],
      [30, 'new'],
    ]);
    await client.batch('ROLLBACK');
    expect(await other.rows('SELECT id, v FROM t WITH (NOLOCK) ORDER BY id')).toEqual([
      [1, 'one'],
      [2, 'two'],
    ]);
  });

  test('wait for each other’s rows, for LOCK_TIMEOUT at most', async () => {
    await client.batch("BEGIN TRAN; UPDATE t SET v = N'changed' WHERE id = 1");
    await other.batch('SET LOCK_TIMEOUT 20');
    expect((await other.batch("UPDATE t SET v = N'mine' WHERE id = 1")).errors[0]?.number).toBe(
      1222,
    );
    expect((await other.batch("UPDATE t SET v = N'two' WHERE id = 2")).errors).toEqual([]);
    await other.batch('SET LOCK_TIMEOUT -1');
    other.sendBatch("UPDATE t SET v = v + N'!' WHERE id = 1");
    await client.batch('COMMIT');
    expect((await other.answer()).dones).toMatchObject([{ count: 1 }]);
    expect(await client.value('SELECT v FROM t WHERE id = 1')).toBe('changed!');
    await client.batch("UPDATE t SET v = N'one' WHERE id = 1");
  });

  test('a new key waits for the one that may have taken it', async () => {
    await client.batch("BEGIN TRAN; INSERT t VALUES (40, N'a')");
    other.sendBatch("INSERT t VALUES (40, N'b')");
    await client.batch('ROLLBACK');
    expect((await other.answer()).errors).toEqual([]);
    expect(await client.value('SELECT v FROM t WHERE id = 40')).toBe('b');
    await client.batch('DELETE t WHERE id = 40');
  });

  test('a deadlock has one victim, and the other goes on', async () => {
    await client.batch("BEGIN TRAN; UPDATE t SET v = N'c' WHERE id = 1");
    await other.batch("BEGIN TRAN; UPDATE t SET v = N'o' WHERE id = 2");
    const count = server.requests.length;
    client.sendBatch("UPDATE t SET v = N'c' WHERE id = 2");
    await server.until(() => server.requests.length > count);
    const victim = await other.batch("UPDATE t SET v = N'o' WHERE id = 1");
    expect(victim.errors[0]).toMatchObject({ number: 1205, severity: 13 });
    expect(types(victim)).toEqual([10]);
    expect((await client.answer()).errors).toEqual([]);
    expect(await client.value('SELECT @@TRANCOUNT')).toBe(1);
  });

  test('application locks are waited for, and go with their owner', async () => {
    expect(
      (
        await client.call('sp_getapplock', [
          parameter('r'),
          parameter('Exclusive'),
          parameter('Session'),
        ])
      ).returnStatus,
    ).toBe(0);
    const late = await other.batch(
      "DECLARE @r int; EXEC @r = sp_getapplock @Resource = 'r', @LockMode = 'Shared', @LockOwner = 'Session', @LockTimeout = 0; SELECT @r, APPLOCK_MODE('public', 'r', 'Session')",
    );
    expect(late.sets[0]?.rows).toEqual([[-1, 'NoLock']]);
    other.sendBatch(
      "DECLARE @r int; EXEC @r = sp_getapplock 'r', 'Shared', 'Session', -1; SELECT @r",
    );
    expect(
      (await client.call('sp_releaseapplock', [parameter('r'), parameter('Session')])).returnStatus,
    ).toBe(0);
    expect((await other.answer()).sets[0]?.rows).toEqual([[1]]);
    await other.batch('SELECT 1', 8);
    expect(await client.value("SELECT APPLOCK_TEST('public', 'r', 'Exclusive', 'Session')")).toBe(
      1,
    );
  });
});
