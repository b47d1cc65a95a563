import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pretendInstalled } from '../../test/support/installed-mysql.ts';
import { mysqlReleasesHere } from '../../test/support/mysql.ts';
import { findInstalledMysql } from './embedded-mysql-installed.ts';
import { startMysqlServer } from './embedded-mysql.ts';

const here = await mysqlReleasesHere();

describe.each([...here])('a %s that is installed', (release) => {
  const kind = release === 'mysql' ? 'mysql' : 'mariadb';
  const other = release === 'mysql' ? 'mariadb' : 'mysql';
  let home: string;
  let where: { cache: string; path: string; folders: readonly string[] };

  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'sluice-installed-'));
    const path = await pretendInstalled(release, join(home, 'prefix'));
    where = { cache: join(home, 'cache'), path, folders: [] };
  });

  afterAll(() => rm(home, { recursive: true }));

  test('is found by what it says that it is, and not by its name', async () => {
    const found = await findInstalledMysql(kind, where);
    expect(found?.path).toBe(join(where.path, 'mysqld'));
    expect(found?.isMariadb).toBe(kind === 'mariadb');
    expect(await findInstalledMysql(other, where)).toBeUndefined();
    expect(await findInstalledMysql(kind, { ...where, path: '' })).toBeUndefined();
  });

  test('serves', async () => {
    const program = await findInstalledMysql(kind, where);
    if (program === undefined) throw new Error('it is not there');
    const server = await startMysqlServer(program, { tls: true, databases: ['shop'] });
    try {
      expect(await server.query('SELECT DATABASE() AS name', 'shop')).toEqual([{ name: 'shop' }]);
      expect(server.isMariadb).toBe(kind === 'mariadb');
    } finally {
      await server.destroy();
    }
  });
});

test('a server that cannot be run is none', async () => {
  const path = await mkdtemp(join(tmpdir(), 'sluice-installed-'));
  await writeFile(join(path, 'mysqld'), '#!/bin/sh\nexit 1\n', { mode: 0o755 });
  const where = { cache: join(path, 'cache'), path, folders: [] };
  expect(await findInstalledMysql('mysql', where)).toBeUndefined();
  await rm(path, { recursive: true });
});
