import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { eventually } from '../clients/stage.ts';
import { openSqlServerStage } from './stage.ts';
import type { SqlServerStage } from './stage.ts';
import { Visitor } from './visitor.ts';

describe('GX-10: connections that are killed', () => {
  let here: SqlServerStage;
  beforeAll(async () => {
    here = await openSqlServerStage();
  });
  afterAll(() => here.stage.close());

  /** False where the login may not. */
  async function kill(spid: string | undefined): Promise<boolean> {
    try {
      await here.server.query(`KILL ${spid}`);
      return true;
    } catch {
      return false;
    }
  }

  test('between two requests: nobody notices', async () => {
    const one = await Visitor.arrive({ server: here.proxied });
    for (let round = 0; round < 3; round += 1) {
      const spid = await one.value('SELECT @@SPID');
      if (!(await kill(spid))) break;
      const count = round + 1;
      await eventually(
        async () => here.stage.sluice.logs('serverDiscarded').length,
        (discarded) => discarded >= count,
      );
      await one.batch('SET LOCK_TIMEOUT 5');
      expect(await one.value('SELECT @@LOCK_TIMEOUT')).toBe('5');
    }
    await one.end();
  });

  test('in a transaction: its session ends, and no other', async () => {
    const [one, other] = await Promise.all(
      [1, 2].map(() => Visitor.arrive({ server: here.proxied })),
    );
    await one?.begin();
    if (await kill(await one?.value('SELECT @@SPID'))) await one?.gone;
    else await one?.end();
    expect(await other?.value('SELECT 2')).toBe('2');
    await other?.end();
    await here.stage.expectClean();
  });
});
