import { afterAll, beforeAll } from 'bun:test';
import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compile } from '../../compile.ts';
import { describeMysqlDrivers } from '../driver.ts';

/** With an empty cache a part of Go's own library is compiled too. */
const COMPILE_LIMIT_MS = 300_000;
const directory = mkdtempSync(join(tmpdir(), 'sluice-go-'));
const program = join(directory, 'scenarios');

beforeAll(async () => {
  await compile(['go', 'build', '-o', program, '.'], import.meta.dirname, {
    // Debian's packages, as they lie; without a C compiler.
    GO111MODULE: 'off',
    GOPATH: '/usr/share/gocode',
    CGO_ENABLED: '0',
  });
}, COMPILE_LIMIT_MS);
afterAll(() => rm(directory, { recursive: true }));

describeMysqlDrivers([
  {
    client: 'Go-MySQL-Driver',
    command: [program],
    tls: false,
    scenarios: {
      settings: [],
      parameters: [],
      prepared: [],
      pool: [],
      transactions: [],
      results: [],
      locks: ['sessionLock'],
    },
  },
]);
