import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { chmod, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { mysqlReleasesHere } from '../../support/mysql.ts';
import { nodeProgram } from '../../support/node-client.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const DEADLINE_MS = 120_000;

/** The walkthrough's own folder for temporary files, so that what it leaves there can be told from other tests'. */
let temporary: string;
beforeAll(async () => {
  temporary = await mkdtemp(join(tmpdir(), 'sluice-walkthrough-test-'));
  // As /tmp has it: the database of a walkthrough that root starts runs under another account.
  await chmod(temporary, 0o1777);
});
afterAll(() => rm(temporary, { recursive: true }));

const nodes = nodeProgram === 'node' ? '' : `${dirname(nodeProgram)}:`;
const usualPath = `${nodes}${process.env['PATH'] ?? ''}`;

function start(...args: readonly string[]): Bun.Subprocess<'ignore', 'pipe', 'pipe'> {
  return startWith(usualPath, args);
}

function startWith(
  PATH: string,
  args: readonly string[],
): Bun.Subprocess<'ignore', 'pipe', 'pipe'> {
  const { HOME = '' } = process.env;
  // What the user's shell may hold, and what must make no difference.
  const shell = { AWS_PROFILE: 'nobody', AWS_SESSION_TOKEN: 'stale', AWS_ACCESS_KEY_ID: 'AKIA' };
  return Bun.spawn([process.execPath, join(root, 'examples/walkthrough/main.ts'), ...args], {
    cwd: temporary,
    env: { ...shell, PATH, HOME, TMPDIR: temporary },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  });
}

/** PostgreSQL's programs stay, for the next time; those of the others are kept elsewhere. */
async function leftBehind(): Promise<readonly string[]> {
  const names = await readdir(temporary);
  return names.filter((name) => !name.startsWith('sluice-postgres-programs-'));
}

const step = (name: string, more: object = {}): object => ({
  name,
  ok: true,
  detail: expect.any(String),
  seconds: expect.any(Number),
  ...more,
});

await mysqlReleasesHere();
const hasCli = Bun.which('aws') !== null;

describe('the walkthrough', () => {
  test.each([
    ['mariadb-10.11', 'sdk'],
    ['postgres', hasCli ? 'cli' : 'sdk'],
  ] as const)(
    'goes well with %s and the %s, and leaves nothing behind',
    async (engine, cloud) => {
      const walk = start('--engine', engine, '--cloud', cloud, '--json');
      const [out, err, code] = await Promise.all([
        new Response(walk.stdout).text(),
        new Response(walk.stderr).text(),
        walk.exited,
      ]);
      expect({ err, code }).toEqual({ err: '', code: 0 });
      const figure = expect.any(Number);
      expect(JSON.parse(out)).toEqual({
        steps: [
          step('secret', { detail: expect.stringMatching(/:secret:shop\/app-\w{6}$/) }),
          step('role'),
          step('proxy', { port: figure, availableAfterSeconds: figure }),
          step('attach'),
          step('run', { invocations: figure, failed: 0, rows: figure }),
          step('rotation', {
            invocations: figure,
            before: figure,
            failed: 0,
            rows: figure,
            connections: figure,
          }),
          step('permission-lost', {
            reason: 'AUTH_FAILURE',
            description: expect.stringMatching(
              /The IAM role arn:aws:iam::\d+:role\/shop-proxy is not authorized to perform secretsmanager:GetSecretValue on arn:aws:secretsmanager:/,
            ),
            diagnosedAfterSeconds: figure,
          }),
          step('permission-back', { recoveredAfterSeconds: figure }),
        ],
      });
      const { steps } = JSON.parse(out) as { steps: readonly Record<string, number>[] };
      for (const { invocations, rows } of steps) expect(rows).toBe(invocations);
      expect(steps[5]?.['connections']).toBeGreaterThan(0);
      expect(await leftBehind()).toEqual([]);
    },
    DEADLINE_MS,
  );

  test(
    'can be stopped, tells in short lines how far it was, shows no secret, and leaves nothing behind',
    async () => {
      const walk = start('--cloud', 'sdk');
      const decoder = new TextDecoder();
      let text = '';
      for await (const chunk of walk.stdout) {
        text += decoder.decode(chunk, { stream: true });
        if (text.includes('AVAILABLE after')) walk.kill('SIGINT');
      }
      expect(await walk.exited).toBe(130);
      expect(await new Response(walk.stderr).text()).toBe('');
      const lines = text.split('\n');
      expect(lines.filter((line) => line.length > 100)).toEqual([]);
      expect(lines).toContain('   $ CreateSecret {"Name":"shop/app","SecretString":"…"}');
      expect(text).not.toMatch(/password"?:"?\w/);
      expect(await leftBehind()).toEqual([]);
    },
    DEADLINE_MS,
  );

  test(
    'ends with 1 and what is wrong where a step does not go well',
    async () => {
      await using cleanup = new AsyncDisposableStack();
      const programs = await mkdtemp(join(tmpdir(), 'sluice-walkthrough-node-'));
      cleanup.defer(() => rm(programs, { recursive: true }));
      const node = join(programs, 'node');
      await writeFile(node, '#!/bin/sh\necho no Node today >&2; exit 1\n', { mode: 0o755 });
      const walk = startWith(`${programs}:${usualPath}`, ['--json', '--cloud', 'sdk']);
      const { steps } = (await new Response(walk.stdout).json()) as { steps: readonly object[] };
      expect(await walk.exited).toBe(1);
      expect(steps.at(-1)).toEqual({
        name: 'run',
        ok: false,
        detail: expect.stringMatching(/^502 .*Internal server error[^]*no Node today/),
      });
      expect(await leftBehind()).toEqual([]);
    },
    DEADLINE_MS,
  );

  test.each([[['--engine', 'oracle']], [['--cloud', 'gcp']], [['--fast']]])(
    '%j is not understood',
    async (args) => {
      const walk = start(...args);
      expect(await new Response(walk.stderr).text()).toStartWith('Usage: npm run walkthrough');
      expect(await walk.exited).toBe(2);
    },
  );
});
