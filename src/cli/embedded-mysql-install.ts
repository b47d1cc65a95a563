import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { unpackPackages } from './debian-packages.ts';
import type { DebianOptions, DebianPackages, UnpackedPackages } from './debian-packages.ts';
import { environment } from './embedded-process.ts';

/** Beside the servers' own programs come their clients and, from MariaDB's larger package, its plug-ins. */
const mariadb = {
  complete: ['mariadb-server-core', 'mariadb-client-core'],
  alone: ['mariadb-server', 'mariadb-client'],
} as const;

/** MySQL is in no release of Debian's, but in what becomes the next one. */
const packages = {
  mysql: { suite: 'sid', complete: ['mysql-server-core', 'mysql-client-core'] },
  'mariadb-11.8': { suite: 'trixie', ...mariadb },
  'mariadb-10.11': { suite: 'bookworm', ...mariadb },
} as const satisfies Record<string, DebianPackages>;

/** A server that can be had: the newest MySQL, or one of MariaDB's long-term releases. */
export type MysqlRelease = keyof typeof packages;

/** A server's program, ready to run. */
export interface MysqlProgram {
  readonly isMariadb: boolean;
  /** A data directory to copy: `root` may come from everywhere and has no password. */
  readonly template: string;
  /** Plug-ins of the server's for signing in that have to be loaded. */
  readonly serverPlugins: readonly string[];
  /** The command that runs the server on this data directory; other options follow. */
  server(dataDir: string): readonly string[];
}

/** Programs of MySQL or MariaDB, ready to run. */
export interface MysqlInstallation extends MysqlProgram {
  /** Where the clients' plug-ins for signing in are. */
  readonly clientPlugins: string;
  /** The command that runs a client, such as `mysql` or `mariadb-dump`; it reads no files of settings. */
  client(name: string): readonly string[];
}

/**
 * Finds MySQL's or MariaDB's programs, which are unpacked into the user's cache where they are not there yet, and makes a data
 * directory once. Rejects where they cannot be had.
 */
export async function installMysql(
  release: MysqlRelease,
  options: DebianOptions,
): Promise<MysqlInstallation> {
  const unpacked = await unpackPackages(packages[release], options);
  const installation: MysqlInstallation = {
    isMariadb: release !== 'mysql',
    template: join(unpacked.home, 'data'),
    ...(release === 'mysql' ? mysqlPrograms(unpacked) : mariadbPrograms(unpacked)),
  };
  await makeTemplate(installation, join(unpacked.root, 'usr'));
  return installation;
}

type Programs = Pick<MysqlInstallation, 'serverPlugins' | 'clientPlugins' | 'server' | 'client'>;

function mysqlPrograms({ root, command }: UnpackedPackages): Programs {
  const plugins = join(root, 'usr/lib/mysql/plugin');
  return {
    serverPlugins: ['auth_socket.so'],
    clientPlugins: plugins,
    server: (dataDir) => [
      ...command('usr/sbin/mysqld'),
      '--no-defaults',
      ...serverOptions(root, dataDir),
      `--lc-messages-dir=${join(root, 'usr/share/mysql')}`,
    ],
    client: (name) => [...command(`usr/bin/${name}`), '--no-defaults', `--plugin-dir=${plugins}`],
  };
}

function mariadbPrograms({ root, command, triplet }: UnpackedPackages): Programs {
  const share = shareOf(join(root, 'usr'));
  const clientPlugins = join(root, 'usr/lib', triplet, 'libmariadb3/plugin');
  // The newer one has PARSEC as well.
  const serverPlugins = ['auth_ed25519.so', 'auth_parsec.so'].filter((name) =>
    existsSync(join(root, 'usr/lib/mysql/plugin', name)),
  );
  return {
    serverPlugins,
    clientPlugins,
    server: (dataDir) => [
      ...command('usr/sbin/mariadbd'),
      '--no-defaults',
      ...serverOptions(root, dataDir),
      `--lc-messages-dir=${share}`,
      `--character-sets-dir=${join(share, 'charsets')}`,
    ],
    client: (name) => [
      ...command(`usr/bin/${name}`),
      '--no-defaults',
      `--plugin-dir=${clientPlugins}`,
    ],
  };
}

