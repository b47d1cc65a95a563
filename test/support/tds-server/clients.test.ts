import { afterAll, describe, expect, test } from 'bun:test';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startTdsServer } from './server.ts';
import type { ServerOptions, TdsServer } from './server.ts';

// Clients that others have written: what they accept is what a server says.

const folder = mkdtempSync(join(tmpdir(), 'sluice-tds-'));
const stops: (() => Promise<void>)[] = [];
afterAll(async () => {
  for (const stop of stops) await stop();
  rmSync(folder, { recursive: true });
});

async function start(options: ServerOptions = {}): Promise<TdsServer> {
  const server = await startTdsServer({ databases: ['shop'], ...options });
  stops.push(() => server.stop());
  return server;
}

interface Ran {
  readonly code: number;
  readonly output: string;
}

/** Runs a program with a text as its input. */
async function run(
  command: readonly string[],
  input: string,
  env: Record<string, string> = {},
): Promise<Ran> {
  const child = Bun.spawn([...command], {
    ...{ stdin: new Blob([input]), stdout: 'pipe', stderr: 'pipe' },
    env: { ...process.env, ...env },
  });
  const [output, errors] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  return { code: await child.exited, output: output + errors };
}

async function hasModule(python: string, name: string): Promise<boolean> {
  if (Bun.which(python) === null) return false;
  return (await run([python, '-c', `import ${name}`], '')).code === 0;
}

function withoutOffences(server: TdsServer): void {
  expect(server.offences).toEqual([]);
  expect(server.failures).toEqual([]);
}

const tediousScript = `
const { Connection, Request, TYPES } = require('tedious');
const [port, encrypt, tdsVersion] = process.argv.slice(2);
const said = [];
const connection = new Connection({
  server: '127.0.0.1',
  authentication: { type: 'default', options: { userName: 'sa', password: 'Secret-1' } },
  options: {
    port: Number(port), database: 'shop', encrypt: encrypt === 'strict' ? 'strict' : encrypt === 'true',
    trustServerCertificate: true, serverName: 'localhost', tdsVersion, requestTimeout: 20000,
  },
});
const request = (how, sql, parameters = []) => new Promise((resolve) => {
  const rows = [];
  const made = new Request(sql, (error, count) => resolve(error ? String(error.number ?? error.code) : rows.length > 0 ? rows : count));
  for (const [name, type, value] of parameters) made.addParameter(name, type, value);
  made.on('row', (columns) => rows.push(columns.map(({ value }) => value)));
  connection[how](made);
});
const turn = (how) => new Promise((resolve, reject) => connection[how]((error) => (error ? reject(error) : resolve())));
connection.connect(async (error) => {
  if (error) { console.log(JSON.stringify(['failed', error.message])); process.exit(); }
  said.push(await request('execSqlBatch', "SELECT 1 AS n, N'naïve' AS t, CAST(NULL AS int) AS x"));
  said.push(await request('execSql', 'SELECT @a + 1 AS a, @b AS b', [['a', TYPES.Int, 41], ['b', TYPES.NVarChar, 'x']]));
  await request('execSqlBatch', 'CREATE TABLE #t (i int)');
  await turn('beginTransaction');
  await request('execSqlBatch', 'INSERT #t VALUES (1), (2)');
  said.push(await request('execSqlBatch', 'SELECT COUNT(*), @@TRANCOUNT FROM #t'));
  await turn('rollbackTransaction');
  said.push(await request('execSqlBatch', 'SELECT COUNT(*), @@TRANCOUNT FROM #t'));
  said.push(await request('execSqlBatch', 'SELECT * FROM nope'));
  setTimeout(() => connection.cancel(), 50);
  said.push(await request('execSqlBatch', "WAITFOR DELAY '00:01:00'"));
  said.push(await request('execSqlBatch', 'SELECT 7'));
  await turn('reset');
  said.push(await request('execSqlBatch', 'SELECT * FROM #t'));
  console.log(JSON.stringify(said));
  process.exit();
});
`;

