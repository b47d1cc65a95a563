import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Figures } from '../../src/cli/demo/figures.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** The demonstration's own folder for temporary files, so that what it leaves there can be told from other tests'. */
let temporary: string;

beforeAll(async () => {
  temporary = await mkdtemp(join(tmpdir(), 'sluice-demo-test-'));
  // As /tmp has it: the database of a demonstration that root starts runs under another account.
  await chmod(temporary, 0o1777);
});

afterAll(() => rm(temporary, { recursive: true }));

/** What the user's shell may hold, and what must make no difference. */
const environment = {
  PATH: process.env['PATH'] ?? '',
  AWS_PROFILE: 'nobody',
  AWS_SESSION_TOKEN: 'stale',
};

function start(...args: readonly string[]): Bun.Subprocess<'ignore', 'pipe', 'pipe'> {
  return Bun.spawn([process.execPath, join(root, 'src/main.ts'), 'demo', ...args], {
    cwd: temporary,
    env: { ...environment, TMPDIR: temporary },
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

/** PostgreSQL's programs stay, for the next time. */
async function leftBehind(): Promise<readonly string[]> {
  const names = await readdir(temporary);
  return names.filter((name) => !name.startsWith('sluice-postgres-programs-'));
}

test('500 invocations: the database turns some away, the proxy none, over fewer connections', async () => {
  const program = start('--json');
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
    expect(figures.invocations).toBe(500);
    expect(figures.p50Ms).toBeGreaterThan(25);
    expect(figures.p95Ms).toBeGreaterThanOrEqual(figures.p50Ms ?? Infinity);
    expect(figures.p99Ms).toBeGreaterThanOrEqual(figures.p95Ms ?? Infinity);
  }
  expect(direct.failed).toBeGreaterThan(0);
  expect(proxied.failed).toBe(0);
  expect(proxied.peakDatabaseConnections).toBeLessThan(direct.peakDatabaseConnections);
  expect(code).toBe(0);
  expect(await leftBehind()).toEqual([]);
}, 60_000);

describe('with --keep', () => {
  let program: ReturnType<typeof start>;
  let said: string;

  beforeAll(async () => {
    program = start('--keep', '--invocations', '20');
    said = await readUntil(program.stdout, "'postgresql://lambda@");
  }, 60_000);

  /** Pastes a command into a shell whose environment is the user's, and says this to the psql that it starts. */
  async function paste(command: string, sql: string): Promise<string> {
    const shell = Bun.spawn(['sh', '-c', command], {
      cwd: tmpdir(),
      env: environment,
      stdin: Buffer.from(sql),
      stdout: 'pipe',
      stderr: 'pipe',
    });
    return (await shell.stdout.text()) + (await shell.stderr.text());
  }

  test('it tells its progress without moving the cursor, then the figures', () => {
    expect(said).not.toContain('\x1b');
    expect(said).toContain('\nthrough Sluice: 2 of 20\n');
    expect(said).toMatch(/^failed +0 +0$/m);
    expect(said).toContain('Of 20 invocations, none failed straight at the database');
  });

  test('the commands sign in at the proxy with psql, by password and by IAM token', async () => {
    const [, ...commands] = /(^psql .*$)\n\n.*\n\n(^PGPASSWORD=[^]*)/m.exec(said) ?? [];
    expect(commands).toHaveLength(2);
    const answers = commands.map((command) =>
      paste(command, "SELECT 'signed in as ' || current_user, count(*) FROM orders;"),
    );
    expect(await answers[0]).toMatch(/signed in as app *\| +40/);
    expect(await answers[1]).toMatch(/signed in as lambda *\| +40/);
  });

  test('Ctrl-C ends it, and nothing is left', async () => {
    program.kill('SIGINT');
    expect(await program.exited).toBe(0);
    expect(await program.stderr.text()).toBe('');
    expect(await leftBehind()).toEqual([]);
  });
});

test.each(['Starting', 'straight at the database: ', 'through Sluice: '])(
  'Ctrl-C after %j stops everything',
  async (mark) => {
    const program = start();
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
  [['--keep', '--json'], '--keep and --json do not go together'],
])('%j is not understood', async (args, complaint) => {
  const program = start(...args);
  expect(await program.stderr.text()).toStartWith(complaint);
  expect(await program.stdout.text()).toBe('');
  expect(await program.exited).toBe(2);
});
