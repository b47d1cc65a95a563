import type { Database } from '../data/database.ts';
import type { Grants, Permission } from '../session/security.ts';
import type { SqlType, Value } from '../types/sql-type.ts';
import { int, nvarchar, sysname, tinyint, varbinary } from '../types/sql-type.ts';
import type { Context } from './context.ts';

/** Columns by their names, each with its type and its value of an object. */
type Columns<T> = Readonly<Record<string, readonly [SqlType, (item: T) => Value]>>;

interface Principal {
  readonly id: number;
  readonly name: string;
  readonly type: 'S' | 'R';
  readonly sid: Uint8Array | null;
  /** A login's database, a user's schema. */
  readonly home: string | null;
  readonly language: string | null;
}

/** What a login is known by, in databases. */
export function sidOf(id: number): Uint8Array {
  const sid = new Uint8Array(16);
  new DataView(sid.buffer).setUint32(0, id);
  return sid;
}

const OWNER = 1;

export function serverPrincipals({ engine }: Context): readonly Principal[] {
  const { logins, server, passwords } = engine.security;
  const begun = [...passwords.keys()].filter((name) => !logins.has(name.toLowerCase()));
  const home = 'master';
  const language = 'us_english';
  return [
    ...begun.map((name, n): Principal => {
      const id = n === 0 ? OWNER : -n;
      return { id, name, type: 'S', sid: sidOf(id), home, language };
    }),
    ...[...logins.values()].map(({ id, name, database, language: own }): Principal => {
      return { id, name, type: 'S', sid: sidOf(id), home: database, language: own };
    }),
    ...rolesOf(server),
  ];
}

export function databasePrincipals({ engine }: Context, database: Database): readonly Principal[] {
  const grants = engine.security.of(database);
  const language = null;
  return [
    { id: OWNER, name: 'dbo', type: 'S', sid: sidOf(OWNER), home: 'dbo', language },
    ...[...grants.users.values()].map(({ id, name, sid, schema: home }): Principal => {
      return { id, name, type: 'S', sid: sidOf(sid), home, language };
    }),
    ...rolesOf(grants),
  ];
}

function rolesOf({ roles }: Grants): readonly Principal[] {
  return [...roles.values()].map(({ id, name }): Principal => {
    return { id, name, type: 'R', sid: null, home: null, language: null };
  });
}

export const principalColumns: Columns<Principal> = {
  name: [sysname, ({ name }) => name],
  principal_id: [int, ({ id }) => id],
  sid: [varbinary(85), ({ sid }) => sid],
  type: [nvarchar(1), ({ type }) => type],
};

export const serverPrincipalColumns: Columns<Principal> = {
  ...principalColumns,
  default_database_name: [sysname, ({ home }) => home],
  default_language_name: [sysname, ({ language }) => language],
};

export const databasePrincipalColumns: Columns<Principal> = {
  ...principalColumns,
  default_schema_name: [sysname, ({ home }) => home],
};

export const memberColumns: Columns<readonly [role: number, member: number]> = {
  role_principal_id: [int, ([role]) => role],
  member_principal_id: [int, ([, member]) => member],
};

export const permissionColumns: Columns<Permission> = {
  class: [tinyint, (one) => one.class],
  class_desc: [sysname, ({ classDescription }) => classDescription],
  major_id: [int, ({ major }) => major],
  minor_id: [int, ({ minor }) => minor],
  grantee_principal_id: [int, ({ grantee }) => grantee],
  permission_name: [sysname, ({ name }) => name],
  state: [nvarchar(1), ({ state }) => state],
};
