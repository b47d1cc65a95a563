import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { TYPES } from 'tedious';
import { isolationLevel } from '../../../src/wire/tds/transaction-manager.ts';
import { withSqlServer } from '../../support/sqlserver.ts';
import { openSqlServerStage } from './stage.ts';
import type { SqlServerStage } from './stage.ts';
import { addedPins, expectNothingLeft, pinsOf } from './twins.ts';
import type { Prepared } from './visitor.ts';
import { Visitor } from './visitor.ts';

const CLIENTS = 6;
const ROUNDS = 4;
/** Babelfish's sessions do not always find themselves in that view. */
const LEVEL =
  (await withSqlServer()).abilities.product === 'Babelfish'
    ? "SELECT CASE current_setting('default_transaction_isolation') WHEN 'read committed' THEN 2 ELSE 4 END"
    : 'SELECT transaction_isolation_level FROM sys.dm_exec_sessions WHERE session_id = @@SPID';

describe.each([1, 2, 3])('GX-01: clients who share %d connections', (connections) => {
  let here: SqlServerStage;
  beforeAll(async () => {
    here = await openSqlServerStage({ connections });
  });
  afterAll(() => here.stage.close());

  /** Each round begins for all of them at once, and who gets which connection changes. */
  async function inRounds(
    prepare: (one: Visitor, n: number) => Promise<void>,
    check: (one: Visitor, n: number, round: number) => Promise<void>,
  ): Promise<readonly string[]> {
    const before = await pinsOf(here);
    const visitors = await Promise.all(
      Array.from({ length: CLIENTS }, (_, n) =>
        Visitor.arrive({ server: here.proxied, mark: `p${n}_` }),
      ),
    );
    await Promise.all(visitors.map(prepare));
    for (let round = 0; round < ROUNDS; round += 1)
      await Promise.all(visitors.map((one, n) => check(one, n, round)));
    await Promise.all(visitors.map((one) => one.end()));
    return addedPins(before, await pinsOf(here));
  }

  test('have settings of their own', async () => {
    const pins = await inRounds(
      async (one, n) => {
        await one.batches(
          `SET LOCK_TIMEOUT ${1_000 + n}; SET DATEFIRST ${1 + n}`,
          n % 2 === 0 ? 'SET NOCOUNT ON' : 'SET QUOTED_IDENTIFIER OFF',
        );
      },
      async (one, n, round) => {
        expect(await one.value('SELECT @@LOCK_TIMEOUT')).toBe(String(1_000 + n + round * 100));
        expect(await one.value('SELECT @@DATEFIRST')).toBe(String(1 + n));
        const options = Number(await one.value('SELECT @@OPTIONS'));
        expect([options & 512, options & 256]).toEqual(n % 2 === 0 ? [512, 256] : [0, 0]);
        // Nobody but the server knows whether that is run.
        await one.batch(`IF DB_ID() > 0 SET LOCK_TIMEOUT ${1_100 + n + round * 100}`);
      },
    );
    expect(pins).toEqual([]);
  });

  test('are in databases of their own', async () => {
    const { database } = here.server;
    const names = [database, 'tempdb', 'master'];
    const pins = await inRounds(
      (one, n) => one.batch(`USE ${names[n % 3]}`),
      async (one, n) => expect(await one.value('SELECT DB_NAME()')).toBe(names[n % 3] ?? ''),
    );
    expect(pins).toEqual([]);
  });

  test('have isolation levels of their own', async () => {
    const levels = [isolationLevel.readCommitted, isolationLevel.serializable];
    const pins = await inRounds(
      async (one, n) => {
        await one.begin(levels[n % 2]);
        await one.commit();
      },
      async (one, n) => expect(await one.value(LEVEL)).toBe(String(levels[n % 2])),
    );
    expect(pins).toEqual([]);
  });

  test('have prepared statements of their own, whose numbers are the same', async () => {
    const statements = new Map<Visitor, Prepared | undefined>();
    const pins = await inRounds(
      async (one, n) => {
        const sql = `SELECT @a + ${n * 1_000} AS c`;
        statements.set(one, await one.prepare(sql, ['a', TYPES.Int]));
      },
      async (one, n, round) => {
        await one.execute(statements.get(one), { a: round });
        expect(one.lines.findLast((line) => line.startsWith('ROW'))).toBe(
          `ROW [${n * 1_000 + round}]`,
        );
      },
    );
    expect(pins).toEqual([]);
  });

  test('have temporary tables of one name', async () => {
    const pins = await inRounds(
      async () => {},
      async (one, n, round) => {
        await one.batches('CREATE TABLE #mine (n int)', `INSERT INTO #mine VALUES (${n})`);
        if (round % 2 === 1) await one.batch(`INSERT INTO #mine VALUES (${100 + n})`);
        const expected = round % 2 === 1 ? [n, 100 + n] : [n];
        expect(await one.values('SELECT n FROM #mine ORDER BY n')).toEqual(expected.map(String));
        if (round % 2 === 0) await one.batch('DROP TABLE #mine');
        else await one.reset();
      },
    );
    expect(pins).toEqual(['temporaryObject']);
  });

  test('have transactions of their own', async () => {
    const table = `sluice_isolation_${connections}_${process.pid}`;
    await here.server.query(`CREATE TABLE ${table} (id int PRIMARY KEY)`);
    const pins = await inRounds(
      async () => {},
      async (one, n, round) => {
        const id = n * ROUNDS + round;
        if (n % 2 === 0) await one.begin();
        else await one.batch('BEGIN TRANSACTION');
        await one.batch(`INSERT INTO ${table} VALUES (${id})`);
        expect(await one.value('SELECT @@TRANCOUNT')).toBe('1');
        if (round % 2 === 0) await one.commit();
        else await one.batch('ROLLBACK');
        expect(await one.value('SELECT @@TRANCOUNT')).toBe('0');
      },
    );
    expect(pins).toEqual([]);
    const kept = await here.server.query(`SELECT COUNT(*) FROM ${table}`);
    expect(kept).toEqual([[String((CLIENTS * ROUNDS) / 2)]]);
    await here.server.query(`DROP TABLE ${table}`);
  });

  test('leave nothing to each other: whoever comes next begins anew', async () => {
    for (let n = 0; n < CLIENTS; n += 1) {
      const one = await Visitor.arrive({ server: here.proxied });
      expect(await one.value('SELECT @@LOCK_TIMEOUT')).toBe('-1');
      expect(await one.value('SELECT @@TRANCOUNT')).toBe('0');
      expect(await one.value('SELECT DB_NAME()')).toBe(here.server.database);
      expect(await one.value(LEVEL)).toBe('2');
      await one.batches('CREATE TABLE #mine (n int)', 'SET LOCK_TIMEOUT 7', 'USE tempdb');
      await one.begin(isolationLevel.serializable);
      await one.end();
    }
  });

  test('nothing is left behind', () => expectNothingLeft(here));
});
