import type { Login, Permission, User } from '../session/security.ts';
import type { Name, Statement } from '../sql/ast.ts';
import { errors } from '../types/errors.ts';
import type { Context } from './context.ts';
import { findTable, placeOf } from './objects.ts';

type Of<K extends Statement['kind']> = Statement & { readonly kind: K };

/** Logins, users, roles, and what they are granted. */
export function runSecurity(
  statement: Of<'login' | 'user' | 'role' | 'permission'>,
  context: Context,
): void {
  switch (statement.kind) {
    case 'login':
      return runLogin(statement, context);
    case 'user':
      return runUser(statement, context);
    case 'role':
      return runRole(statement, context);
    case 'permission':
      return runPermission(statement, context);
  }
}

function runLogin(statement: Of<'login'>, context: Context): void {
  const { does, name, options, isIfExists } = statement;
  const { session, engine } = context;
  const { security } = engine;
  const isAdministrator = security.isAdministrator(session.login.userName);
  const known = security.knownName(name);
  if (does === 'create') {
    if (!isAdministrator) throw errors.notPermitted();
    if (known !== undefined) throw errors.principalExists(name);
    const database = options.get('DEFAULT_DATABASE') ?? 'master';
    const language = options.get('DEFAULT_LANGUAGE') ?? 'us_english';
    security.addLogin(name, options.get('PASSWORD') ?? '', database, language);
    return;
  }
  if (does === 'drop') {
    const login = security.login(name);
    if (login !== undefined && isAdministrator) security.dropLogin(login);
    else if (!isIfExists) throw errors.noPrincipal('drop', 'login', name);
    return;
  }
  // Whoever changes the own one says what it was; what is wrong with it is told to nobody.
  const isOwn = session.login.userName.toLowerCase() === name.toLowerCase();
  const former = options.get('OLD_PASSWORD');
  const isProven = isOwn && known !== undefined && security.passwords.get(known) === former;
  const mayBe = isAdministrator && (former === undefined || isProven);
  if (known === undefined || !(mayBe || isProven)) throw errors.noPrincipal('alter', 'login', name);
  const password = options.get('PASSWORD');
  if (password !== undefined) security.passwords.set(known, password);
  const login = security.login(known);
  if (login === undefined) return;
  login.database = options.get('DEFAULT_DATABASE') ?? login.database;
  login.language = options.get('DEFAULT_LANGUAGE') ?? login.language;
}

function mustOwn({ session, engine }: Context): void {
  if (!engine.security.isOwner(session.login.userName, session.database))
    throw errors.notPermitted();
}

function runUser(statement: Of<'user'>, context: Context): void {
  const { does, name, login, options, isIfExists } = statement;
  const { session, engine } = context;
  mustOwn(context);
  const grants = engine.security.of(session.database);
  const known = grants.users.get(name.toLowerCase());
  if (does === 'create') {
    if (known !== undefined || grants.roles.has(name.toLowerCase())) throw errors.userExists(name);
    const { id: sid } = loginFor(login ?? name, context);
    if ([...grants.users.values()].some((user) => user.sid === sid)) throw errors.hasUser();
    const schema = options.get('DEFAULT_SCHEMA') ?? 'dbo';
    grants.users.set(name.toLowerCase(), { id: engine.security.nextUser(), name, sid, schema });
    return;
  }
  if (known === undefined) {
    if (!isIfExists) throw errors.noPrincipal(does, 'user', name);
    return;
  }
  if (does === 'drop') {
    grants.users.delete(name.toLowerCase());
    grants.forget(known.id);
    return;
  }
  const other = options.get('LOGIN');
  if (other !== undefined) known.sid = loginFor(other, context).id;
}

function loginFor(name: string, { engine }: Context): Login {
  const login = engine.security.login(name);
  if (login === undefined) throw errors.noLogin(name);
  return login;
}

