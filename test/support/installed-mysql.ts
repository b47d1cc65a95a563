import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { MysqlRelease } from '../../src/cli/embedded-mysql-install.ts';
import { mysqlPrograms } from './mysql.ts';

/**
 * Lays a server out as if it were installed under this prefix, and knew of itself where its files are. Resolves with the folder
 * of its program, which is called `mysqld`.
 */
export async function pretendInstalled(release: MysqlRelease, prefix: string): Promise<string> {
  const command = (await mysqlPrograms(release)).server('');
  const at = command.indexOf('--no-defaults');
  const root = /^.*(?=\/usr\/sbin\/)/.exec(command[at - 1] ?? '')?.[0] ?? '';
  const options = command.slice(at + 1).filter((one) => !/^--(?:datadir|user)=/.test(one));
  const folder = join(prefix, 'bin');
  await mkdir(folder, { recursive: true });
  await writeScript(
    join(folder, 'mysqld'),
    `exec ${quoted(command.slice(0, at))} "$@" ${quoted(options)}`,
  );
  await symlink(join(root, 'usr/share'), join(prefix, 'share'));
  return folder;
}

/** Puts a client into a folder for the PATH. */
export async function pretendClient(release: MysqlRelease, folder: string): Promise<void> {
  const { isMariadb, client } = await mysqlPrograms(release);
  const name = isMariadb ? 'mariadb' : 'mysql';
  await writeScript(join(folder, name), `exec ${quoted(client(name))} "$@"`);
}

async function writeScript(path: string, script: string): Promise<void> {
  await writeFile(path, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
}

function quoted(words: readonly string[]): string {
  return words.map((word) => `'${word}'`).join(' ');
}
