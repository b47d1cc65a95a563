import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { TYPES } from 'tedious';
import type { PinReason } from '../../../src/core/pin.ts';
import { openSqlServerStage } from './stage.ts';
import type { SqlServerStage } from './stage.ts';
import { addedPins, expectNothingLeft, pinsOf } from './twins.ts';
import type { Script } from './twins.ts';
import { Visitor } from './visitor.ts';

/** What clients do, and what that pins in Amazon RDS Proxy beyond what signing in does. */
const habits: Readonly<Record<string, readonly [pins: readonly PinReason[], script: Script]>> = {
  'a query': [[], (one) => one.batch('SELECT 1 AS a')],
  'a query with parameters': [[], (one) => one.sql('SELECT @a AS a', ['a', TYPES.Int, 1])],
  'SET of what it tracks': [[], (one) => one.batch('SET LOCK_TIMEOUT 5; SET DATEFIRST 1')],
  'SET of what it does not track': [['setting'], (one) => one.batch('SET NOCOUNT ON')],
  USE: [[], (one) => one.batch('USE tempdb')],
  'a transaction by SQL': [
    ['explicitTransaction'],
    (one) => one.batches('BEGIN TRANSACTION', 'SELECT 1 AS a', 'COMMIT'),
  ],
  'a transaction of the protocol': [
    ['explicitTransaction'],
    async (one) => {
      await one.begin();
      await one.commit();
    },
  ],
  'a prepared statement': [
    ['preparedStatement'],
    async (one) => one.unprepare(await one.prepare('SELECT @a AS a', ['a', TYPES.Int])),
  ],
  'a temporary table': [
    ['temporaryObject'],
    (one) => one.batches('CREATE TABLE #t (a int)', 'DROP TABLE #t'),
  ],
  'a long text': [['longStatement'], (one) => one.batch(`SELECT N'${'x'.repeat(17_000)}' AS a`)],
};

describe('pinning: aws', () => {
  let here: SqlServerStage;
  beforeAll(async () => {
    // tedious sets what pins there when it signs in.
    here = await openSqlServerStage({
      connections: 3,
      proxy: {
        pinning: 'aws',
        pool: { connectionBorrowTimeout: 20, maxConnectionsPercent: 100 },
      },
    });
  });
  afterAll(() => here.stage.close());

  test.each(Object.entries(habits))('%s', async (_, [pins, script]) => {
    const before = await pinsOf(here);
    const one = await Visitor.arrive({ server: here.proxied });
    await script(one);
    // Nothing but the session's end ends it.
    expect(await one.value('SELECT @@TRANCOUNT')).toBe('0');
    expect(await here.stage.metric('sluice_database_connections_currently_session_pinned')).toBe(1);
    await one.end();
    const expected = [...new Set(['setting', ...pins])].toSorted();
    expect(addedPins(before, await pinsOf(here))).toEqual(expected);
  });

  test('nothing is left behind', () => expectNothingLeft(here));
});