describe('tedious', () => {
  const script = join(folder, 'tedious.cjs');
  writeFileSync(script, tediousScript);
  test.each([
    ['off', 'false', '7_4'],
    ['off', 'true', '7_4'],
    ['off', 'false', '7_2'],
    ['off', 'false', '7_1'],
    ['none', 'false', '7_3_B'],
    ['required', 'true', '7_4'],
    ['strict', 'strict', '8_0'],
  ] as const)('the server %s, the client %s, TDS %s', async (encrypt, wanted, version) => {
    const server = await start({ encrypt });
    const ca = join(folder, `${encrypt}.pem`);
    writeFileSync(ca, server.certificatePem);
    const env = { NODE_PATH: join(process.cwd(), 'node_modules'), NODE_EXTRA_CA_CERTS: ca };
    const { output } = await run(['node', script, String(server.port), wanted, version], '', env);
    const said: unknown = JSON.parse(
      output.split('\n').find((line) => line.startsWith('[')) ?? '[]',
    );
    expect(said).toEqual([
      [[1, 'naïve', null]],
      [[42, 'x']],
      [[2, 1]],
      [[0, 0]],
      '208',
      'ECANCEL',
      [[7]],
      '208',
    ]);
    withoutOffences(server);
  });
});

describe('FreeTDS', () => {
  const isHere = Bun.which('tsql') !== null;
  if (!isHere) console.warn('tsql (freetds-bin) is not installed: FreeTDS is not tested');
  test.skipIf(!isHere).each(['7.1', '7.2', '7.3', '7.4'])('TDS %s', async (version) => {
    const server = await start();
    const input = [
      "SELECT 1 AS n, CAST(2.50 AS decimal(5, 2)) AS d, CAST('x' AS nvarchar(max)) AS m",
      'BEGIN TRAN',
      "EXEC sp_executesql N'SELECT @a + 1 AS s, @@TRANCOUNT AS t', N'@a int', 5",
      'ROLLBACK',
      'SELECT 1 / 0',
    ];
    const command = [
      'tsql',
      '-H',
      '127.0.0.1',
      '-p',
      String(server.port),
      '-U',
      'sa',
      '-P',
      'Secret-1',
      '-D',
      'shop',
    ];
    const { output } = await run(command, `${input.join('\ngo\n')}\ngo\nexit\n`, {
      TDSVER: version,
    });
    for (const part of ['1\t2.50\tx', '6\t1', 'Msg 8134']) expect(output).toContain(part);
    withoutOffences(server);
  });
});

const pytdsScript = `
import sys, pytds
said = []
with pytds.connect('127.0.0.1', port=int(sys.argv[1]), user='sa', password='Secret-1', database='shop', autocommit=False) as c:
    cur = c.cursor()
    cur.execute("SELECT 1, N'na\\u00efve'"); said.append(cur.fetchall())
    cur.execute('SELECT %s, %s', (5, 'x')); said.append(cur.fetchall())
    cur.execute('CREATE TABLE p (i int)'); c.commit()
    cur.execute('INSERT p VALUES (%s)', (1,)); c.rollback()
    cur.execute('SELECT COUNT(*) FROM p'); said.append(cur.fetchall())
    try: cur.execute('SELECT * FROM nope')
    except Exception as e: said.append(str(e))
    cur.execute('SELECT 1 FROM sluice_series(100000)'); cur.cancel()
    cur.execute('SELECT 7'); said.append(cur.fetchall())
    c.rollback()
print(said)
`;

const python = '/usr/bin/python3';
const hasPytds = await hasModule(python, 'pytds');

describe('python-tds', () => {
  const isHere = hasPytds;
  if (!isHere) console.warn('pytds (python3-tds) is not installed: it is not tested');
  test.skipIf(!isHere)('queries, transactions, errors and cancelling', async () => {
    const server = await start();
    const script = join(folder, 'client.py');
    writeFileSync(script, pytdsScript);
    const { output } = await run([python, script, String(server.port)], '');
    expect(output.trim()).toBe(
      "[[(1, 'naïve')], [(5, 'x')], [(0,)], \"Invalid object name 'nope'.\", [(7,)]]",
    );
    withoutOffences(server);
  });
});
