import { assert, must } from '../base/assert.ts';
import type { Random } from '../base/random.ts';
import { awsPolicies } from './aws-policies.ts';
import type { AwsPolicy } from './aws-policies.ts';
import { newId } from './iam-ids.ts';
import type { IamTags } from './iam-tags.ts';
import { numberOf, textIn, textOf } from './rows.ts';
import type { Row, Store } from './store.ts';

/** A policy that stands on its own and can be attached to users and roles. */
export interface ManagedPolicy {
  /** `ANPA…`; never given twice. */
  readonly id: string;
  readonly name: string;
  /** Begins and ends with a slash. */
  readonly path: string;
  readonly arn: string;
  readonly description: string | undefined;
  readonly createdMs: number;
  /** When the default version was last made or chosen. */
  readonly updatedMs: number;
  readonly defaultVersion: number;
  /** To how many users and roles it is attached. */
  readonly attachments: number;
}

export interface PolicyVersion {
  /** From one on; a number is not used again. */
  readonly version: number;
  readonly document: string;
  readonly createdMs: number;
}

export interface NewPolicy {
  readonly name: string;
  readonly path: string;
  readonly document: string;
  readonly description?: string | undefined;
  readonly nowMs: number;
}

const WITH_ATTACHMENTS = `SELECT *, (SELECT count(*) FROM iam_attachments WHERE policy_id = iam_policies.id) AS attachments
  FROM iam_policies`;

/** The customer managed policies, with their versions; and those of AWS's own, which nobody changes. */
export class ManagedPolicies {
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

  arn(path: string, name: string): string {
    return `arn:aws:iam::${this.#account}:policy${path}${name}`;
  }

  /** The name must be free (`isTaken`). */
  add(policy: NewPolicy): ManagedPolicy {
    const id = newId(this.#random, 'ANPA');
    return this.#store.write(() => {
      this.#store.run(
        `INSERT INTO iam_policies (id, name, path, description, created_ms, updated_ms, default_version, last_version)
         VALUES (?, ?, ?, ?, ?, ?, 1, 0)`,
        id,
        policy.name,
        policy.path,
        policy.description ?? null,
        policy.nowMs,
        policy.nowMs,
      );
      this.addVersion(id, policy.document, policy.nowMs);
      return must(this.find(this.arn(policy.path, policy.name)), 'the policy is not there');
    });
  }

  /** By one whose name differs in case only, too. */
  isTaken(name: string): boolean {
    return this.#store.one('SELECT 1 FROM iam_policies WHERE name = ?', name) !== undefined;
  }

  find(arn: string): ManagedPolicy | undefined {
    const ofAws = awsPolicies.find((one) => one.arn === arn);
    if (ofAws !== undefined) return this.#ofAws(ofAws);
    const name = arn.slice(arn.lastIndexOf('/') + 1);
    const row = this.#store.one(`${WITH_ATTACHMENTS} WHERE name = ? COLLATE BINARY`, name);
    const policy = row && this.#read(row);
    return policy?.arn === arn ? policy : undefined;
  }

  /** By name; those of AWS's own come last. */
  all(): readonly ManagedPolicy[] {
    return [
      ...this.#store
        .all(`${WITH_ATTACHMENTS} ORDER BY name COLLATE BINARY`)
        .map((row) => this.#read(row)),
      ...awsPolicies.map((policy) => this.#ofAws(policy)),
    ];
  }

  /** With its versions and tags. It must not be attached to anybody. */
  remove(id: string): void {
    this.#store.write(() => {
      this.#tags.removeAll(id);
      const changes = this.#store.run(
        'DELETE FROM iam_policies WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM iam_attachments WHERE policy_id = ?1)',
        id,
      );
      assert(changes === 1, 'a policy that is attached, or none, was to be removed');
    });
  }

  addVersion(id: string, document: string, nowMs: number): PolicyVersion {
    return this.#store.write(() => {
      this.#store.run('UPDATE iam_policies SET last_version = last_version + 1 WHERE id = ?', id);
      this.#store.run(
        `INSERT INTO iam_policy_versions (policy_id, version, document, created_ms)
         SELECT id, last_version, ?, ? FROM iam_policies WHERE id = ?`,
        document,
        nowMs,
        id,
      );
      return must(this.versions(id)[0], 'the version is not there');
    });
  }

  /** The newest first. */
  versions(id: string): readonly PolicyVersion[] {
    const ofAws = awsPolicies.find((one) => one.id === id);
    if (ofAws !== undefined)
      return [{ version: 1, document: ofAws.document, createdMs: ofAws.createdMs }];
    return this.#store
      .all('SELECT * FROM iam_policy_versions WHERE policy_id = ? ORDER BY version DESC', id)
      .map((row) => ({
        version: numberOf(row, 'version'),
        document: textOf(row, 'document'),
        createdMs: numberOf(row, 'created_ms'),
      }));
  }

  setDefaultVersion(id: string, version: number, nowMs: number): void {
    this.#store.run(
      'UPDATE iam_policies SET default_version = ?, updated_ms = ? WHERE id = ?',
      version,
      nowMs,
      id,
    );
  }

  removeVersion(id: string, version: number): void {
    this.#store.run(
      'DELETE FROM iam_policy_versions WHERE policy_id = ? AND version = ?',
      id,
      version,
    );
  }

  #ofAws({ document: _told, ...policy }: AwsPolicy): ManagedPolicy {
    const row = this.#store.one(
      'SELECT count(*) AS attachments FROM iam_attachments WHERE policy_id = ?',
      policy.id,
    );
    return { ...policy, attachments: row === undefined ? 0 : numberOf(row, 'attachments') };
  }

  #read(row: Row): ManagedPolicy {
    const [name, path] = [textOf(row, 'name'), textOf(row, 'path')];
    return {
      id: textOf(row, 'id'),
      name,
      path,
      arn: this.arn(path, name),
      description: textIn(row, 'description'),
      createdMs: numberOf(row, 'created_ms'),
      updatedMs: numberOf(row, 'updated_ms'),
      defaultVersion: numberOf(row, 'default_version'),
      attachments: numberOf(row, 'attachments'),
    };
  }
}
