import { existsSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { installPostgres } from '../../src/cli/embedded-postgres-install.ts';
import { mysqlReleasesHere, mysqlVersion } from './mysql.ts';

/** A program or a library that tests need, and the Debian packages that have it. */
interface Requirement {
  readonly name: string;
  /** Succeeds where it is there and works. */
  readonly command: readonly string[];
  readonly debianPackages: readonly string[];
}

const requirements: readonly Requirement[] = [
  { name: 'psql', command: ['psql', '--version'], debianPackages: ['postgresql-client'] },
  // A part of the server's package; the wrapper of this name in the client's package finds nothing without it.
  { name: 'pgbench', command: ['pgbench', '--version'], debianPackages: ['postgresql'] },
  { name: 'HAProxy', command: ['/usr/sbin/haproxy', '-v'], debianPackages: ['haproxy'] },
  // By its path: there may be another one of Python's or of Amazon's.
  { name: 'the AWS CLI', command: ['/usr/bin/aws', '--version'], debianPackages: ['awscli'] },
  { name: 'openssl', command: ['openssl', 'version'], debianPackages: ['openssl'] },
  python('psycopg 3', 'import psycopg', 'python3-psycopg'),
  python('psycopg 2', 'import psycopg2', 'python3-psycopg2'),
  python('asyncpg', 'import asyncpg', 'python3-asyncpg'),
  python('SQLAlchemy', 'import sqlalchemy, greenlet', 'python3-sqlalchemy', 'python3-greenlet'),
  python('Django', 'import django', 'python3-django'),
  python('pyodbc', 'import pyodbc', 'python3-pyodbc'),
  python(
    'psqlODBC',
    'import pyodbc; assert "PostgreSQL Unicode" in pyodbc.drivers()',
    'odbc-postgresql',
  ),
  { name: 'PHP', command: ['php', '--version'], debianPackages: ['php-cli'] },
  phpExtensions('PDO and pgsql for PHP', ['pdo_pgsql', 'pgsql'], 'php-pgsql'),
  perl('DBD::Pg', 'libdbd-pg-perl'),
  ruby('pg', 'ruby-pg'),
  ruby('activerecord', 'ruby-activerecord'),
  ruby('sequel', 'ruby-sequel'),
  {
    name: 'a Java compiler',
    command: ['javac', '--version'],
    debianPackages: ['default-jdk-headless'],
  },
  file('/usr/share/java/postgresql.jar', 'libpostgresql-jdbc-java'),
  { name: 'Go', command: ['go', 'version'], debianPackages: ['golang-go'] },
  file('/usr/share/gocode/src/github.com/lib/pq/conn.go', 'golang-github-lib-pq-dev'),
  file('/usr/share/gocode/src/github.com/jackc/pgx/v4/conn.go', 'golang-github-jackc-pgx-v4-dev'),
  { name: 'sysbench', command: ['sysbench', '--version'], debianPackages: ['sysbench'] },
  python('PyMySQL', 'import pymysql', 'python3-pymysql'),
  python('mysqlclient', 'import MySQLdb', 'python3-mysqldb'),
  python(
    'MariaDB Connector/ODBC',
    'import pyodbc; assert "MariaDB Unicode" in pyodbc.drivers()',
    'odbc-mariadb',
  ),
  phpExtensions('PDO and mysqli for PHP', ['pdo_mysql', 'mysqli'], 'php-mysql'),
  perl('DBD::mysql', 'libdbd-mysql-perl'),
  perl('DBD::MariaDB', 'libdbd-mariadb-perl'),
  ruby('mysql2', 'ruby-mysql2'),
  file('/usr/share/java/mariadb-java-client.jar', 'libmariadb-java'),
  file(
    '/usr/share/gocode/src/github.com/go-sql-driver/mysql/driver.go',
    'golang-github-go-sql-driver-mysql-dev',
  ),
  { name: 'FreeTDS', command: ['tsql', '-C'], debianPackages: ['freetds-bin'] },
  // It needs the other one for TLS, and does not ask for it.
  python('python-tds', 'import pytds, OpenSSL', 'python3-tds', 'python3-openssl'),
  python('pymssql', 'import pymssql', 'python3-pymssql'),
];

/** A module of Debian's own Python; another Python's would not do. */
function python(name: string, code: string, ...debianPackages: readonly string[]): Requirement {
  const program = '/usr/bin/python3';
  return { name: `${name} for ${program}`, command: [program, '-c', code], debianPackages };
}

function phpExtensions(
  name: string,
  extensions: readonly string[],
  debianPackage: string,
): Requirement {
  const code = `exit(array_diff(${JSON.stringify(extensions)}, get_loaded_extensions()) ? 1 : 0);`;
  return { name, command: ['php', '-r', code], debianPackages: [debianPackage] };
}

/** A module of Debian's own Perl. */
function perl(module: string, debianPackage: string): Requirement {
  const program = '/usr/bin/perl';
  const command = [program, `-M${module}`, '-e', '1'];
  return { name: `${module} for ${program}`, command, debianPackages: [debianPackage] };
}

/** A gem of Debian's own Ruby. */
function ruby(gem: string, debianPackage: string): Requirement {
  const program = '/usr/bin/ruby';
  const command = [program, '-e', `gem '${gem}'`];
  return { name: `${gem} for ${program}`, command, debianPackages: [debianPackage] };
}

function file(path: string, debianPackage: string): Requirement {
  return { name: path, command: ['test', '-e', path], debianPackages: [debianPackage] };
}

/** Servers come from npm, and Node is what npm runs on: nothing of the system can replace them. */
const postgresPackages = [undefined, 'postgres14'] as const;

/**
 * Makes sure that all servers and clients of the tests are there, installing what is missing where we may. Calls `say`
 * with what it does. Throws with the command to run where it may not, or where it did not help.
 */
export async function provision(say: (line: string) => void): Promise<void> {
  if (!(await works(['node', '--version']))) throw new Error('node is not in the PATH');
  for (const name of postgresPackages) await installPostgres(name);
  await install(requirements, say);
  const releases = await mysqlReleasesHere(say);
  say(`with ${(await Promise.all(releases.map(mysqlVersion))).join(', ')}`);
}

/** Makes sure that this program of the tests is there, likewise. */
export async function provisionProgram(name: string, say: (line: string) => void): Promise<void> {
  await install(
    requirements.filter((one) => one.name === name),
    say,
  );
}

async function install(wanted: readonly Requirement[], say: (line: string) => void): Promise<void> {
  const missing = await missingOf(wanted);
  if (missing.length === 0) return;
  const names = missing.map(({ name }) => name).join(', ');
  const packages = [...new Set(missing.flatMap(({ debianPackages }) => debianPackages))];
  const command = ['apt-get', 'install', '-y', '--no-install-recommends', ...packages];
  if (process.getuid?.() !== 0 || !(await works(['apt-get', '--version']))) {
    throw new Error(`missing: ${names}; install them and run again, on Debian with:
  sudo apt-get update && sudo ${command.join(' ')}`);
  }
  say(`installing ${packages.join(', ')}`);
  await run(['apt-get', 'update']);
  await withoutServices(() => withoutClusters(() => run(command)));
  const still = await missingOf(missing);
  if (still.length > 0) {
    throw new Error(`still missing: ${still.map(({ name }) => name).join(', ')}`);
  }
}

async function missingOf(candidates: readonly Requirement[]): Promise<readonly Requirement[]> {
  const there = await Promise.all(candidates.map(({ command }) => works(command)));
  return candidates.filter((_, at) => there[at] !== true);
}

async function works(command: readonly string[]): Promise<boolean> {
  try {
    const child = Bun.spawn([...command], { stdin: 'ignore', stdout: 'ignore', stderr: 'ignore' });
    return (await child.exited) === 0;
  } catch {
    return false;
  }
}

async function run(command: readonly string[]): Promise<void> {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const child = Bun.spawn([...command], { env, stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' });
  const [out, err, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  if (code !== 0) throw new Error(`${command.join(' ')} failed (${code}):\n${out}${err}`);
}

/** Debian's packages start what they bring unless a policy forbids it. */
async function withoutServices(work: () => Promise<void>): Promise<void> {
  const path = '/usr/sbin/policy-rc.d';
  if (existsSync(path)) {
    await work();
    return;
  }
  await writeFile(path, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    await work();
  } finally {
    await rm(path);
  }
}

/** Debian's package makes and starts a server of its own unless it is told not to. */
async function withoutClusters(work: () => Promise<void>): Promise<void> {
  const directory = '/etc/postgresql-common/createcluster.d';
  const path = `${directory}/sluice-tests.conf`;
  const known = existsSync(directory);
  await mkdir(directory, { recursive: true });
  await writeFile(path, 'create_main_cluster = false\n');
  try {
    await work();
  } finally {
    await rm(known ? path : directory, { recursive: true });
  }
}
