import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runToEnd } from '../support/command.ts';
import { debianProgram } from '../support/debian.ts';

/** The databases that this benchmark can have behind the poolers. */
export const servers = ['mysql', 'mariadb'] as const;
export type Server = (typeof servers)[number];

/** A server's program, unpacked. */
export interface Installation {
  readonly version: string;
  /** Runs it on this data directory, with whatever else is said. */
  command(dataDir: string): readonly string[];
  /** Makes a data directory. */
  initialise(dataDir: string, signal: AbortSignal): Promise<void>;
}

const programs = {
  mysql: { packageName: 'mysql-server-core', path: 'usr/sbin/mysqld', share: 'usr/share/mysql' },
  mariadb: {
    packageName: 'mariadb-server-core',
    path: 'usr/sbin/mariadbd',
    share: 'usr/share/mariadb',
  },
} as const;

/** The newest that Debian has: of MySQL there is no other. */
export async function installServer(server: Server, signal: AbortSignal): Promise<Installation> {
  const { packageName, path, share } = programs[server];
  const program = await debianProgram(packageName, path, signal);
  const root = program.at(-1)?.slice(0, -path.length) ?? '';
  const { out } = await runToEnd([...program, '--no-defaults', '--version'], { signal });
  const command = (dataDir: string): readonly string[] => [
    ...program,
    '--no-defaults',
    `--basedir=${join(root, 'usr')}`,
    `--datadir=${dataDir}`,
    `--lc-messages-dir=${join(root, share)}`,
    `--character-sets-dir=${join(root, share, 'charsets')}`,
    `--plugin-dir=${join(root, 'usr/lib/mysql/plugin')}`,
    // They refuse to be root where nobody says so.
    ...(process.getuid?.() === 0 ? ['--user=root'] : []),
  ];
  return {
    version: /Ver (\S+)/.exec(out)?.[1] ?? out.trim(),
    command,
    async initialise(dataDir, signal) {
      const way =
        server === 'mysql'
          ? { flags: ['--initialize-insecure'] }
          : { flags: ['--bootstrap'], input: await systemTables(join(root, share)) };
      await runToEnd([...command(dataDir), ...way.flags], { ...way, signal });
    },
  };
}

/** What `mariadb-install-db` runs, which would not find the server's own loader. */
async function systemTables(share: string): Promise<string> {
  const names = (await readdir(share)).filter((name) =>
    /^(?:mariadb_(?:system_tables|system_tables_data|performance_tables|sys_schema)|maria_add_gis_sp_bootstrap)\.sql$/.test(
      name,
    ),
  );
  // The data come after the tables.
  const order = ['tables', 'performance', 'data', 'gis', 'sys_schema'];
  const rank = (name: string): number => order.findLastIndex((word) => name.includes(word));
  const texts = names
    .sort((a, b) => rank(a) - rank(b))
    .map((name) => readFile(join(share, name), 'utf8'));
  return ['CREATE DATABASE mysql;', 'USE mysql;', ...(await Promise.all(texts))].join('\n');
}
