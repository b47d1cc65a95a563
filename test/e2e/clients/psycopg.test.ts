import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { join } from 'node:path';
import { Stage } from './stage.ts';

const scenarios = {
  psycopg3: [
    'pipeline',
    'server_cursor',
    'held_cursor',
    'copy',
    'binary',
    'prepared',
    'cancel',
    'notify',
    'transactions',
    'crowd',
  ],
  psycopg2: ['copy_expert', 'named_cursor', 'autocommit', 'errors_told', 'notify', 'encoding'],
} as const;

const cases = [
  { version: 18, sslmode: 'disable' },
  { version: 18, sslmode: 'verify-full' },
  { version: 14, sslmode: 'disable' },
] as const;

for (const { version, sslmode } of cases) {
  describe(`Python with PostgreSQL ${version}, sslmode=${sslmode}`, () => {
    let stage: Stage;
    beforeAll(async () => {
      stage = await Stage.open({ version });
    });
    afterAll(() => stage.close());

    for (const [driver, names] of Object.entries(scenarios)) {
      for (const name of names) {
        test(`${driver}: ${name}`, async () => {
          const command = ['/usr/bin/python3', join(import.meta.dirname, `${driver}.py`), name];
          await stage.succeed(command, {
            env: { PGSSLMODE: sslmode, PYTHONDONTWRITEBYTECODE: '1' },
          });
        });
      }
    }

    test('nothing is left behind', async () => {
      await stage.expectClean();
      expect(stage.discards('violation', 'bytesWhileIdle', 'databaseClosed')).toEqual([]);
    });
  });
}