function runRole(statement: Of<'role'>, context: Context): void {
  const { does, name, member, isOfServer, isIfExists } = statement;
  const { session, engine } = context;
  const { security } = engine;
  if (!isOfServer) mustOwn(context);
  else if (!security.isAdministrator(session.login.userName)) throw errors.notPermitted();
  const grants = isOfServer ? security.server : security.of(session.database);
  const key = name.toLowerCase();
  const known = grants.roles.get(key);
  if (does === 'create') {
    if (known !== undefined) throw errors.userExists(name);
    grants.roles.set(key, { id: security.nextUser(), name });
    return;
  }
  if (known === undefined) {
    if (!isIfExists) throw errors.noPrincipal(does, 'role', name);
    return;
  }
  if (does === 'drop') {
    grants.roles.delete(key);
    grants.forget(known.id);
    return;
  }
  const who = isOfServer ? security.login(member.name) : userOrRole(member.name, context);
  if (who === undefined) throw errors.noPrincipal('add', 'principal', member.name);
  const at = grants.members.findIndex(([role, one]) => role === known.id && one === who.id);
  if (member.adds && at < 0) grants.members.push([known.id, who.id]);
  if (!member.adds && at >= 0) grants.members.splice(at, 1);
}

function userOrRole(name: string, { session, engine }: Context): Pick<User, 'id'> | undefined {
  const { users, roles } = engine.security.of(session.database);
  return users.get(name.toLowerCase()) ?? roles.get(name.toLowerCase());
}

/** Names of permissions that only a server has. */
const OF_SERVER = /^(?:ALTER ANY (?:LOGIN|DATABASE)|CONNECT SQL|VIEW SERVER STATE|VIEW ANY )/;

function runPermission(statement: Of<'permission'>, context: Context): void {
  const { does, names, on, columns, to, mayGrant } = statement;
  const { session, engine } = context;
  const { security } = engine;
  const isOfServer = on === undefined && names.every((name) => OF_SERVER.test(name));
  if (!isOfServer) mustOwn(context);
  else if (!security.isAdministrator(session.login.userName)) throw errors.notPermitted();
  const grants = isOfServer ? security.server : security.of(session.database);
  const places = isOfServer ? [{ ...WHOLE_SERVER }] : placesOf(on, columns, context);
  for (const grantee of to) {
    const who = isOfServer ? security.login(grantee) : userOrRole(grantee, context);
    if (who === undefined) throw errors.noPrincipal('find', isOfServer ? 'login' : 'user', grantee);
    for (const name of names)
      for (const place of places) {
        const state = does === 'DENY' ? 'D' : mayGrant ? 'W' : 'G';
        const permission: Permission = { grantee: who.id, ...place, name, state };
        if (does !== 'REVOKE') grants.put(permission);
        else if (place.minor > 0) grants.put({ ...permission, state: 'R' });
        else grants.take(permission);
      }
  }
}

type Place = Pick<Permission, 'class' | 'classDescription' | 'major' | 'minor'>;

const WHOLE_SERVER: Place = { class: 100, classDescription: 'SERVER', major: 0, minor: 0 };

function placesOf(
  on: { readonly kind: string; readonly name: Name } | undefined,
  columns: readonly string[],
  context: Context,
): readonly Place[] {
  if (on === undefined) return [{ class: 0, classDescription: 'DATABASE', major: 0, minor: 0 }];
  const { database } = context.session;
  const { kind, name } = on;
  const last = name.at(-1) ?? '';
  if (kind === 'SCHEMA') {
    const major = database.schemaId(last);
    if (major === undefined) throw errors.noPrincipal('find', 'schema', last);
    return [{ class: 3, classDescription: 'SCHEMA', major, minor: 0 }];
  }
  if (kind === 'USER' || kind === 'ROLE') {
    const major = userOrRole(last, context)?.id;
    if (major === undefined) throw errors.noPrincipal('find', 'user', last);
    return [{ class: 4, classDescription: 'DATABASE_PRINCIPAL', major, minor: 0 }];
  }
  const { key } = placeOf(name, context);
  if (kind === 'TYPE') {
    const major = database.types.get(key)?.id;
    if (major === undefined) throw errors.noPrincipal('find', 'type', last);
    return [{ class: 6, classDescription: 'TYPE', major, minor: 0 }];
  }
  const table = findTable(name, context);
  const major = table?.id ?? database.procedures.get(key)?.id ?? database.views.get(key)?.id;
  if (major === undefined) throw errors.noPrincipal('find', 'object', last);
  const about = { class: 1, classDescription: 'OBJECT_OR_COLUMN', major };
  if (columns.length === 0) return [{ ...about, minor: 0 }];
  return columns.map((column) => {
    const at = table?.columnAt(column) ?? -1;
    if (at < 0) throw errors.noColumn(column);
    return { ...about, minor: at + 1 };
  });
}
