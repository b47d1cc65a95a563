import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../../bench/main.ts', import.meta.url));
const QUICK = ['postgres', '--rival', 'none', '--quick', '--rounds', '1'];

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sluice-bench-test-'));
  // As root the database has another account, which makes its data there and takes it away.
  await chmod(directory, 0o1777);
});
afterAll(() => rm(directory, { recursive: true }));

function start(...args: readonly string[]) {
  return Bun.spawn([process.execPath, main, ...args], {
    env: { ...process.env, TMPDIR: directory },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  });
}

/** Beside PostgreSQL's programs, which are kept for the next time. */
async function leftBehind(): Promise<readonly string[]> {
  return (await readdir(directory)).filter((name) => !name.includes('programs'));
}

describe('npm run bench', () => {
  test('lists the benchmarks', async () => {
    const child = start();
    expect(await new Response(child.stdout).text()).toMatch(
      /^ {2}postgres .*\n {2}mysql .*\n {2}sqlserver .*\n {2}relay /m,
    );
    expect(await child.exited).toBe(0);
  });

  test.each([
    [['oracle'], 'there is no benchmark oracle'],
    [['postgres', '--case', 'nothing'], 'no case has such a name'],
    [['mysql', '--server', 'mariadb', '--rival', 'router'], 'MySQL Router knows no MariaDB'],
    [['sqlserver', '--server', 'localhost:1433'], 'needs --user and --password'],
  ])('does not understand %p', async (args, why) => {
    const child = start(...args);
    expect(await child.exited).toBe(2);
    expect(await new Response(child.stderr).text()).toContain(why);
  });

  test('measures, prints nothing but JSON where that is asked for, and leaves nothing behind', async () => {
    const child = start(...QUICK, '--json', '--case', 'simple 1', '--case', 'result fast');
    const report: unknown = JSON.parse(await new Response(child.stdout).text());
    const positive: unknown = expect.any(Number);
    expect(report).toMatchObject({
      engine: 'postgres',
      cases: [
        {
          ...{ name: 'simple 1', clients: 1, tls: false, rivals: {}, ratios: {} },
          sluice: { perSecond: positive, p50Ms: positive, p99Ms: positive, cpuMicros: positive },
          direct: { perSecond: positive, cpuMicros: 0 },
        },
      ],
      results: [{ reader: 'fast', sluice: { cpuMicrosPerMegabyte: positive } }],
      idleClientBytes: null,
      failures: [],
    });
    expect(await child.exited).toBe(0);
    expect(await leftBehind()).toEqual([]);
  }, 120_000);

  test('leaves nothing behind when it is interrupted', async () => {
    const child = start(...QUICK, '--case', 'simple 32');
    for await (const line of createInterface({ input: Readable.fromWeb(child.stderr) })) {
      // The versions: the database runs, and the poolers are started next.
      if (line.startsWith('sluice ')) child.kill('SIGINT');
    }
    expect(await child.exited).toBe(130);
    expect(await leftBehind()).toEqual([]);
  });
});
