import type { PasswordChange } from '../../../api/secretsmanager/rotator.ts';
import { grantFor } from './mysql-grants.ts';
import type { Ask } from './sql-client.ts';
import { mysqlAccount, mysqlText, PLAIN_MODE } from './sql-text.ts';

type Change = Pick<PasswordChange, 'username' | 'password' | 'cloneOf'>;

interface Account {
  readonly host: string;
  readonly plugin: string;
  readonly sslType: string;
}

/** Ways of signing in that have a password; any other account gets the server's usual one. */
const PLUGINS = [
  'caching_sha2_password',
  'sha256_password',
  'mysql_native_password',
  'ed25519',
  'parsec',
];

/**
 * As a superuser, at every host that the user is known from. An account that is not there is made with the grants of the one that it is
 * to stand in for.
 */
export async function setMysqlPassword(
  ask: Ask,
  { username, password, cloneOf }: Change,
  isMariadb: boolean,
): Promise<void> {
  await ask(PLAIN_MODE);
  const known = await accountsOf(ask, username);
  for (const { host } of known)
    await ask(alterUser(mysqlAccount(username, host), password.reveal(), isMariadb));
  const models = cloneOf === undefined ? [] : await accountsOf(ask, cloneOf);
  if (known.length === 0 && models.length === 0)
    throw new Error(`the database has no user ${cloneOf ?? username}`);
  for (const model of models) {
    if (known.some(({ host }) => host === model.host)) continue;
    await makeClone(ask, { username, password: password.reveal(), isMariadb, model, cloneOf });
  }
}

/** Of the account itself, or of one at which a superuser is. MariaDB's ALTER USER would change how it signs in. */
export function alterUser(account: string, password: string, isMariadb: boolean): string {
  return isMariadb
    ? `SET PASSWORD FOR ${account} = PASSWORD(${mysqlText(password)})`
    : `ALTER USER ${account} IDENTIFIED BY ${mysqlText(password)}`;
}

async function accountsOf(ask: Ask, user: string): Promise<readonly Account[]> {
  const rows = await ask(
    'SELECT host AS host, plugin AS plugin, ssl_type AS ssl_type FROM mysql.user WHERE user = ?',
    [user],
  );
  return rows.map((row) => ({
    host: textOf(row['host']),
    plugin: textOf(row['plugin']),
    sslType: textOf(row['ssl_type']),
  }));
}

async function makeClone(
  ask: Ask,
  clone: {
    readonly username: string;
    readonly password: string;
    readonly isMariadb: boolean;
    readonly model: Account;
    readonly cloneOf: string | undefined;
  },
): Promise<void> {
  const { username, password, isMariadb, model, cloneOf = '' } = clone;
  const { host, plugin, sslType } = model;
  const account = mysqlAccount(username, host);
  const lines = await ask(`SHOW GRANTS FOR ${mysqlAccount(cloneOf, host)}`);
  const grants = lines.flatMap(
    (line) => grantFor(textOf(Object.values(line)[0]), username, host) ?? [],
  );
  const requirement =
    sslType === 'ANY' ? ' REQUIRE SSL' : sslType === 'X509' ? ' REQUIRE X509' : '';
  await ask(`CREATE USER ${account} ${identified(plugin, password, isMariadb)}${requirement}`);
  try {
    for (const grant of grants) await ask(grant);
    if (!isMariadb) await copyDefaultRoles(ask, account, mysqlAccount(cloneOf, host));
  } catch (problem) {
    // The next attempt would take it for one that is complete.
    await ask(`DROP USER ${account}`);
    throw problem;
  }
}

function identified(plugin: string, password: string, isMariadb: boolean): string {
  const secret = mysqlText(password);
  if (!PLUGINS.includes(plugin)) return `IDENTIFIED BY ${secret}`;
  return isMariadb
    ? `IDENTIFIED VIA ${plugin} USING PASSWORD(${secret})`
    : `IDENTIFIED WITH ${plugin} BY ${secret}`;
}

/** MySQL does not tell them with the grants. */
async function copyDefaultRoles(ask: Ask, account: string, model: string): Promise<void> {
  const [line] = await ask(`SHOW CREATE USER ${model}`);
  const created = textOf(line && Object.values(line)[0]);
  const roles = /\bDEFAULT ROLE ((?:`(?:[^`]|``)*`@`(?:[^`]|``)*`,?)+)/.exec(created)?.[1];
  if (roles !== undefined) await ask(`SET DEFAULT ROLE ${roles} TO ${account}`);
}

/** Some columns are binary to the server. */
function textOf(value: unknown): string {
  if (value instanceof Uint8Array) return Buffer.from(value).toString();
  return typeof value === 'string' ? value : '';
}
