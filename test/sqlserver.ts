// `npm run test:sqlserver -- --server host:port --user name --password word`: runs what tests SQL Server against a server of the
// user's own, directly and through Sluice, and ends with one line, `N passed, N failed`.
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { provisionProgram } from './support/provision.ts';
import type { GivenServer } from './support/sqlserver.ts';
import { GIVEN_SERVER, withSqlServer } from './support/sqlserver.ts';
import { finish, tally } from './support/stages.ts';

const LIMIT_SECONDS = 1_800;
const TEST_LIMIT_MS = 180_000;
const DEFAULT_PORT = 1_433;
const PROGRAMS = ['FreeTDS', 'python-tds for /usr/bin/python3', 'pymssql for /usr/bin/python3'];
const USAGE = `Usage: npm run test:sqlserver -- --server host[:port] --user name --password word
       [--database name] [--tls]

  --server    a SQL Server or a Babelfish; port ${DEFAULT_PORT} where none is named
  --user      a login that may make tables, types and procedures, and use tempdb
  --password  its password; SLUICE_TEST_PASSWORD is taken where it is not given
  --database  where it may do so, and nobody else works; by default the login's own
  --tls       speak to the server by TLS; its certificate is not looked at

All that is made has a name that begins with "sluice_", and is removed.`;

process.chdir(fileURLToPath(new URL('..', import.meta.url)));
process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  let server: GivenServer;
  try {
    server = parse(args);
  } catch (problem) {
    console.error(`${said(problem)}\n\n${USAGE}`);
    return 2;
  }
  process.env[GIVEN_SERVER] = JSON.stringify(server);
  try {
    const { abilities, database } = await withSqlServer();
    console.log(`${abilities.product} at ${server.host}:${server.port}, database ${database}`);
    for (const name of PROGRAMS) await provisionProgram(name, (line) => console.log(line));
  } catch (problem) {
    console.error(said(problem));
    console.log('0 passed, 1 failed');
    return 1;
  }
  const command = [process.execPath, 'test', `--timeout=${TEST_LIMIT_MS}`, 'test/e2e/sqlserver'];
  const finished = await finish(command, LIMIT_SECONDS);
  console.log(finished.output);
  const { passed, failed } = tally(finished);
  console.log(`${passed} passed, ${failed} failed`);
  return failed === 0 && passed > 0 ? 0 : 1;
}

function said(problem: unknown): string {
  return problem instanceof Error ? problem.message : String(problem);
}

/** Throws with what is wrong. */
function parse(args: readonly string[]): GivenServer {
  const { values } = parseArgs({
    args: [...args],
    options: {
      server: { type: 'string' },
      user: { type: 'string' },
      password: { type: 'string' },
      database: { type: 'string' },
      tls: { type: 'boolean', default: false },
    },
  });
  const { server, user, password = process.env['SLUICE_TEST_PASSWORD'], database, tls } = values;
  if (server === undefined) throw new Error('--server is missing: which server?');
  if (user === undefined) throw new Error('--user is missing: who signs in?');
  if (password === undefined) throw new Error('--password is missing.');
  const parts = /^(?:\[(?<six>[^\]]+)\]|(?<host>[^:]+))(?::(?<port>\d{1,5}))?$/.exec(
    server,
  )?.groups;
  const host = parts?.['six'] ?? parts?.['host'];
  const port = Number(parts?.['port'] ?? DEFAULT_PORT);
  if (host === undefined || port < 1 || port > 65_535)
    throw new Error(`--server must be host:port, as in db.example.com:1433; it is ${server}`);
  return { host, port, user, password, database, tls };
}
