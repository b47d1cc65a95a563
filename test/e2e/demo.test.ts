import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BUSINESS_LOGIC_MS } from '../../src/cli/demo/burst.ts';
import type { Figures } from '../../src/cli/demo/figures.ts';
import { commandsIn, demoEnvironment, paste, readUntil, startDemo } from '../support/demo.ts';
import type { Demo } from '../support/demo.ts';
import { pretendClient, pretendInstalled } from '../support/installed-mysql.ts';
import { mysqlReleasesHere } from '../support/mysql.ts';

/** The demonstration's own folder for temporary files, so that what it leaves there can be told from other tests'. */
let temporary: string;
/** Another one, for what we put there. */
let programs: string;

beforeAll(async () => {
  programs = await mkdtemp(join(tmpdir(), 'sluice-demo-clients-'));
  temporary = await mkdtemp(join(tmpdir(), 'sluice-demo-test-'));
  // As /tmp has it: the database of a demonstration that root starts runs under another account.
  await chmod(temporary, 0o1777);
});

afterAll(async () => {
  for (const folder of [temporary, programs]) await rm(folder, { recursive: true });
});

function start(...args: readonly string[]): Demo {
  return startDemo(temporary, args);
}

/** PostgreSQL's programs stay, for the next time; those of the others are kept elsewhere. */
async function leftBehind(): Promise<readonly string[]> {
  const names = await readdir(temporary);
  return names.filter((name) => !name.startsWith('sluice-postgres-programs-'));
}

const releases = await mysqlReleasesHere();
const engines = ['postgres', 'mysql', 'mariadb'].filter(
  (engine) => engine !== 'mysql' || releases.includes('mysql'),
);

describe.each(engines)('many invocations with %s', (engine) => {
  test('the database turns some away, the proxy none, over fewer connections', async () => {
    const invocations = engine === 'postgres' ? 500 : 200;
    const program = start('--json', '--engine', engine, '--invocations', String(invocations));
    const [out, err, code] = await Promise.all([
      program.stdout.text(),
      program.stderr.text(),
      program.exited,
    ]);
    expect(err).toBe('');
    expect(out).toMatch(/^\{.*\}\n$/);
    const { direct, proxied, ...rest } = JSON.parse(out) as Record<'direct' | 'proxied', Figures>;
    expect(rest).toEqual({});
    for (const figures of [direct, proxied]) {
      expect(Object.keys(figures)).toEqual([
        'invocations',
        'failed',
        'p50Ms',
        'p95Ms',
        'p99Ms',
        'peakDatabaseConnections',
      ]);
      expect(figures.invocations).toBe(invocations);
      expect(figures.p50Ms).toBeGreaterThan(BUSINESS_LOGIC_MS);
      expect(figures.p95Ms).toBeGreaterThanOrEqual(figures.p50Ms ?? Infinity);
      expect(figures.p99Ms).toBeGreaterThanOrEqual(figures.p95Ms ?? Infinity);
    }
    expect(direct.failed).toBeGreaterThan(0);
    expect(proxied.failed).toBe(0);
    expect(proxied.peakDatabaseConnections).toBeLessThan(direct.peakDatabaseConnections ?? NaN);
    expect(code).toBe(0);
    expect(await leftBehind()).toEqual([]);
  }, 120_000);
});

const mysqlUser = "SUBSTRING_INDEX(USER(), '@', 1)";

/** By engine: what is said of the server, how its user is called, and what is said last. */
const kept = {
  postgres: {
    origin: /^It is PostgreSQL 18\.\d+ from npm\.$/m,
    user: 'current_user',
    last: "'postgresql://lambda@",
  },
  mysql: {
    origin: /^It is MySQL \d[\d.]+/m,
    user: mysqlUser,
    last: 'lambda)" --enable-cleartext-plugin \\\n  --ssl-mode=VERIFY_IDENTITY',
  },
  mariadb: {
    origin: /^It is MariaDB \d[\d.]+/m,
    user: mysqlUser,
    last: 'lambda)" \\\n  --ssl-verify-server-cert',
  },
} as const;

