import { afterAll } from 'bun:test';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { loadSettings, SettingsError } from './load.ts';
import type { Settings } from './settings.ts';
import type { Env } from './variables.ts';

// What the tests of the settings share.

/** A folder for the files of one test file, gone when its tests are over. */
export function settingsFolder() {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-settings-'));
  afterAll(() => rmSync(directory, { recursive: true }));

  function file(content: string | Uint8Array, name = 'sluice.yaml'): string {
    const path = join(directory, name);
    writeFileSync(path, content);
    return path;
  }

  /** The problems, without the directory. */
  function problemsAt(path: string, env: Env = {}): readonly string[] {
    try {
      loadSettings(path, env);
      return [];
    } catch (error) {
      if (!(error instanceof SettingsError)) throw error;
      return error.problems.map((problem) => problem.replace(`${directory}/`, ''));
    }
  }

  const problemsOf = (content: string | Uint8Array, env?: Env): readonly string[] =>
    problemsAt(file(content), env);

  return {
    directory,
    file,
    problemsAt,
    problemsOf,
    load: (content: string, env: Env = {}): Settings => loadSettings(file(content), env),
    /** The problems of changed settings, without file and position. */
    problemsWith: (change: (settings: Full) => void): readonly string[] =>
      problemsOf(changed(change)).map((one) => one.replace(/^sluice\.yaml:\d+:\d+: /, '')),
  };
}

export interface Tree {
  [key: string]: unknown;
}

/** Settings with every mapping that there is. */
export interface Full {
  readonly region: string;
  readonly account: string;
  principals: Tree[];
  readonly secrets: Tree[];
  readonly databases: Tree[];
  readonly proxies: Tree[];
  readonly admin: Tree;
  readonly api: Tree;
  readonly aws: Tree;
  readonly log: Tree;
}

const full = (): Full => ({
  region: 'eu-central-1',
  account: '123456789012',
  principals: [
    {
      accessKeyId: 'AKIA',
      secretAccessKey: 's',
      policy: { Statement: { Effect: 'Allow', Action: 'rds-db:connect', Resource: '*' } },
    },
  ],
  secrets: [
    { name: 'app', value: { username: 'app', password: 'p' } },
    { name: 'two', value: { username: 'two', password: 'p' } },
  ],
  databases: [{ identifier: 'db', engine: 'postgres', host: 'h' }],
  proxies: [
    {
      name: 'one',
      engineFamily: 'POSTGRESQL',
      listen: '127.0.0.1:6432',
      auth: [{ secret: 'app' }],
      target: 'db',
      endpoints: [{ name: 'more', listen: '127.0.0.1:6433' }],
      pool: {},
    },
  ],
  admin: { listen: '127.0.0.1:9', tls: { certFile: 'c', keyFile: 'k' } },
  api: {},
  aws: { endpoints: {} },
  log: {},
});

export function changed(change: (settings: Full) => void): string {
  const settings = full();
  change(settings);
  return stringify(settings);
}

export const minimal = `
region: eu-central-1
account: '123456789012'
secrets: [{ name: app, value: { username: app, password: hunter2, engine: postgres } }]
databases: [{ identifier: db, engine: postgres, host: db.internal }]
proxies:
  - { name: one, engineFamily: POSTGRESQL, listen: '[::1]:6432', auth: [{ secret: app }], target: db }
`;
