import { afterEach, describe, expect, test } from 'bun:test';
import { BareClient } from './client.ts';
import type { TdsServer } from './server.ts';
import { startTdsServer } from './server.ts';
import { outcomeOf } from '../outcome.ts';

const running: TdsServer[] = [];
afterEach(async () => {
  for (const server of running.splice(0)) await server.stop();
});

async function open() {
  const server = await startTdsServer({ databases: ['shop', 'other'] });
  running.push(server);
  const as = (user: string, password: string, database = '') =>
    BareClient.logIn(server.port, { user, password, database });
  const root = await as('sa', 'Secret-1');
  await root.batch("CREATE LOGIN app WITH PASSWORD = N'first', DEFAULT_DATABASE = shop");
  await root.batch('USE shop; CREATE TABLE t (a int, b int); CREATE USER app FOR LOGIN app');
  return { server, as, root };
}

async function said(client: BareClient, sql: string): Promise<string> {
  const { errors } = await client.batch(sql);
  return errors.map(({ number, message }) => `${number} ${message}`).join();
}

describe('a login that is made', () => {
  test('enters the databases in which it is a user, and no others', async () => {
    const { as, root } = await open();
    const client = await as('app', 'first');
    expect(await client.value('SELECT DB_NAME()')).toBe('shop');
    expect(await client.rows("SELECT USER_NAME(), HAS_DBACCESS('other')")).toEqual([['app', 0]]);
    expect(await outcomeOf(as('app', 'first', 'other'))).toThrow('4060');
    expect(await said(client, 'USE other')).toStartWith('916 ');
    expect(await said(client, 'USE master')).toBe('');
    await root.batch('USE other; CREATE USER any_name FOR LOGIN app');
    expect(await said(client, 'USE other')).toBe('');
  });

  test('changes its own password by the one that it has, and nobody else’s', async () => {
    const { as, root } = await open();
    const client = await as('app', 'first');
    for (const sql of [
      "ALTER LOGIN app WITH PASSWORD = 'x'",
      "ALTER LOGIN app WITH PASSWORD = 'x' OLD_PASSWORD = 'wrong'",
      "ALTER LOGIN sa WITH PASSWORD = 'x'",
      "ALTER LOGIN nobody WITH PASSWORD = 'x'",
      'DROP LOGIN sa',
    ])
      expect(await said(client, sql)).toStartWith('15151 Cannot ');
    expect(await said(client, "CREATE LOGIN b WITH PASSWORD = 'x'")).toStartWith('15247 ');
    expect(await said(client, 'CREATE ROLE r')).toStartWith('15247 ');
    await client.batch("ALTER LOGIN app WITH PASSWORD = N'sec''ond' OLD_PASSWORD = N'first'");
    expect(await outcomeOf(as('app', 'first'))).toThrow('18456');
    await as('APP', "sec'ond");
    await root.batch("ALTER LOGIN app WITH PASSWORD = N'go\\\n es on'");
    await as('app', 'go es on');
  });

  test('is there once, and gone when it is dropped', async () => {
    const { as, root } = await open();
    expect(await said(root, "CREATE LOGIN App WITH PASSWORD = 'x'")).toStartWith('15025 ');
    expect(await said(root, 'CREATE USER app')).toStartWith('15023 ');
    expect(await said(root, 'CREATE USER b FOR LOGIN nobody')).toStartWith('15007 ');
    expect(await said(root, 'CREATE USER b FOR LOGIN app')).toStartWith('15063 ');
    expect(await said(root, 'DROP LOGIN app')).toBe('');
    expect(await outcomeOf(as('app', 'first'))).toThrow('18456');
    expect(await said(root, 'DROP LOGIN IF EXISTS app')).toBe('');
    expect(await said(root, 'DROP USER nobody')).toStartWith('15151 ');
  });
});

test('what is granted is told', async () => {
  const { root } = await open();
  await root.batch(`CREATE ROLE r; ALTER ROLE r ADD MEMBER app;
    GRANT SELECT, INSERT ON t TO app; DENY UPDATE (b) ON t TO app; GRANT CREATE TABLE TO app;
    REVOKE INSERT ON t FROM app; REVOKE SELECT ON OBJECT::t (a) FROM app;
    GRANT EXECUTE ON SCHEMA::dbo TO r WITH GRANT OPTION`);
  expect(
    await root.rows(`SELECT u.name, p.class_desc, p.minor_id, p.permission_name, p.state
      FROM sys.database_permissions p
      JOIN sys.database_principals u ON u.principal_id = p.grantee_principal_id`),
  ).toEqual([
    ['app', 'OBJECT_OR_COLUMN', 0, 'SELECT', 'G'],
    ['app', 'OBJECT_OR_COLUMN', 2, 'UPDATE', 'D'],
    ['app', 'DATABASE', 0, 'CREATE TABLE', 'G'],
    ['app', 'OBJECT_OR_COLUMN', 1, 'SELECT', 'R'],
    ['r', 'SCHEMA', 0, 'EXECUTE', 'W'],
  ]);
  expect(await said(root, 'GRANT SELECT ON nothing TO app')).toStartWith('15151 ');
  expect(await said(root, 'GRANT SELECT ON t TO nobody')).toStartWith('15151 ');
  await root.batch('DROP ROLE r');
  expect(await root.rows('SELECT * FROM sys.database_role_members')).toEqual([]);
});
