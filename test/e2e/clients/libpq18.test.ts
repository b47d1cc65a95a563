import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { join } from 'node:path';
import { makeCertificate } from '../../support/certificates.ts';
import { libpq18 } from '../../support/libpq18.ts';
import { Stage } from './stage.ts';

const SCRIPT = join(import.meta.dirname, 'libpq18.py');

/** Protocol 3.2 or nothing. */
const newest = { PGMINPROTOCOLVERSION: '3.2', PGMAXPROTOCOLVERSION: '3.2' };
const ways = {
  'without TLS': { PGSSLMODE: 'disable' },
  'with TLS': { PGSSLMODE: 'verify-full', PGCHANNELBINDING: 'require' },
  'with direct TLS': {
    ...{ PGSSLMODE: 'verify-full', PGCHANNELBINDING: 'require' },
    PGSSLNEGOTIATION: 'direct',
  },
} as const;

for (const version of [18, 14] as const) {
  describe(`libpq 18 with PostgreSQL ${version}`, () => {
    let stage: Stage;
    beforeAll(async () => {
      stage = await Stage.open({ version, certificate: makeCertificate('RSA with SHA-256') });
    });
    afterAll(() => stage.close());

    const run = async (scenario: string, env: Readonly<Record<string, string>>): Promise<string> =>
      await stage.succeed(['/usr/bin/python3', SCRIPT, scenario], {
        env: { ...(await libpq18()), ...env },
      });

    for (const [name, env] of Object.entries(ways)) {
      test(`speaks protocol 3.2 ${name} (PG-26)`, async () => {
        expect(await run('version', { ...newest, ...env })).toBe("30002 ['5']\n");
      });

      test(`cancels ${name}, over a connection as encrypted (PG-27, PG-46)`, async () => {
        for (const protocol of [newest, {}])
          expect(await run('cancel', { ...protocol, ...env })).toBe("['57014'] ['5'] ['']\n");
      });
    }

    test('asks for the latest, and gets it (PG-26)', async () => {
      const latest = { PGMAXPROTOCOLVERSION: 'latest', PGSSLMODE: 'disable' };
      expect(await run('version', latest)).toBe("30002 ['5']\n");
    });

    test('the scenarios of psycopg, over protocol 3.2 and bound to TLS', async () => {
      const script = join(import.meta.dirname, 'python', 'psycopg3_scenarios.py');
      const library = 'import psycopg; print(psycopg.pq.version() // 10_000)';
      const found = await stage.succeed(['/usr/bin/python3', '-c', library], {
        env: await libpq18(),
      });
      expect(found).toBe('18\n');
      const env = { ...(await libpq18()), ...newest, ...ways['with TLS'] };
      const scenarios = stage.start(['/usr/bin/python3', '-B', script], env);
      for (const name of ['pipeline', 'copy', 'prepared', 'cancel', 'crowd'])
        await scenarios.play(name);
      await scenarios.end();
    });

    test('nothing is left behind', async () => {
      await stage.expectClean();
      expect(stage.discards('violation', 'bytesWhileIdle', 'databaseClosed')).toEqual([]);
    });
  });
}