describe.each(Object.entries(kept).filter(([engine]) => engines.includes(engine)))(
  'with --keep and %s',
  (engine, { origin, user, last }) => {
    let program: ReturnType<typeof start>;
    let said: string;
    let path: string;

    beforeAll(async () => {
      for (const release of releases) await pretendClient(release, programs);
      path = `${programs}:${demoEnvironment.PATH}`;
      program = start('--keep', '--engine', engine, '--invocations', '20');
      said = await readUntil(program.stdout, last);
    }, 120_000);

    test('it tells its progress without moving the cursor, then the figures', () => {
      expect(said).not.toContain('\x1b');
      expect(said).toMatch(origin);
      expect(said).toContain('\nthrough Sluice: 2 of 20\n');
      expect(said).toMatch(/^failed +0 +0$/m);
      expect(said).toContain('Of 20 invocations, none failed straight at the database');
    });

    test('the commands sign in at the proxy with its client, by password and by IAM token', async () => {
      const [byPassword, byToken] = commandsIn(said);
      const sql = `SELECT ${user} AS who, count(*) AS orders FROM orders;`;
      expect(await paste(byPassword, path, sql)).toMatch(/\bapp\b[\s|]+40\b/);
      expect(await paste(byToken, path, sql)).toMatch(/\blambda\b[\s|]+40\b/);
    });

    test('Ctrl-C ends it, and nothing is left', async () => {
      program.kill('SIGINT');
      expect(await program.exited).toBe(0);
      expect(await program.stderr.text()).toBe('');
      expect(await leftBehind()).toEqual([]);
    });
  },
);

test('an installed server is used, and said to be', async () => {
  const folder = await pretendInstalled('mariadb-10.11', join(programs, 'prefix'));
  const program = startDemo(temporary, ['--engine', 'mariadb', '--invocations', '10'], {
    PATH: `${folder}:${demoEnvironment.PATH}`,
    XDG_CACHE_HOME: programs,
  });
  const said = await program.stdout.text();
  expect(await program.stderr.text()).toBe('');
  expect(said).toMatch(
    /^It is MariaDB 10\.11\.\d+, as it is installed \(.*\/prefix\/bin\/mysqld\)\.$/m,
  );
  expect(said).toContain('Of 10 invocations, none failed');
  expect(await program.exited).toBe(0);
});

test('where no server can be had, it says what to do', async () => {
  const folder = join(programs, 'broken');
  await mkdir(folder);
  // Of use for nothing but to say what it is; and there is nothing by which packages could be fetched.
  const script = `case "$*" in *--version) echo 'mysqld  Ver 8.4.0';; *) echo broken >&2; exit 1;; esac`;
  await writeFile(join(folder, 'mysqld'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  const program = startDemo(temporary, ['--engine', 'mysql'], {
    PATH: folder,
    XDG_CACHE_HOME: join(programs, 'none'),
  });
  expect(await program.stderr.text()).toBe(
    'the MySQL server of this machine is of no use here: the server could not make its data: broken, ' +
      "and Debian's packages cannot be had: there is no flock, which Debian has\n" +
      'Install MySQL, so that its server is in the PATH, or try `--engine postgres`, which npm brings along.\n',
  );
  expect(await program.exited).toBe(1);
  expect(await leftBehind()).toEqual([]);
});

test.each([
  ['postgres', 'Starting'],
  ['postgres', 'straight at the database: '],
  ['postgres', 'through Sluice: '],
  ['mariadb', 'straight at the database: '],
])(
  'with %s Ctrl-C after %j stops everything',
  async (engine, mark) => {
    const program = start('--engine', engine);
    await readUntil(program.stdout, mark);
    program.kill('SIGINT');
    // npm passes on what the terminal has sent already.
    program.kill('SIGINT');
    expect(await program.exited).toBe(130);
    expect(await program.stderr.text()).toBe('');
    expect(await leftBehind()).toEqual([]);
  },
  60_000,
);

test.each([
  [['--invocations', '0'], '--invocations must be a number from 1 to 5000'],
  [['--invocations', '5001'], '--invocations must be a number from 1 to 5000'],
  [['--invocations', '1e3'], '--invocations must be a number from 1 to 5000'],
  [['--engine', 'oracle'], '--engine must be postgres, mysql, mariadb or sqlserver'],
  [['--keep', '--json'], '--keep and --json do not go together'],
])('%j is not understood', async (args, complaint) => {
  const program = start(...args);
  expect(await program.stderr.text()).toStartWith(complaint);
  expect(await program.stdout.text()).toBe('');
  expect(await program.exited).toBe(2);
});
