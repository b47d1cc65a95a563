import type { SqlRow } from './sql-client.ts';
import { sqlServerName, sqlServerText } from './sql-text.ts';
import type { AskPlainly } from './sqlserver-client.ts';

/** What somebody may, or may not. */
export interface Permission {
  /** `SELECT`, `VIEW DEFINITION` */
  readonly name: string;
  /** As the catalogue has it: granted, so that it can be passed on, denied, or taken back for a column of what is granted. */
  readonly state: 'G' | 'W' | 'D' | 'R';
  /** What it is about, as a statement says it: `OBJECT::[dbo].[t] ([c])`; undefined for the server, or the database, itself. */
  readonly on: string | undefined;
}

const STATES = ['G', 'W', 'D', 'R'] as const;

/** A login's, of the server itself. Babelfish knows of none. */
export async function serverPermissionsOf(
  ask: AskPlainly,
  login: string,
): Promise<readonly Permission[]> {
  const [view] = await ask("SELECT OBJECT_ID(N'sys.server_permissions') AS id");
  if (typeof view?.['id'] !== 'number') return [];
  const rows = await ask(
    `SELECT p.class_desc, p.state, p.permission_name FROM sys.server_permissions p
     JOIN sys.server_principals g ON g.principal_id = p.grantee_principal_id
     WHERE g.name = ${sqlServerText(login)}`,
  );
  return rows.map((row) => permissionIn(row, undefined, 'SERVER'));
}

/** A user's, in the database in use. Throws where one is about something that is not known. */
export async function permissionsOf(ask: AskPlainly, user: string): Promise<readonly Permission[]> {
  const rows = await ask(
    `SELECT p.class_desc, p.state, p.permission_name, s.name AS schema_name, o.name AS object_name,
       c.name AS column_name, t.name AS type_name, r.name AS principal_name, r.type AS principal_type
     FROM sys.database_permissions p
     JOIN sys.database_principals u ON u.principal_id = p.grantee_principal_id
     LEFT JOIN sys.all_objects o ON p.class = 1 AND o.object_id = p.major_id
     LEFT JOIN sys.all_columns c ON p.class = 1 AND c.object_id = p.major_id AND c.column_id = p.minor_id
     LEFT JOIN sys.types t ON p.class = 6 AND t.user_type_id = p.major_id
     LEFT JOIN sys.schemas s ON s.schema_id = CASE p.class
       WHEN 1 THEN o.schema_id WHEN 3 THEN p.major_id WHEN 6 THEN t.schema_id END
     LEFT JOIN sys.database_principals r ON p.class = 4 AND r.principal_id = p.major_id
     WHERE u.name = ${sqlServerText(user)}
     ORDER BY p.class, p.major_id, p.minor_id`,
  );
  return rows.map((row) => permissionIn(row, placeIn(row), 'DATABASE'));
}

/** As a statement for somebody else. @param grantee as statements say it */
export function sayPermission({ name, state, on }: Permission, grantee: string): string {
  const what = on === undefined ? name : `${name} ON ${on}`;
  switch (state) {
    case 'G':
      return `GRANT ${what} TO ${grantee}`;
    case 'W':
      return `GRANT ${what} TO ${grantee} WITH GRANT OPTION`;
    case 'D':
      return `DENY ${what} TO ${grantee}`;
    case 'R':
      return `REVOKE ${what} FROM ${grantee}`;
  }
}

function permissionIn(row: SqlRow, on: string | undefined, whole: string): Permission {
  const name = textIn(row, 'permission_name') ?? '';
  const about = textIn(row, 'class_desc') ?? '';
  const given = textIn(row, 'state')?.trim();
  const state = STATES.find((one) => one === given);
  if (state === undefined || !PERMISSION.test(name) || (on === undefined && about !== whole))
    throw new Error(
      `the user has a permission that cannot be copied (${name} on ${about.toLowerCase()}): make the clone yourself, and Sluice will set its password`,
    );
  return { name, state, on };
}

const PERMISSION = /^[A-Z][A-Z ]*$/;

/** Undefined for the database itself, and for what is not known. */
function placeIn(row: SqlRow): string | undefined {
  const [schema, object] = [textIn(row, 'schema_name'), textIn(row, 'object_name')];
  const [type, principal] = [textIn(row, 'type_name'), textIn(row, 'principal_name')];
  if (principal !== undefined)
    return `${kindOf(textIn(row, 'principal_type'))}::${sqlServerName(principal)}`;
  if (schema === undefined) return undefined;
  const inSchema = sqlServerName(schema);
  if (type !== undefined) return `TYPE::${inSchema}.${sqlServerName(type)}`;
  if (object === undefined) return `SCHEMA::${inSchema}`;
  const column = textIn(row, 'column_name');
  const columns = column === undefined ? '' : ` (${sqlServerName(column)})`;
  return `OBJECT::${inSchema}.${sqlServerName(object)}${columns}`;
}

function kindOf(type: string | undefined): string {
  switch (type?.trim()) {
    case 'R':
      return 'ROLE';
    case 'A':
      return 'APPLICATION ROLE';
    default:
      return 'USER';
  }
}

function textIn(row: SqlRow, column: string): string | undefined {
  const value = row[column];
  return typeof value === 'string' ? value : undefined;
}
