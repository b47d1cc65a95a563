import { cacheFolder, PackagesUnavailable } from '../../debian-packages.ts';
import { installMysql } from '../../embedded-mysql-install.ts';
import { findInstalledMysql } from '../../embedded-mysql-installed.ts';
import { startMysqlServer } from '../../embedded-mysql.ts';
import type { MysqlServer, MysqlServerOptions } from '../../embedded-mysql.ts';
import type { Surroundings } from '../database.ts';

/** What is unpacked where none is installed. */
const releases = { mysql: 'mysql', mariadb: 'mariadb-11.8' } as const;
const titles = { mysql: 'MySQL', mariadb: 'MariaDB' } as const;

export type MysqlKind = keyof typeof releases;

export interface StartedServer {
  readonly server: MysqlServer;
  /** What it is, and where its program comes from. */
  readonly origin: string;
}

/** Starts the server that is installed here, or else one of Debian's. Rejects with what to do where there is neither. */
export async function startServer(
  kind: MysqlKind,
  { env, signal, say }: Surroundings,
  options: MysqlServerOptions,
): Promise<StartedServer> {
  const cache = cacheFolder(env);
  const title = titles[kind];
  let trouble = `there is no ${title} server on this machine`;
  try {
    const installed = await findInstalledMysql(kind, { cache, path: env['PATH'] ?? '' });
    if (installed !== undefined) {
      const server = await startMysqlServer(installed, options);
      return { server, origin: `${called(title, server)}, as it is installed (${installed.path})` };
    }
  } catch (problem) {
    signal.throwIfAborted();
    trouble = `the ${title} server of this machine is of no use here: ${words(problem)}`;
    say(`${trouble}.`);
  }
  say(`${title} comes from Debian's packages. The first time that takes a minute or so.`);
  try {
    const program = await installMysql(releases[kind], { cache, signal });
    const server = await startMysqlServer(program, options);
    return { server, origin: `${called(title, server)} from Debian's packages` };
  } catch (problem) {
    if (!(problem instanceof PackagesUnavailable)) throw problem;
    throw new Error(
      `${trouble}, and Debian's packages cannot be had: ${problem.message}\n` +
        `Install ${title}, so that its server is in the PATH, or try \`--engine postgres\`, which npm brings along.`,
      { cause: problem },
    );
  }
}

/** Without what packagers add to the version. */
function called(title: string, { version }: MysqlServer): string {
  return `${title} ${/^[\d.]+/.exec(version)?.[0] ?? version}`;
}

function words(problem: unknown): string {
  return problem instanceof Error ? problem.message : String(problem);
}