/** Neither server is root unless it is told to be. */
function serverOptions(root: string, dataDir: string): readonly string[] {
  return [
    `--basedir=${join(root, 'usr')}`,
    `--datadir=${dataDir}`,
    `--plugin-dir=${join(root, 'usr/lib/mysql/plugin')}`,
    ...(process.getuid?.() === 0 ? ['--user=root'] : []),
  ];
}

/** Where MariaDB keeps its messages and scripts; the older one under the older name. */
function shareOf(prefix: string): string {
  const [newer, older] = [join(prefix, 'share/mariadb'), join(prefix, 'share/mysql')];
  return existsSync(newer) ? newer : older;
}

/**
 * Makes the data directory where it is not there yet, under another name first: processes may race for it. `prefix` is where the
 * program is installed, such as `/usr`.
 */
export async function makeTemplate(program: MysqlProgram, prefix: string): Promise<void> {
  if (existsSync(program.template)) return;
  const draft = await mkdtemp(`${program.template}-`);
  try {
    const data = join(draft, 'data');
    await mkdir(data);
    await (program.isMariadb
      ? initialiseMariadb(program, data, shareOf(prefix))
      : initialiseMysql(program, data, draft));
    await rename(data, program.template);
  } catch (problem) {
    if (!existsSync(program.template)) throw problem;
  } finally {
    await rm(draft, { recursive: true });
  }
}

async function initialiseMysql(
  { server }: MysqlProgram,
  data: string,
  draft: string,
): Promise<void> {
  const script = join(draft, 'init.sql');
  await writeFile(script, "RENAME USER root@localhost TO root@'%';\n");
  await feed(
    [
      ...server(data),
      '--initialize-insecure',
      `--init-file=${script}`,
      '--skip-log-bin',
      '--secure-file-priv=NULL',
      '--auto-generate-certs=OFF',
      '--performance-schema=OFF',
      '--innodb-redo-log-capacity=32M',
      '--innodb-doublewrite=OFF',
      '--innodb-flush-method=nosync',
    ],
    '',
  );
  // Each server is to have an identity of its own.
  await rm(join(data, 'auto.cnf'));
}

/** What `mariadb-install-db` does; that would run the programs with the machine's own libraries. */
async function initialiseMariadb(
  { server }: MysqlProgram,
  data: string,
  share: string,
): Promise<void> {
  await mkdir(join(data, 'mysql'));
  const there = await readdir(share);
  const scripts = [
    /^(?:mariadb|mysql)_system_tables\.sql$/,
    /^(?:mariadb|mysql)_performance_tables\.sql$/,
    /^(?:mariadb|mysql)_system_tables_data\.sql$/,
    /^maria_add_gis_sp_bootstrap\.sql$/,
    /^(?:mariadb|mysql)_sys_schema\.sql$/,
  ].flatMap((name) => there.filter((file) => name.test(file)));
  const texts = await Promise.all(scripts.map((name) => readFile(join(share, name), 'utf8')));
  const options = ['--innodb-log-file-size=8M', '--innodb-flush-method=nosync'];
  await feed(
    [...server(data), '--bootstrap', '--max-allowed-packet=8M', ...options],
    [
      'CREATE DATABASE IF NOT EXISTS mysql;\nUSE mysql;\nSET @auth_root_socket = NULL;\n',
      ...texts,
      ...['global_priv', 'proxies_priv'].map(
        (table) => `DELETE FROM ${table} WHERE User <> 'mariadb.sys' AND Host <> 'localhost';\n`,
      ),
      "UPDATE global_priv SET Host = '%' WHERE User = 'root';\n",
      "UPDATE proxies_priv SET Host = '%' WHERE User = 'root';\n",
    ].join(''),
  );
}

/** Runs a program on this input; rejects with its last words where it fails. */
function feed([program = '', ...args]: readonly string[], input: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const options = { env: environment, maxBuffer: Infinity };
    const child = execFile(program, args, options, (problem, _out, said) => {
      if (problem === null) return resolve();
      const last = said.trimEnd().split('\n').slice(-LAST_LINES).join('\n');
      reject(
        new Error(`the server could not make its data: ${last || problem.message}`, {
          cause: problem,
        }),
      );
    });
    // Where it ends before it has read all, its last words say more.
    child.stdin?.on('error', () => {});
    child.stdin?.end(input);
  });
}

/** What is repeated of what a server said that failed. */
const LAST_LINES = 5;
