import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { Stage } from './stage.ts';

/** More than there are connections. */
const CLIENTS = 12;
const TRANSACTIONS = 40;

for (const version of [18, 14] as const) {
  describe(`pgbench with PostgreSQL ${version}`, () => {
    let stage: Stage;
    beforeAll(async () => {
      stage = await Stage.open({ version, connections: 4 });
      await stage.succeed(['pgbench', '-i', '-q', '-s', '1']);
    });
    afterAll(() => stage.close());

    async function bench(
      flags: readonly string[],
      clients: number,
      sslmode: string,
    ): Promise<void> {
      const command = ['pgbench', '-n', '-j2', `-c${clients}`, `-t${TRANSACTIONS}`, ...flags];
      const out = await stage.succeed(command, { env: { PGSSLMODE: sslmode } });
      const expected = clients * TRANSACTIONS;
      expect(out).toContain(`number of transactions actually processed: ${expected}/${expected}`);
      expect(out).toContain('number of failed transactions: 0 (0.000%)');
    }

    for (const sslmode of ['disable', 'verify-full']) {
      describe(`sslmode=${sslmode}`, () => {
        for (const mode of ['simple', 'extended']) {
          test(`${mode}, select only`, () => bench(['-S', `-M${mode}`], CLIENTS, sslmode));
          test(`${mode}, TPC-B`, () => bench([`-M${mode}`], CLIENTS, sslmode));
          test(`${mode}, a connection for each transaction`, () =>
            bench(['-S', '-C', `-M${mode}`], CLIENTS, sslmode));
        }
        // A named statement pins its session: there must be a connection for each.
        test('prepared, select only', () => bench(['-S', '-Mprepared'], 4, sslmode));
        test('prepared, TPC-B', () => bench(['-Mprepared'], 4, sslmode));
      });
    }

    test('TPC-B has moved no money', async () => {
      const out = await stage.succeed([
        ...['psql', '-X', '-A', '-t', '-c'],
        `SELECT (SELECT sum(abalance) FROM pgbench_accounts) = (SELECT sum(tbalance) FROM pgbench_tellers),
          (SELECT sum(bbalance) FROM pgbench_branches) = (SELECT sum(delta) FROM pgbench_history),
          (SELECT count(*) FROM pgbench_history)`,
      ]);
      const runs = 2 * (2 * CLIENTS + 4) * TRANSACTIONS;
      expect(out).toBe(`t|t|${runs}\n`);
    });

    test('nothing is left behind', async () => {
      await stage.expectClean();
      expect(stage.discards('violation', 'bytesWhileIdle', 'resetFailed')).toEqual([]);
    });
  });
}
