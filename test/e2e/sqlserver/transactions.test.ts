import { describe } from 'bun:test';
import { isolationLevel } from '../../../src/wire/tds/transaction-manager.ts';
import { describeTwins } from './twins.ts';
import type { Visitor } from './visitor.ts';

const COUNT = 'SELECT @@TRANCOUNT AS n';
/** `snapshot` needs a database that allows it. */
const levels = [
  isolationLevel.readUncommitted,
  isolationLevel.readCommitted,
  isolationLevel.repeatableRead,
  isolationLevel.serializable,
];

async function withTable(
  one: Visitor,
  work: (table: string, rows: string) => Promise<void>,
): Promise<void> {
  const table = one.name('t');
  await one.batch(`CREATE TABLE ${table} (id int PRIMARY KEY)`);
  await work(table, `SELECT id FROM ${table} ORDER BY id`);
  await one.batch(`DROP TABLE ${table}`);
}

describe('transactions', () => {
  describeTwins({
    'of the protocol, at each isolation level': {
      async script(one) {
        await withTable(one, async (table, rows) => {
          for (const level of levels) {
            await one.begin(level);
            await one.batches(`INSERT INTO ${table} VALUES (${level})`, COUNT, rows);
            await one.commit();
            await one.begin(level);
            await one.batches(`DELETE FROM ${table}`, rows);
            await one.rollback();
            await one.batches(COUNT, rows);
          }
        });
      },
    },
    'by SQL': {
      async script(one) {
        await withTable(one, async (table, rows) => {
          await one.batches(
            ...['BEGIN TRANSACTION', COUNT, `INSERT INTO ${table} VALUES (1)`, rows, 'COMMIT'],
            ...['BEGIN TRAN', `INSERT INTO ${table} VALUES (2)`, 'ROLLBACK TRAN', rows, COUNT],
            `BEGIN TRAN; INSERT INTO ${table} VALUES (3); COMMIT; SELECT 1 AS a`,
            `BEGIN TRAN; INSERT INTO ${table} VALUES (4)`,
            ...[rows, 'ROLLBACK', rows],
            "EXEC ('BEGIN TRAN'); SELECT @@TRANCOUNT AS n",
            ...[COUNT, 'IF @@TRANCOUNT > 0 ROLLBACK', COUNT],
          );
        });
      },
    },
    'by a procedure': {
      async script(one) {
        await withTable(one, async (table, rows) => {
          const procedure = one.name('p');
          await one.batch(
            `CREATE PROCEDURE ${procedure} AS BEGIN TRANSACTION; INSERT INTO ${table} VALUES (1); COMMIT; RETURN 3`,
          );
          await one.call(procedure);
          await one.batches(COUNT, rows, `DROP PROCEDURE ${procedure}`);
        });
      },
    },
    'within others, and savepoints': {
      async script(one) {
        await withTable(one, async (table, rows) => {
          await one.begin();
          await one.batch(`INSERT INTO ${table} VALUES (1)`);
          await one.save('first');
          await one.batch(`INSERT INTO ${table} VALUES (2)`);
          await one.rollback('first');
          await one.batches(rows, COUNT);
          await one.commit();
          await one.batches(
            ...['BEGIN TRAN', 'BEGIN TRAN', COUNT, `INSERT INTO ${table} VALUES (3)`, 'COMMIT'],
            ...[COUNT, 'SAVE TRAN second', `INSERT INTO ${table} VALUES (4)`],
            ...['ROLLBACK TRAN second', rows, 'COMMIT', COUNT, rows],
          );
        });
      },
    },
    'with errors in them': {
      async script(one) {
        await withTable(one, async (table, rows) => {
          await one.begin();
          await one.batches(
            `INSERT INTO ${table} VALUES (1)`,
            `INSERT INTO ${table} VALUES (1)`,
            ...[COUNT, rows],
          );
          await one.commit();
          await one.batch(rows);
          await one.batch('SET XACT_ABORT ON');
          await one.begin();
          await one.batches(`INSERT INTO ${table} VALUES (1)`, COUNT);
          await one.batches('IF @@TRANCOUNT > 0 ROLLBACK', 'SET XACT_ABORT OFF', rows);
          await one.batches('COMMIT', 'ROLLBACK', 'SAVE TRAN nothing', COUNT);
          await one.begin();
          await one.batches('SELECT * FROM sluice_nowhere', COUNT, 'SELEC', COUNT);
          await one.batch('IF @@TRANCOUNT > 0 ROLLBACK');
          await one.batch(COUNT);
        });
      },
    },
    'that begin by themselves': {
      async script(one) {
        await withTable(one, async (table, rows) => {
          await one.batches(
            ...['SET IMPLICIT_TRANSACTIONS ON', COUNT, `INSERT INTO ${table} VALUES (1)`, COUNT],
            ...['ROLLBACK', COUNT, rows, COUNT, 'COMMIT'],
            ...[`INSERT INTO ${table} VALUES (2)`, 'COMMIT', rows, 'COMMIT'],
            ...['SET IMPLICIT_TRANSACTIONS OFF', COUNT, rows],
          );
        });
      },
    },
    'that begin by themselves, from the beginning': {
      options: { enableImplicitTransactions: true },
      async script(one) {
        await withTable(one, async (table, rows) => {
          await one.batches('COMMIT', COUNT, `INSERT INTO ${table} VALUES (1)`, COUNT, 'COMMIT');
          await one.batches(rows, 'COMMIT');
        });
        await one.batches('COMMIT', COUNT);
      },
    },
    'with isolation levels by SQL': {
      async script(one) {
        await withTable(one, async (table, rows) => {
          await one.batches(
            ...['SET TRANSACTION ISOLATION LEVEL SERIALIZABLE', 'BEGIN TRAN', rows],
            ...[`INSERT INTO ${table} VALUES (1)`, 'COMMIT', rows],
            ...['SET TRANSACTION ISOLATION LEVEL READ COMMITTED', rows],
          );
        });
      },
    },
    'with a reset of the connection between them': {
      async script(one) {
        await withTable(one, async (_, rows) => {
          await one.batch('SET LOCK_TIMEOUT 1234');
          await one.reset();
          await one.batches('SELECT @@LOCK_TIMEOUT AS t', COUNT, rows);
        });
      },
    },
  });
});
