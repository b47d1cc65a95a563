import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Figures } from '../../src/cli/demo/figures.ts';
import { generateCertificate } from '../../src/net/certificate.ts';
import type { Demo } from '../support/demo.ts';
import { commandsIn, demoEnvironment, paste, readUntil, startDemo } from '../support/demo.ts';
import { startTdsServer } from '../support/tds-server/server.ts';
import type { TdsServer } from '../support/tds-server/server.ts';

/** As awkward as they may be. */
const USER = 'demo user';
const PASSWORD = `it's "$ecret"`;
const MOST = 60;

let temporary: string;
let programs: string;
let server: TdsServer;

beforeAll(async () => {
  temporary = await mkdtemp(join(tmpdir(), 'sluice-demo-test-'));
  programs = await mkdtemp(join(tmpdir(), 'sluice-demo-clients-'));
  server = await startTdsServer({
    users: { [USER]: PASSWORD },
    databases: ['orders', 'taken'],
    maxConnections: MOST,
    certificate: generateCertificate(['localhost']),
    isRecording: false,
  });
  await writeFile(join(programs, 'server.crt'), server.certificatePem);
  const script = `exec node ${join(programs, 'sqlcmd.mjs')} "$@"`;
  await writeFile(join(programs, 'sqlcmd'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  await writeFile(join(programs, 'sqlcmd.mjs'), sqlcmd);
});

afterAll(async () => {
  expect(server.offences).toEqual([]);
  expect(server.failures).toEqual([]);
  await server.stop();
  for (const folder of [temporary, programs]) await rm(folder, { recursive: true });
});

/** Takes the flags that SQL Server's own client takes, and runs the batch that it reads. */
const tedious = fileURLToPath(import.meta.resolve('tedious'));
const sqlcmd = `
  import { readFileSync } from 'node:fs';
  import tedious from '${tedious}';
  const given = process.argv.slice(2).join('\\n');
  const [, host, port, userName, database] =
    /^-S\\ntcp:(.*),(\\d+)\\n-U\\n(.*)\\n-d\\n(.*)\\n-N\\n-C$/.exec(given);
  const password = process.env.SQLCMDPASSWORD;
  const client = new tedious.Connection({
    server: host,
    authentication: { type: 'default', options: { userName, password } },
    options: { port: Number(port), database, encrypt: true, trustServerCertificate: true },
  });
  client.connect((problem) => {
    if (problem) throw problem;
    const request = new tedious.Request(readFileSync(0, 'utf8'), (wrong) => {
      if (wrong) throw wrong;
      client.close();
    });
    request.on('row', (columns) => console.log(columns.map(({ value }) => value).join(' | ')));
    client.execSqlBatch(request);
  });
`;

function start(...args: readonly string[]): Demo {
  const where = ['--engine', 'sqlserver', '--server', `localhost:${server.port}`, '--user', USER];
  return startDemo(temporary, [...where, ...args], { SQLCMDPASSWORD: PASSWORD });
}

/** Nothing of ours is left there, nor in the folder for temporary files. */
async function expectNothingLeft(): Promise<void> {
  await server.until(() => server.sessions().length === 0);
  const names = [...server.engine.databases.values()].map(({ name }) => name);
  expect(names.toSorted()).toEqual(['master', 'model', 'msdb', 'orders', 'taken', 'tempdb']);
  expect(await readdir(temporary)).toEqual([]);
}

async function query(database: string, sql: string): Promise<readonly string[]> {
  const command = `SQLCMDPASSWORD='it'\\''s "$ecret"' sqlcmd -S tcp:localhost,${server.port} -U '${USER}' -d ${database} -N -C`;
  const path = `${programs}:${demoEnvironment.PATH}`;
  return (await paste(command, path, sql)).trimEnd().split('\n');
}

test('at a server of the user’s some are turned away, through Sluice none, over fewer connections', async () => {
  const trust = ['--tls', 'verify-full', '--tls-ca', join(programs, 'server.crt')];
  const program = start('--json', '--invocations', '80', ...trust);
  const [out, err, code] = await Promise.all([
    program.stdout.text(),
    program.stderr.text(),
    program.exited,
  ]);
  expect(err).toBe('');
  const { direct, proxied } = JSON.parse(out) as Record<'direct' | 'proxied', Figures>;
  expect(direct.failed).toBeGreaterThan(0);
  expect(proxied.failed).toBe(0);
  expect(direct.peakDatabaseConnections).toBeGreaterThan(30);
  expect(direct.peakDatabaseConnections).toBeLessThan(MOST);
  expect(proxied.peakDatabaseConnections).toBeGreaterThan(0);
  // 30 % of what a small one grants, and the one that watches.
  expect(proxied.peakDatabaseConnections).toBeLessThanOrEqual(26);
  expect(code).toBe(0);
  await expectNothingLeft();
}, 120_000);

describe('with --keep', () => {
  let program: Demo;
  let said: string;

  beforeAll(async () => {
    program = start('--keep', '--database', 'orders', '--invocations', '20');
    said = await readUntil(program.stdout, `)" \\\n  sqlcmd -S tcp:localhost,`);
  }, 120_000);

  test('it says whose server it is, and shows no password but to those who may have it', () => {
    expect(said).toContain(`Making two tables at the server at localhost:${server.port}.\n`);
    expect(said).toContain('\nIt is Microsoft SQL Server 2022');
    expect(said).toContain('each connects with TLS, reads a row');
    expect(said).toMatch(/^failed +0 +0$/m);
  });

  test('the commands sign in at the proxy, by password and by IAM token as the password', async () => {
    const path = `${programs}:${demoEnvironment.PATH}`;
    const sql = 'SELECT SUSER_SNAME(), DB_NAME(), COUNT(*) FROM orders';
    const [byPassword, byToken] = commandsIn(said);
    expect(byToken).toContain('sluice token --region');
    for (const command of [byPassword, byToken])
      expect(await paste(command, path, sql)).toBe(`${USER} | orders | 40\n`);
  });

  test('Ctrl-C ends it, and takes the tables away', async () => {
    program.kill('SIGINT');
    expect(await program.exited).toBe(0);
    expect(await program.stderr.text()).toBe('');
    await expectNothingLeft();
    expect(await query('orders', "SELECT COALESCE(OBJECT_ID('orders'), 0)")).toEqual(['0']);
  });
});

test('Ctrl-C stops everything, and takes the tables away', async () => {
  const program = start();
  await readUntil(program.stdout, 'straight at the database: ');
  program.kill('SIGINT');
  expect(await program.exited).toBe(130);
  expect(await program.stderr.text()).toBe('');
  await expectNothingLeft();
}, 60_000);

test('a database that has such a table is not touched', async () => {
  await query('taken', 'CREATE TABLE orders (id int); INSERT INTO orders VALUES (7)');
  const program = start('--database', 'taken');
  expect(await program.stderr.text()).toBe(
    'the database taken has something called orders already, which is not to be touched: ' +
      'give another one with --database, or none\n',
  );
  expect(await program.exited).toBe(1);
  expect(await query('taken', 'SELECT id FROM orders')).toEqual(['7']);
  await expectNothingLeft();
});

test.each([
  [['--password', 'guessed'], `Login failed for user '${USER}'.`],
  [['--database', 'nowhere'], 'Cannot open database "nowhere" requested by the login.'],
  [['--tls', 'verify-full'], 'certificate'],
])('where it cannot sign in with %j, it says so in the server’s words', async (args, why) => {
  const program = start(...args);
  const problem = await program.stderr.text();
  expect(problem).toStartWith(`the server at localhost:${server.port} does not let us in: `);
  expect(problem).toContain(why);
  expect(problem).not.toMatch(/guessed|ecret/);
  expect(await program.exited).toBe(1);
  await expectNothingLeft();
});

test.each([
  [['--engine', 'sqlserver'], 'no SQL Server can be brought along'],
  [['--engine', 'mysql', '--server', 'localhost:1433'], '--server goes with --engine sqlserver'],
  [['--tls', 'require'], '--tls goes with --engine sqlserver'],
])('%j is not understood', async (args, complaint) => {
  const program = startDemo(temporary, args);
  expect(await program.stderr.text()).toStartWith(complaint);
  expect(await program.exited).toBe(2);
});
