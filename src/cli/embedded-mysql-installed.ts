import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, realpath } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { makeTemplate } from './embedded-mysql-install.ts';
import type { MysqlProgram } from './embedded-mysql-install.ts';
import { environment } from './embedded-process.ts';

/** Where servers are that are not in everybody's PATH: Linux, MySQL's own packages, and Homebrew's. */
const FOLDERS = [
  '/usr/sbin',
  '/usr/local/sbin',
  '/usr/libexec',
  '/usr/local/mysql/bin',
  '/opt/homebrew/opt/mysql/bin',
  '/opt/homebrew/opt/mariadb/bin',
] as const;

/** MariaDB's is often there under MySQL's name, too. */
const names = { mysql: ['mysqld'], mariadb: ['mariadbd', 'mysqld'] } as const;

export interface InstalledMysql extends MysqlProgram {
  /** Where it lies. */
  readonly path: string;
}

export interface WhereToLook {
  /** The folder of the user's cache, where its data directory is kept; see `cacheFolder`. */
  readonly cache: string;
  readonly path: string;
  readonly folders?: readonly string[];
}

/**
 * Finds a server that is installed on this machine. Its own settings, data and service are left alone. Undefined where there is
 * none; rejects where there is one that cannot make a data directory for us.
 */
export async function findInstalledMysql(
  kind: keyof typeof names,
  { cache, path, folders = FOLDERS }: WhereToLook,
): Promise<InstalledMysql | undefined> {
  for (const folder of [...path.split(delimiter), ...folders]) {
    for (const name of names[kind]) {
      const program = join(folder, name);
      if (folder === '' || !existsSync(program)) continue;
      const version = await versionOf(program);
      if (version !== undefined && version.includes('MariaDB') === (kind === 'mariadb'))
        return await prepare(program, version, { kind, cache });
    }
  }
  return undefined;
}

async function prepare(
  path: string,
  version: string,
  { kind, cache }: { readonly kind: keyof typeof names; readonly cache: string },
): Promise<InstalledMysql> {
  const asRoot = process.getuid?.() === 0 ? ['--user=root'] : [];
  const number = /\bVer (\d[\w.]*)/.exec(version)?.[1] ?? 'unknown';
  const installed: InstalledMysql = {
    path,
    isMariadb: kind === 'mariadb',
    template: join(cache, `installed-${kind}-${number}-${process.arch}`),
    serverPlugins: [],
    server: (dataDir) => [path, '--no-defaults', `--datadir=${dataDir}`, ...asRoot],
  };
  await mkdir(cache, { recursive: true });
  await makeTemplate(installed, dirname(dirname(await realpath(path))));
  return installed;
}

/** What it says of its version; undefined where it is not to be run. */
function versionOf(path: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    execFile(path, ['--no-defaults', '--version'], { env: environment }, (problem, stdout) => {
      resolve(problem === null ? stdout : undefined);
    });
  });
}
