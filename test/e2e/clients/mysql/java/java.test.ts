import { afterAll, beforeAll } from 'bun:test';
import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compile } from '../../compile.ts';
import { describeMysqlDrivers } from '../driver.ts';

const DRIVER = '/usr/share/java/mariadb-java-client.jar';
const directory = mkdtempSync(join(tmpdir(), 'sluice-java-'));

beforeAll(() =>
  compile(
    ['javac', '-d', directory, '-cp', DRIVER, '-Werror', 'Scenarios.java'],
    import.meta.dirname,
  ),
);
afterAll(() => rm(directory, { recursive: true }));

describeMysqlDrivers([
  {
    client: 'MariaDB Connector/J',
    // Each scenario is short: its code is not worth the better compiler.
    command: ['java', '-XX:TieredStopAtLevel=1', '-cp', `${directory}:${DRIVER}`, 'Scenarios'],
    tls: false,
    scenarios: {
      settings: [],
      prepared: [],
      transactions: [],
      batches: [],
      results: [],
      cancel: [],
      metadata: [],
      temporaryTables: ['temporaryObject'],
    },
  },
]);
