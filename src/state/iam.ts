import type { Random } from '../base/random.ts';
import { AccessKeys, IdentitySessions } from './iam-keys.ts';
import { Identities } from './iam-identities.ts';
import { IdentityPolicies } from './iam-identity-policies.ts';
import { ManagedPolicies } from './iam-policies.ts';
import { IamTags } from './iam-tags.ts';
import type { Sealer } from './sealed.ts';
import type { Schema, Store } from './store.ts';

/** Names differ by more than case, as in AWS; they are found as they are written. */
export const iamSchema: Schema = {
  part: 'iam',
  steps: [
    `CREATE TABLE iam_identities (
      id TEXT PRIMARY KEY,
      kind TEXT NOT NULL CHECK (kind IN ('user', 'role')),
      name TEXT NOT NULL COLLATE NOCASE,
      path TEXT NOT NULL,
      created_ms INTEGER NOT NULL,
      trust TEXT,
      description TEXT,
      max_session_seconds INTEGER,
      UNIQUE (kind, name)
    ) STRICT`,
    `CREATE TABLE iam_access_keys (
      id TEXT PRIMARY KEY,
      user_id TEXT NOT NULL REFERENCES iam_identities (id) ON DELETE CASCADE,
      active INTEGER NOT NULL,
      created_ms INTEGER NOT NULL,
      secret BLOB NOT NULL,
      used_ms INTEGER,
      used_service TEXT,
      used_region TEXT
    ) STRICT`,
    'CREATE INDEX iam_access_keys_of ON iam_access_keys (user_id)',
    `CREATE TABLE iam_sessions (
      id TEXT PRIMARY KEY,
      role_id TEXT NOT NULL REFERENCES iam_identities (id) ON DELETE CASCADE,
      name TEXT NOT NULL,
      secret BLOB NOT NULL,
      token BLOB NOT NULL,
      expires_ms INTEGER NOT NULL
    ) STRICT`,
    'CREATE INDEX iam_sessions_of ON iam_sessions (role_id)',
    'CREATE INDEX iam_sessions_until ON iam_sessions (expires_ms)',
    `CREATE TABLE iam_policies (
      id TEXT PRIMARY KEY,
      name TEXT NOT NULL UNIQUE COLLATE NOCASE,
      path TEXT NOT NULL,
      description TEXT,
      created_ms INTEGER NOT NULL,
      updated_ms INTEGER NOT NULL,
      default_version INTEGER NOT NULL,
      last_version INTEGER NOT NULL
    ) STRICT`,
    `CREATE TABLE iam_policy_versions (
      policy_id TEXT NOT NULL REFERENCES iam_policies (id) ON DELETE CASCADE,
      version INTEGER NOT NULL,
      document TEXT NOT NULL,
      created_ms INTEGER NOT NULL,
      PRIMARY KEY (policy_id, version)
    ) STRICT`,
    `CREATE TABLE iam_inline_policies (
      identity_id TEXT NOT NULL REFERENCES iam_identities (id) ON DELETE CASCADE,
      name TEXT NOT NULL,
      document TEXT NOT NULL,
      PRIMARY KEY (identity_id, name)
    ) STRICT`,
    `CREATE TABLE iam_attachments (
      identity_id TEXT NOT NULL REFERENCES iam_identities (id) ON DELETE CASCADE,
      policy_id TEXT NOT NULL REFERENCES iam_policies (id),
      PRIMARY KEY (identity_id, policy_id)
    ) STRICT`,
    'CREATE INDEX iam_attachments_of ON iam_attachments (policy_id)',
    `CREATE TABLE iam_tags (
      owner_id TEXT NOT NULL,
      key TEXT NOT NULL COLLATE NOCASE,
      value TEXT NOT NULL,
      PRIMARY KEY (owner_id, key)
    ) STRICT`,
    // AWS's own policies can be attached, too, and are in no table.
    `CREATE TABLE iam_attachments_of_all (
      identity_id TEXT NOT NULL REFERENCES iam_identities (id) ON DELETE CASCADE,
      policy_id TEXT NOT NULL,
      PRIMARY KEY (identity_id, policy_id)
    ) STRICT`,
    'INSERT INTO iam_attachments_of_all SELECT identity_id, policy_id FROM iam_attachments',
    'DROP TABLE iam_attachments',
    'ALTER TABLE iam_attachments_of_all RENAME TO iam_attachments',
    'CREATE INDEX iam_attachments_of ON iam_attachments (policy_id)',
  ],
};

export interface IamStateOptions {
  /** Twelve digits: whose users and roles these are. */
  readonly account: string;
  readonly sealer: Sealer;
  readonly random: Random;
}

/** Users, roles, policies and keys as they are now. It only remembers: what may be done is for the API to say. */
export class IamState {
  readonly account: string;
  readonly identities: Identities;
  readonly keys: AccessKeys;
  readonly sessions: IdentitySessions;
  readonly managed: ManagedPolicies;
  readonly policies: IdentityPolicies;
  readonly tags: IamTags;
  readonly #store: Store;

  constructor(store: Store, { account, sealer, random }: IamStateOptions) {
    this.#store = store;
    this.account = account;
    this.tags = new IamTags(store);
    this.identities = new Identities(store, { account, random, tags: this.tags });
    this.keys = new AccessKeys(store, { sealer, random });
    this.sessions = new IdentitySessions(store, { sealer, random });
    this.managed = new ManagedPolicies(store, { account, random, tags: this.tags });
    this.policies = new IdentityPolicies(store);
  }

  /** All or nothing. */
  write<Result>(work: () => Result): Result {
    return this.#store.write(work);
  }
}
