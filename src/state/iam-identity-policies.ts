import { awsPolicies } from './aws-policies.ts';
import { textOf } from './rows.ts';
import type { Store } from './store.ts';

export interface InlinePolicy {
  readonly name: string;
  readonly document: string;
}

/** Which policies a user or a role has, by the id of whose they are: their own, and those that are attached to them. */
export class IdentityPolicies {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  /** All documents that say what this user or role may do: attached policies by their default version. */
  documents(identityId: string): readonly string[] {
    const own = this.#store
      .all(
        `SELECT document FROM iam_inline_policies WHERE identity_id = ?1
         UNION ALL
         SELECT document FROM iam_attachments
           JOIN iam_policies ON iam_policies.id = iam_attachments.policy_id
           JOIN iam_policy_versions
             ON iam_policy_versions.policy_id = iam_policies.id AND version = default_version
         WHERE identity_id = ?1`,
        identityId,
      )
      .map((row) => textOf(row, 'document'));
    const attached = this.attachedTo(identityId);
    const ofAws = awsPolicies.filter(({ id }) => attached.has(id));
    return [...own, ...ofAws.map(({ document }) => document)];
  }

  /** Takes the place of one that has the name already. */
  putInline(identityId: string, { name, document }: InlinePolicy): void {
    this.#store.run(
      'INSERT OR REPLACE INTO iam_inline_policies (identity_id, name, document) VALUES (?, ?, ?)',
      identityId,
      name,
      document,
    );
  }

  /** By name. */
  inline(identityId: string): readonly InlinePolicy[] {
    return this.#store
      .all(
        'SELECT name, document FROM iam_inline_policies WHERE identity_id = ? ORDER BY name',
        identityId,
      )
      .map((row) => ({ name: textOf(row, 'name'), document: textOf(row, 'document') }));
  }

  removeInline(identityId: string, name: string): void {
    this.#store.run(
      'DELETE FROM iam_inline_policies WHERE identity_id = ? AND name = ?',
      identityId,
      name,
    );
  }

  attach(identityId: string, policyId: string): void {
    this.#store.run(
      'INSERT OR IGNORE INTO iam_attachments (identity_id, policy_id) VALUES (?, ?)',
      identityId,
      policyId,
    );
  }

  /** Returns whether it was attached. */
  detach(identityId: string, policyId: string): boolean {
    const changes = this.#store.run(
      'DELETE FROM iam_attachments WHERE identity_id = ? AND policy_id = ?',
      identityId,
      policyId,
    );
    return changes > 0;
  }

  /** The ids of the policies that are attached to this user or role. */
  attachedTo(identityId: string): ReadonlySet<string> {
    const rows = this.#store.all(
      'SELECT policy_id FROM iam_attachments WHERE identity_id = ?',
      identityId,
    );
    return new Set(rows.map((row) => textOf(row, 'policy_id')));
  }

  /** The ids of the users and roles to whom this policy is attached. */
  attachedFrom(policyId: string): readonly string[] {
    return this.#store
      .all('SELECT identity_id FROM iam_attachments WHERE policy_id = ?', policyId)
      .map((row) => textOf(row, 'identity_id'));
  }
}
