import type { Database } from '../data/database.ts';

/** Who may log in. */
export interface Login {
  readonly id: number;
  readonly name: string;
  database: string;
  language: string;
}

/** Of a database. */
export interface User {
  readonly id: number;
  readonly name: string;
  /** The login's number. */
  sid: number;
  readonly schema: string;
}

/** What somebody may or may not, as the catalogue has it. */
export interface Permission {
  /** The number of who has it. */
  readonly grantee: number;
  readonly class: number;
  readonly classDescription: string;
  readonly major: number;
  readonly minor: number;
  readonly name: string;
  state: 'G' | 'W' | 'D' | 'R';
}

export const SYSADMIN = 'sysadmin';
export const DB_OWNER = 'db_owner';
const OPEN_TO_ALL = new Set(['master', 'tempdb', 'msdb']);
const serverRoles = ['public', SYSADMIN, 'securityadmin', 'processadmin', 'dbcreator', 'bulkadmin'];
const databaseRoles = ['public', DB_OWNER, 'db_ddladmin', 'db_datareader', 'db_datawriter'];
const FIRST_ROLE = 16_384;
const FIRST_LOGIN = 259;
const FIRST_USER = 5;

/** Roles, who is in them, and what is granted: of the server, or of one database. */
export class Grants {
  readonly roles: Map<string, { readonly id: number; readonly name: string }>;
  /** Pairs of numbers: a role, and who is in it. */
  readonly members: [role: number, member: number][] = [];
  readonly permissions: Permission[] = [];

  constructor(roles: readonly string[], first: number) {
    this.roles = new Map(roles.map((name, n) => [name, { id: n === 0 ? 0 : first + n, name }]));
  }

  isIn(role: string, member: number): boolean {
    const id = this.roles.get(role)?.id;
    return this.members.some(([one, other]) => one === id && other === member);
  }

  /** All that names it goes with it. */
  forget(id: number): void {
    const left = this.members.filter(([role, member]) => role !== id && member !== id);
    this.members.splice(0, Infinity, ...left);
    const kept = this.permissions.filter(({ grantee }) => grantee !== id);
    this.permissions.splice(0, Infinity, ...kept);
  }

  put(permission: Permission): void {
    const at = this.#find(permission);
    if (at >= 0) this.permissions.splice(at, 1);
    this.permissions.push(permission);
  }

  take(permission: Permission): void {
    const at = this.#find(permission);
    if (at >= 0) this.permissions.splice(at, 1);
  }

  #find(wanted: Permission): number {
    return this.permissions.findIndex(
      (one) =>
        one.grantee === wanted.grantee &&
        one.class === wanted.class &&
        one.major === wanted.major &&
        one.minor === wanted.minor &&
        one.name === wanted.name,
    );
  }
}

/** The users of a database, by their names in small letters. */
export class DatabaseGrants extends Grants {
  readonly users = new Map<string, User>();
}

/**
 * Logins and users. Those that the server begins with are administrators; those that CREATE LOGIN makes may enter the databases in
 * which they are users, and change their own passwords. What is granted is kept and told, and beyond that asked of nobody.
 */
export class Security {
  /** By names as they were given. */
  readonly passwords: Map<string, string>;
  /** By names in small letters. */
  readonly logins = new Map<string, Login>();
  readonly server = new Grants(serverRoles, 2);
  readonly #databases = new WeakMap<Database, DatabaseGrants>();
  #next = FIRST_LOGIN;
  #nextUser = FIRST_USER;

  constructor(passwords: Map<string, string>) {
    this.passwords = passwords;
  }

  of(database: Database): DatabaseGrants {
    let found = this.#databases.get(database);
    if (found === undefined) {
      found = new DatabaseGrants(databaseRoles, FIRST_ROLE - 1);
      this.#databases.set(database, found);
    }
    return found;
  }

  nextUser(): number {
    this.#nextUser += 1;
    return this.#nextUser;
  }

  login(name: string): Login | undefined {
    return this.logins.get(name.toLowerCase());
  }

  addLogin(name: string, password: string, database: string, language: string): void {
    const id = this.#next;
    this.#next += 1;
    this.logins.set(name.toLowerCase(), { id, name, database, language });
    this.passwords.set(name, password);
  }

  dropLogin({ id, name }: Login): void {
    this.logins.delete(name.toLowerCase());
    this.passwords.delete(name);
    this.server.forget(id);
  }

  /** The name as it was given to who has this one in any case. */
  knownName(name: string): string | undefined {
    const lower = name.toLowerCase();
    return [...this.passwords.keys()].find((one) => one.toLowerCase() === lower);
  }

  isAdministrator(login: string): boolean {
    const made = this.login(login);
    return made === undefined || this.server.isIn(SYSADMIN, made.id);
  }

  userOf(login: string, database: Database): User | undefined {
    const sid = this.login(login)?.id;
    return [...this.of(database).users.values()].find((user) => user.sid === sid);
  }

  isOwner(login: string, database: Database): boolean {
    const user = this.userOf(login, database);
    return (
      this.isAdministrator(login) ||
      (user !== undefined && this.of(database).isIn(DB_OWNER, user.id))
    );
  }

  mayEnter(login: string, database: Database): boolean {
    if (OPEN_TO_ALL.has(database.name.toLowerCase()) || this.isAdministrator(login)) return true;
    return this.userOf(login, database) !== undefined;
  }
}
