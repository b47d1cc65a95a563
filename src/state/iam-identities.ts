import { must } from '../base/assert.ts';
import type { Random } from '../base/random.ts';
import { newId } from './iam-ids.ts';
import type { IamTags } from './iam-tags.ts';
import { numberOf, textIn, textOf } from './rows.ts';
import type { Row, Store } from './store.ts';

interface Named {
  /** `AIDA…` or `AROA…`; never given twice. */
  readonly id: string;
  readonly name: string;
  /** Begins and ends with a slash. */
  readonly path: string;
  readonly arn: string;
  readonly createdMs: number;
}

export interface User extends Named {
  readonly kind: 'user';
}

export interface Role extends Named {
  readonly kind: 'role';
  /** The document, as it was given. */
  readonly trust: string;
  readonly description: string | undefined;
  readonly maxSessionSeconds: number;
}

export type Identity = User | Role;

export interface NewRole {
  readonly name: string;
  readonly path: string;
  readonly trust: string;
  readonly description?: string | undefined;
  readonly maxSessionSeconds: number;
  readonly nowMs: number;
}

/** Users and roles. */
export class Identities {
  readonly #store: Store;
  readonly #account: string;
  readonly #random: Random;
  readonly #tags: IamTags;

  constructor(
    store: Store,
    parts: { readonly account: string; readonly random: Random; readonly tags: IamTags },
  ) {
    this.#store = store;
    this.#account = parts.account;
    this.#random = parts.random;
    this.#tags = parts.tags;
  }

  arn(kind: 'user' | 'role', path: string, name: string): string {
    return `arn:aws:iam::${this.#account}:${kind}${path}${name}`;
  }

  /** The name must be free (`isTaken`). */
  addUser(user: { readonly name: string; readonly path: string; readonly nowMs: number }): User {
    const id = newId(this.#random, 'AIDA');
    this.#store.run(
      "INSERT INTO iam_identities (id, kind, name, path, created_ms) VALUES (?, 'user', ?, ?, ?)",
      id,
      user.name,
      user.path,
      user.nowMs,
    );
    return must(this.user(user.name), 'the user is not there');
  }

  /** The name must be free (`isTaken`). */
  addRole(role: NewRole): Role {
    this.#store.run(
      `INSERT INTO iam_identities (id, kind, name, path, created_ms, trust, description, max_session_seconds)
       VALUES (?, 'role', ?, ?, ?, ?, ?, ?)`,
      newId(this.#random, 'AROA'),
      role.name,
      role.path,
      role.nowMs,
      role.trust,
      role.description ?? null,
      role.maxSessionSeconds,
    );
    return must(this.role(role.name), 'the role is not there');
  }

  /** By somebody whose name differs in case only, too. */
  isTaken(kind: 'user' | 'role', name: string): boolean {
    return this.#row('kind = ? AND name = ?', kind, name) !== undefined;
  }

  user(name: string): User | undefined {
    const found = this.#find("kind = 'user' AND name = ? COLLATE BINARY", name);
    return found?.kind === 'user' ? found : undefined;
  }

  role(name: string): Role | undefined {
    const found = this.#find("kind = 'role' AND name = ? COLLATE BINARY", name);
    return found?.kind === 'role' ? found : undefined;
  }

  byId(id: string): Identity | undefined {
    return this.#find('id = ?', id);
  }

  byArn(arn: string): Identity | undefined {
    const [, kind, name = ''] = /:(user|role)\/(?:.*\/)?([^/]+)$/.exec(arn) ?? [];
    const found = kind === 'user' ? this.user(name) : kind === 'role' ? this.role(name) : undefined;
    return found?.arn === arn ? found : undefined;
  }

  /** By name. */
  users(): readonly User[] {
    return this.#all('user').filter((one) => one.kind === 'user');
  }

  /** By name. */
  roles(): readonly Role[] {
    return this.#all('role').filter((one) => one.kind === 'role');
  }

  updateUser(id: string, user: { readonly name: string; readonly path: string }): void {
    this.#store.run(
      'UPDATE iam_identities SET name = ?, path = ? WHERE id = ?',
      user.name,
      user.path,
      id,
    );
  }

  updateRole(id: string, role: Pick<Role, 'trust' | 'description' | 'maxSessionSeconds'>): void {
    this.#store.run(
      'UPDATE iam_identities SET trust = ?, description = ?, max_session_seconds = ? WHERE id = ?',
      role.trust,
      role.description ?? null,
      role.maxSessionSeconds,
      id,
    );
  }

  /** And all that is theirs: keys, sessions, policies, tags. */
  remove(id: string): void {
    this.#store.write(() => {
      this.#tags.removeAll(id);
      this.#store.run('DELETE FROM iam_identities WHERE id = ?', id);
    });
  }

  #all(kind: 'user' | 'role'): readonly Identity[] {
    return this.#store
      .all('SELECT * FROM iam_identities WHERE kind = ? ORDER BY name COLLATE BINARY', kind)
      .map((row) => this.#read(row));
  }

  #find(where: string, ...values: readonly string[]): Identity | undefined {
    const row = this.#row(where, ...values);
    return row && this.#read(row);
  }

  #row(where: string, ...values: readonly string[]): Row | undefined {
    return this.#store.one(`SELECT * FROM iam_identities WHERE ${where}`, ...values);
  }

  #read(row: Row): Identity {
    const kind = textOf(row, 'kind') === 'user' ? 'user' : 'role';
    const [name, path] = [textOf(row, 'name'), textOf(row, 'path')];
    const named = {
      id: textOf(row, 'id'),
      name,
      path,
      arn: this.arn(kind, path, name),
      createdMs: numberOf(row, 'created_ms'),
    };
    if (kind === 'user') return { kind, ...named };
    return {
      kind,
      ...named,
      trust: textOf(row, 'trust'),
      description: textIn(row, 'description'),
      maxSessionSeconds: numberOf(row, 'max_session_seconds'),
    };
  }
}
