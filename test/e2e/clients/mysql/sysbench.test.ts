import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mysqlReleasesHere } from '../../../support/mysql.ts';
import { passwordOf } from '../../../support/sluice.ts';
import type { Stage } from '../stage.ts';
import { openMysqlStage } from './stage.ts';

/** More than there are connections. */
const THREADS = 12;
const EVENTS = 240;

describe.each([...(await mysqlReleasesHere())])('sysbench with %s', (release) => {
  let stage: Stage;
  const sysbench = async (workload: string, ...more: readonly string[]): Promise<string> => {
    const where = ['--mysql-host=127.0.0.1', `--mysql-port=${stage.port}`, '--mysql-user=app'];
    const who = [`--mysql-password=${passwordOf('app')}`, '--mysql-db=app', '--mysql-ssl=off'];
    const tables = ['--db-driver=mysql', '--tables=2', '--table-size=500'];
    return await stage.succeed(['sysbench', workload, ...where, ...who, ...tables, ...more]);
  };

  beforeAll(async () => {
    // It is made with a library that does not know MySQL's newer ways to sign in.
    const auth = [{ secret: 'app', clientPasswordAuthType: 'MYSQL_NATIVE_PASSWORD' }];
    stage = await openMysqlStage(release, { proxy: { auth } });
    await sysbench('oltp_read_write', 'prepare');
  });
  afterAll(async () => {
    await sysbench('oltp_read_write', 'cleanup');
    await stage.close();
  });

  const workloads = ['oltp_point_select', 'oltp_read_write', 'oltp_update_index', 'oltp_delete'];
  for (const workload of workloads) {
    test.each(['auto', 'disable'])(`${workload}, prepared statements: %s`, async (mode) => {
      const options = [`--threads=${THREADS}`, `--events=${EVENTS}`, '--time=0'];
      const said = await sysbench(workload, ...options, `--db-ps-mode=${mode}`, 'run');
      expect(said).toMatch(new RegExp(`total number of events: +${EVENTS}\\n`));
      // A transaction that has met another's lock is said again: that is the database's doing.
      expect(said).toMatch(/reconnects: +0 /);
    });
  }

  test('nothing pins, and nothing is left behind', async () => {
    expect(await stage.metric('sluice_pins_total')).toBe(0);
    await stage.expectClean();
    expect(stage.discards('violation', 'bytesWhileIdle', 'resetFailed')).toEqual([]);
  });
});
