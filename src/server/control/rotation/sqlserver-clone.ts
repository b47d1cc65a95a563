import type { PasswordChange } from '../../../api/secretsmanager/rotator.ts';
import { permissionsOf, sayPermission, serverPermissionsOf } from './sqlserver-permissions.ts';
import type { SqlRow } from './sql-client.ts';
import { sqlServerName, sqlServerText } from './sql-text.ts';
import type { AskPlainly } from './sqlserver-client.ts';

type Change = Pick<PasswordChange, 'username' | 'password' | 'cloneOf'>;

/** What logins say to change their own password. */
export function alterOwnLogin(username: string, next: string, former: string): string {
  return `${alterLogin(username, next)} OLD_PASSWORD = ${sqlServerText(former)}`;
}

function alterLogin(username: string, password: string): string {
  return `ALTER LOGIN ${sqlServerName(username)} WITH PASSWORD = ${sqlServerText(password)}`;
}

/**
 * As a superuser. A login that is not there is made with the roles and permissions of the one that it is to stand in for, and as a
 * user of the databases in which that one is.
 */
export async function setSqlServerPassword(
  ask: AskPlainly,
  { username, password, cloneOf }: Change,
): Promise<void> {
  const secret = password.reveal();
  if ((await loginOf(ask, username)) !== undefined) {
    await ask(alterLogin(username, secret));
    return;
  }
  const model = cloneOf === undefined ? undefined : await loginOf(ask, cloneOf);
  if (cloneOf === undefined || model === undefined)
    throw new Error(`the database has no login ${cloneOf ?? username}`);
  const clone = new Clone(ask, username);
  try {
    await clone.make(secret, model);
    await clone.copyServer(cloneOf);
    await clone.copyDatabases(cloneOf);
  } catch (problem) {
    // The next attempt would take it for one that is complete.
    await clone.undo();
    throw problem;
  }
}

async function loginOf(ask: AskPlainly, name: string): Promise<SqlRow | undefined> {
  const [row] = await ask(
    `SELECT default_database_name, default_language_name FROM sys.server_principals
     WHERE name = ${sqlServerText(name)} AND type = 'S'`,
  );
  return row;
}

/** A login that is being made. */
class Clone {
  readonly #ask: AskPlainly;
  readonly #username: string;
  readonly #name: string;
  /** What takes away again what has been made, the last first. */
  readonly #undoing: string[] = [];

  constructor(ask: AskPlainly, username: string) {
    this.#ask = ask;
    this.#username = username;
    this.#name = sqlServerName(username);
  }

  async make(secret: string, model: SqlRow): Promise<void> {
    const options = [
      `PASSWORD = ${sqlServerText(secret)}`,
      ...optionOf('DEFAULT_DATABASE', model['default_database_name']),
      ...optionOf('DEFAULT_LANGUAGE', model['default_language_name']),
    ];
    await this.#ask(`CREATE LOGIN ${this.#name} WITH ${options.join(', ')}`);
    this.#undoing.unshift(`DROP LOGIN ${this.#name}`);
  }

  async copyServer(original: string): Promise<void> {
    const roles = await this.#ask(
      `SELECT r.name AS name FROM sys.server_role_members m
       JOIN sys.server_principals r ON r.principal_id = m.role_principal_id
       JOIN sys.server_principals p ON p.principal_id = m.member_principal_id
       WHERE p.name = ${sqlServerText(original)}`,
    );
    for (const role of roles)
      await this.#ask(`ALTER SERVER ROLE ${nameIn(role)} ADD MEMBER ${this.#name}`);
    for (const permission of await serverPermissionsOf(this.#ask, original))
      await this.#ask(sayPermission(permission, this.#name));
  }

  async copyDatabases(original: string): Promise<void> {
    const databases = await this.#ask(
      'SELECT name FROM sys.databases WHERE state = 0 AND HAS_DBACCESS(name) = 1',
    );
    for (const database of databases) await this.#copyDatabase(nameIn(database), original);
  }

  async #copyDatabase(database: string, original: string): Promise<void> {
    await this.#ask(`USE ${database}`);
    const [user] = await this.#ask(
      `SELECT name, default_schema_name FROM sys.database_principals
       WHERE sid = SUSER_SID(${sqlServerText(original)})`,
    );
    if (user === undefined) return;
    await this.#makeUser(database, user);
    // The owner of a database has all that its role has.
    const isOwner = textIn(user, 'name') === OWNER;
    const roles = isOwner ? [{ name: 'db_owner' }] : await this.#rolesOf(user);
    for (const role of roles)
      await this.#ask(`ALTER ROLE ${nameIn(role)} ADD MEMBER ${this.#name}`);
    for (const permission of await permissionsOf(this.#ask, textIn(user, 'name')))
      await this.#ask(sayPermission(permission, this.#name));
  }

  async #makeUser(database: string, model: SqlRow): Promise<void> {
    const [known] = await this.#ask(
      `SELECT 1 AS found FROM sys.database_principals WHERE name = ${sqlServerText(this.#username)}`,
    );
    if (known !== undefined) {
      // It is left from a login of this name that is no more.
      await this.#ask(`ALTER USER ${this.#name} WITH LOGIN = ${this.#name}`);
      return;
    }
    const schema = optionOf('DEFAULT_SCHEMA', model['default_schema_name']);
    const options = schema.length === 0 ? '' : ` WITH ${schema.join(', ')}`;
    await this.#ask(`CREATE USER ${this.#name} FOR LOGIN ${this.#name}${options}`);
    this.#undoing.unshift(`USE ${database}; DROP USER ${this.#name}`);
  }

  #rolesOf(user: SqlRow): Promise<readonly SqlRow[]> {
    return this.#ask(
      `SELECT r.name AS name FROM sys.database_role_members m
       JOIN sys.database_principals r ON r.principal_id = m.role_principal_id
       JOIN sys.database_principals u ON u.principal_id = m.member_principal_id
       WHERE u.name = ${sqlServerText(textIn(user, 'name'))}`,
    );
  }

  /** As far as it goes: what went wrong before says more. */
  async undo(): Promise<void> {
    for (const statement of this.#undoing) await this.#ask(statement).catch(() => {});
  }
}

const OWNER = 'dbo';

function optionOf(option: string, value: unknown): readonly string[] {
  return typeof value === 'string' && value !== '' ? [`${option} = ${sqlServerName(value)}`] : [];
}

function textIn(row: SqlRow, column: string): string {
  const value = row[column];
  return typeof value === 'string' ? value : '';
}

/** As it is written in statements. */
function nameIn(row: SqlRow): string {
  return sqlServerName(textIn(row, 'name'));
}
