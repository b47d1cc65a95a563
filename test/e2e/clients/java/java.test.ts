import { afterAll, beforeAll } from 'bun:test';
import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compile } from '../compile.ts';
import { describeDrivers } from '../driver.ts';

const DRIVER = '/usr/share/java/postgresql.jar';
const directory = mkdtempSync(join(tmpdir(), 'sluice-java-'));

beforeAll(() =>
  compile(
    ['javac', '-d', directory, '-cp', DRIVER, '-Werror', 'Scenarios.java'],
    import.meta.dirname,
  ),
);
afterAll(() => rm(directory, { recursive: true }));

describeDrivers([
  {
    client: 'pgjdbc',
    // Each scenario is short: its code is not worth the better compiler.
    command: ['java', '-XX:TieredStopAtLevel=1', '-cp', `${directory}:${DRIVER}`, 'Scenarios'],
    scenarios: {
      settings: [],
      statements: [],
      statementsForgotten: [],
      autosave: [],
      batches: [],
      cursors: [],
      copy: [],
      largeObjects: [],
      cancel: [],
      metadata: [],
      listen: ['listen'],
    },
  },
]);
