import { afterAll, beforeAll, expect, test } from 'bun:test';
import { systemClock } from '../../../src/base/clock.ts';
import { SecretText } from '../../../src/base/secret-text.ts';
import { DatabaseRotator } from '../../../src/server/control/rotation/database-rotator.ts';
import { TdsClient } from '../../support/tds-client.ts';
import { startTds } from '../../support/tds-embedded.ts';
import type { ThrowAway } from '../../support/tds-embedded.ts';
import { outcomeOf } from '../../support/outcome.ts';

let server: ThrowAway;
const rotator = new DatabaseRotator(() => [], systemClock);

beforeAll(async () => {
  server = await startTds({ tls: false, databases: ['app', 'other', 'third'] });
  await server.query(`
    CREATE LOGIN app WITH PASSWORD = N'first', DEFAULT_DATABASE = app, DEFAULT_LANGUAGE = Deutsch;
    ALTER SERVER ROLE processadmin ADD MEMBER app;
    GRANT VIEW SERVER STATE TO app;
    USE app;
    CREATE TABLE orders (id int, price int);
    CREATE USER shop FOR LOGIN app;
    CREATE ROLE reading;
    ALTER ROLE reading ADD MEMBER shop;
    ALTER ROLE db_datawriter ADD MEMBER shop;
    GRANT CREATE TABLE TO shop;
    GRANT SELECT, INSERT ON dbo.orders TO shop WITH GRANT OPTION;
    GRANT UPDATE ON OBJECT::orders (price) TO shop;
    DENY DELETE ON orders TO shop;
    GRANT EXECUTE ON SCHEMA::dbo TO shop;
    GRANT ALTER ON ROLE::reading TO shop;
    USE other;
    CREATE USER app FOR LOGIN app;
    ALTER ROLE db_owner ADD MEMBER app`);
});
afterAll(() => server.destroy());

const target = () => ({ engine: 'sqlserver', host: server.host, port: String(server.port) });
const login = (username: string, password: string) => ({
  username,
  password: new SecretText(password),
});
const root = () => login(server.superuser, server.superuserPassword.reveal());
const clone = (username: string, password: string) =>
  rotator.setPassword({
    ...{ target: target(), ...login(username, password), signInAs: [root()] },
    cloneOf: 'app',
  });
const signIn = (user: string, password: string, database?: string) =>
  TdsClient.signIn({
    ...{ port: server.port, user, password },
    ...(database === undefined ? {} : { options: { database } }),
  });
const values = async (sql: string): Promise<readonly string[]> =>
  (await server.query(sql)).map((row) => Object.values(row).join(' '));

/** What somebody has in a database. */
async function rights(database: string, user: string): Promise<readonly string[]> {
  const roles = await values(`USE ${database}; SELECT r.name FROM sys.database_role_members m
    JOIN sys.database_principals r ON r.principal_id = m.role_principal_id
    JOIN sys.database_principals u ON u.principal_id = m.member_principal_id
    WHERE u.name = '${user}' ORDER BY r.name`);
  const permissions = await values(`USE ${database};
    SELECT p.class_desc, p.major_id, p.minor_id, p.permission_name, p.state
    FROM sys.database_permissions p
    JOIN sys.database_principals u ON u.principal_id = p.grantee_principal_id
    WHERE u.name = '${user}' ORDER BY p.class, p.major_id, p.minor_id, p.permission_name`);
  return [...roles, ...permissions];
}

test('a clone has the roles and permissions of its model, in the databases where that is a user', async () => {
  await clone('app_clone', 'second');
  const inApp = await rights('app', 'shop');
  expect(inApp).toHaveLength(9);
  expect(await rights('app', 'app_clone')).toEqual(inApp);
  expect(await rights('other', 'app_clone')).toEqual(['db_owner']);
  const [first, second] = await Promise.all(
    ['app', 'app_clone'].map((name) =>
      values(`SELECT p.default_database_name, p.default_language_name, r.name, x.permission_name
        FROM sys.server_principals p
        JOIN sys.server_role_members m ON m.member_principal_id = p.principal_id
        JOIN sys.server_principals r ON r.principal_id = m.role_principal_id
        JOIN sys.server_permissions x ON x.grantee_principal_id = p.principal_id
        WHERE p.name = '${name}'`),
    ),
  );
  expect(first).toEqual(['app Deutsch processadmin VIEW SERVER STATE']);
  expect(second).toEqual(first ?? []);
  const client = await signIn('app_clone', 'second');
  expect(await client.value('SELECT DB_NAME()')).toBe('app');
  await client.end();
  const refused: unknown = await signIn('app_clone', 'second', 'third').catch(
    (problem: unknown) => problem,
  );
  expect(refused).toMatchObject({
    said: [expect.stringContaining('4060 Cannot open database "third"'), expect.any(String)],
  });
});

test('one that is there gets the password alone', async () => {
  await server.query('USE other; DROP USER app_clone');
  await clone('app_clone', 'third');
  await (await signIn('app_clone', 'third')).end();
  expect(await outcomeOf(signIn('app_clone', 'second'))).toThrow(
    "Login failed for user 'app_clone'",
  );
  expect(await rights('other', 'app_clone')).toEqual([]);
});

test('a user that is left from an earlier clone becomes the new one', async () => {
  await server.query('DROP LOGIN app_clone');
  await clone('app_clone', 'fourth');
  await (await signIn('app_clone', 'fourth', 'app')).end();
  expect(await rights('app', 'app_clone')).toEqual(await rights('app', 'shop'));
});

test('where not all of it can be copied there is no clone', async () => {
  await server.query('USE third; CREATE TYPE ids AS TABLE (id int)');
  await server.query('USE third; CREATE USER app FOR LOGIN app; GRANT EXECUTE ON TYPE::ids TO app');
  expect(await outcomeOf(clone('app_other', 'secret-next'))).toThrow(
    'the user has a permission that cannot be copied (EXECUTE on type): make the clone yourself, and Sluice will set its password',
  );
  await server.query('USE third; DROP USER app');
  for (const database of ['app', 'other', 'third'])
    expect(await rights(database, 'app_other')).toEqual([]);
  expect(await values("SELECT name FROM sys.server_principals WHERE name = 'app_other'")).toEqual(
    [],
  );
});

test('a login that is no superuser changes its own password, by the one that it had, and no other', async () => {
  const change = { target: target(), ...login('app', 'fifth') };
  await rotator.setPassword({ ...change, signInAs: [login('app', 'first')] });
  await (await signIn('app', 'fifth')).end();
  const others = { target: target(), ...login('app_clone', 'sixth') };
  expect(
    await outcomeOf(rotator.setPassword({ ...others, signInAs: [login('app', 'fifth')] })),
  ).toThrow("Cannot alter the login 'app_clone'");
  const client = await signIn('app', 'fifth');
  for (const sql of [
    "ALTER LOGIN app WITH PASSWORD = 'seventh'",
    "ALTER LOGIN app WITH PASSWORD = 'seventh' OLD_PASSWORD = 'first'",
  ])
    expect(await outcomeOf(client.batch(sql))).toThrow("Cannot alter the login 'app'");
  await client.end();
});
