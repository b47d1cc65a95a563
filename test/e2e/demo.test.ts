import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Figures } from '../../src/cli/demo/figures.ts';
import { pretendClient, pretendInstalled } from '../support/installed-mysql.ts';
import { mysqlReleasesHere } from '../support/mysql.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

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

/** What the user's shell may hold, and what must make no difference. */
const environment = {
  PATH: process.env['PATH'] ?? '',
  AWS_PROFILE: 'nobody',
  AWS_SESSION_TOKEN: 'stale',
};

function start(...args: readonly string[]): Bun.Subprocess<'ignore', 'pipe', 'pipe'> {
  return startWith({}, args);
}

function startWith(
  more: Readonly<Record<string, string>>,
  args: readonly string[],
): Bun.Subprocess<'ignore', 'pipe', 'pipe'> {
  return Bun.spawn([process.execPath, join(root, 'src/main.ts'), 'demo', ...args], {
    cwd: temporary,
    env: { ...environment, TMPDIR: temporary, ...more },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  });
}

/** Reads until `mark` was said, and returns all that came until then. */
async function readUntil(stream: ReadableStream<Uint8Array>, mark: string): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  const reader = stream.getReader();
  try {
    while (!text.includes(mark)) {
      const { value, done } = await reader.read();
      if (done) throw new Error(`it ended and had said only: ${text}`);
      text += decoder.decode(value, { stream: true });
    }
  } finally {
    reader.releaseLock();
  }
  return text;
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
      expect(figures.p50Ms).toBeGreaterThan(25);
      expect(figures.p95Ms).toBeGreaterThanOrEqual(figures.p50Ms ?? Infinity);
      expect(figures.p99Ms).toBeGreaterThanOrEqual(figures.p95Ms ?? Infinity);
    }
    expect(direct.failed).toBeGreaterThan(0);
    expect(proxied.failed).toBe(0);
    expect(proxied.peakDatabaseConnections).toBeLessThan(direct.peakDatabaseConnections);
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
      path = `${programs}:${environment.PATH}`;
      program = start('--keep', '--engine', engine, '--invocations', '20');
      said = await readUntil(program.stdout, last);
    }, 120_000);

    /** Pastes a command into a shell whose environment is the user's, and says this to the client that it starts. */
    async function paste(command: string, sql: string): Promise<string> {
      const shell = Bun.spawn(['sh', '-c', command], {
        cwd: tmpdir(),
        env: { ...environment, PATH: path },
        stdin: Buffer.from(sql),
        stdout: 'pipe',
        stderr: 'pipe',
      });
      return (await shell.stdout.text()) + (await shell.stderr.text());
    }

    test('it tells its progress without moving the cursor, then the figures', () => {
      expect(said).not.toContain('\x1b');
      expect(said).toMatch(origin);
      expect(said).toContain('\nthrough Sluice: 2 of 20\n');
      expect(said).toMatch(/^failed +0 +0$/m);
      expect(said).toContain('Of 20 invocations, none failed straight at the database');
    });

    test('the commands sign in at the proxy with its client, by password and by IAM token', async () => {
      const [, byPassword = '', byToken = ''] =
        /with a password:\n\n([^]*)\n\nWith an IAM token:\n\n([^]*)/.exec(said) ?? [];
      const sql = `SELECT ${user} AS who, count(*) AS orders FROM orders;`;
      expect(await paste(byPassword, sql)).toMatch(/\bapp\b[\s|]+40\b/);
      expect(await paste(byToken, sql)).toMatch(/\blambda\b[\s|]+40\b/);
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
  const program = startWith({ PATH: `${folder}:${environment.PATH}`, XDG_CACHE_HOME: programs }, [
    '--engine',
    'mariadb',
    '--invocations',
    '10',
  ]);
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
  const program = startWith({ PATH: folder, XDG_CACHE_HOME: join(programs, 'none') }, [
    '--engine',
    'mysql',
  ]);
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
  [['--engine', 'oracle'], '--engine must be postgres, mysql or mariadb'],
  [['--keep', '--json'], '--keep and --json do not go together'],
])('%j is not understood', async (args, complaint) => {
  const program = start(...args);
  expect(await program.stderr.text()).toStartWith(complaint);
  expect(await program.stdout.text()).toBe('');
  expect(await program.exited).toBe(2);
});
