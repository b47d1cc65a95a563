import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { TYPES } from 'tedious';
import { openSqlServerStage } from './stage.ts';
import type { SqlServerStage } from './stage.ts';
import { expectNothingLeft, perform } from './twins.ts';
import type { Script } from './twins.ts';
import { Visitor } from './visitor.ts';

const CLIENTS = 5;
const WAITS = "WAITFOR DELAY '00:00:20'";
const ten = '(VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9))';
/** A hundred thousand rows, which take a while to be sent. */
const MANY = `SELECT a.n, N'row' AS text FROM ${ten} AS a (n) CROSS JOIN ${ten} AS b (n) CROSS JOIN ${ten} AS c (n)
  CROSS JOIN ${ten} AS d (n)`;

describe('requests that are stopped', () => {
  let here: SqlServerStage;
  beforeAll(async () => {
    here = await openSqlServerStage();
  });
  afterAll(() => here.stage.close());

  async function withVisitors(
    count: number,
    work: (visitor: Visitor, n: number, all: readonly Visitor[]) => Promise<void>,
  ): Promise<void> {
    const visitors = await Promise.all(
      Array.from({ length: count }, () => Visitor.arrive({ server: here.proxied })),
    );
    await Promise.all(visitors.map(work));
    await Promise.all(visitors.map((one) => one.end()));
  }

  test.each([0, 1, 50, 1_000])('TD-08: while they wait, after %d ms', async (afterMs) => {
    if (!here.server.abilities.waits) return;
    const started = performance.now();
    await withVisitors(CLIENTS, async (one, n) => {
      expect(await one.stopped(WAITS, afterMs)).toBe('stopped');
      expect(await one.value(`SELECT ${n}`)).toBe(String(n));
    });
    expect(performance.now() - started).toBeLessThan(15_000);
  });

  test.each([0, 1, 20, 100])('TD-08: while their rows come, after %d ms', async (afterMs) => {
    await withVisitors(CLIENTS, async (one, n) => {
      expect(['stopped', 'done']).toContain(await one.stopped(MANY, afterMs));
      expect(await one.value(`SELECT ${n}`)).toBe(String(n));
      expect(['stopped', 'done']).toContain(await one.stopped('SELECT 1', afterMs));
      expect(await one.value(`SELECT ${n}`)).toBe(String(n));
    });
  });

  test.each([0, 1, 5])('TD-09: while they are sent, after %d ms', async (afterMs) => {
    await withVisitors(CLIENTS, async (one, n) => {
      const bytes = Buffer.alloc(2_000_000, n);
      const outcome = await one.stopped('SELECT DATALENGTH(@b)', afterMs, [
        'b',
        TYPES.VarBinary,
        bytes,
      ]);
      expect(['stopped', 'done']).toContain(outcome);
      expect(await one.value(`SELECT ${n}`)).toBe(String(n));
    });
  });

  test('TD-10: while they wait for a connection', async () => {
    const [first, second, third] = await Promise.all(
      [1, 2, 3].map(() => Visitor.arrive({ server: here.proxied })),
    );
    await first?.begin();
    await second?.begin();
    expect(await third?.stopped('SELECT 1', 100)).toBe('stopped');
    const answer = third?.value('SELECT 3');
    await first?.rollback();
    expect(await answer).toBe('3');
    await second?.rollback();
    await Promise.all([first, second, third].map((one) => one?.end()));
  });

  test('in a transaction, which stays as it would without a proxy', async () => {
    const script: Script = async (one) => {
      const table = one.name('t');
      await one.batch(`CREATE TABLE ${table} (id int)`);
      await one.begin();
      await one.batch(`INSERT INTO ${table} VALUES (1)`);
      await one.stopped(MANY, 5);
      await one.batches('SELECT @@TRANCOUNT AS n', `SELECT COUNT(*) AS n FROM ${table}`);
      await one.rollback();
      await one.batches('SELECT @@TRANCOUNT AS n', `SELECT COUNT(*) AS n FROM ${table}`);
      await one.batch(`DROP TABLE ${table}`);
    };
    const direct = await perform({ script }, here.server);
    const proxied = await Promise.all([1, 2, 3].map(() => perform({ script }, here.proxied)));
    for (const lines of proxied) expect(lines).toEqual(direct);
  });

  test('nothing is left behind', () => expectNothingLeft(here));
});
