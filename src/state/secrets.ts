import { z } from 'zod';
import type { Random } from '../base/random.ts';
import type { SecretText } from '../base/secret-text.ts';
import { DeclaredSecretShelf } from './declared-secrets.ts';
import { bytesOf, numberIn, numberOf, textIn, textOf } from './rows.ts';
import type { Sealer } from './sealed.ts';
import type { Row, Schema, Store } from './store.ts';

export const secretsSchema: Schema = {
  part: 'secrets',
  steps: [
    `CREATE TABLE secrets (
       arn TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, create_token TEXT NOT NULL,
       description TEXT, kms_key_id TEXT, tags TEXT, policy TEXT, rotation TEXT,
       created_ms INTEGER NOT NULL, changed_ms INTEGER NOT NULL, accessed_ms INTEGER, deletion_ms INTEGER,
       rotated_ms INTEGER, next_rotation_ms INTEGER
     ) STRICT`,
    `CREATE TABLE secret_versions (
       number INTEGER PRIMARY KEY AUTOINCREMENT,
       arn TEXT NOT NULL REFERENCES secrets ON DELETE CASCADE, version_id TEXT NOT NULL,
       kind TEXT NOT NULL, sealed BLOB NOT NULL, created_ms INTEGER NOT NULL, accessed_ms INTEGER,
       UNIQUE (arn, version_id)
     ) STRICT`,
    `CREATE TABLE secret_stages (
       arn TEXT NOT NULL, stage TEXT NOT NULL, version_id TEXT NOT NULL,
       PRIMARY KEY (arn, stage),
       FOREIGN KEY (arn, version_id) REFERENCES secret_versions (arn, version_id) ON DELETE CASCADE
     ) STRICT`,
    'ALTER TABLE secret_stages ADD COLUMN since_ms INTEGER',
  ],
};

/** How many versions that no stage names any more are kept for each secret. */
export const MOST_DEPRECATED_VERSIONS = 100;

const DAY_MS = 86_400_000;

const tagsColumn = z.array(z.object({ key: z.string(), value: z.string() }));
const rotationColumn = z.object({
  isEnabled: z.boolean(),
  lambdaArn: z.string().optional(),
  afterDays: z.number().optional(),
  schedule: z.string().optional(),
  duration: z.string().optional(),
  superuser: z.object({ secretArn: z.string(), user: z.string() }).optional(),
});

export type Tag = Readonly<z.output<typeof tagsColumn>[number]>;

/**
 * How a secret is rotated. Schedules are kept in AWS's words. `superuser` is the secret that somebody who may read it has given for
 * the passwords of this user and their clone.
 */
export type RotationSettings = Readonly<z.output<typeof rotationColumn>>;

/** All of a secret but its values. Times are milliseconds since 1970. */
export interface Secret {
  readonly arn: string;
  readonly name: string;
  /** Only the settings file can change it. */
  readonly isDeclared: boolean;
  /** The request that has made it, so that it can be asked again. */
  readonly createToken: string;
  readonly description: string | undefined;
  readonly kmsKeyId: string | undefined;
  /** Undefined where it never had any. */
  readonly tags: readonly Tag[] | undefined;
  /** The resource policy, as it was given. */
  readonly policy: string | undefined;
  /** Undefined where it was never to be rotated. */
  readonly rotation: RotationSettings | undefined;
  readonly createdMs: number;
  readonly changedMs: number;
  /** The day, in UTC, on which its value was last read. */
  readonly accessedMs: number | undefined;
  /** When it will be gone, where it is marked for deletion. */
  readonly deletionMs: number | undefined;
  readonly rotatedMs: number | undefined;
  readonly nextRotationMs: number | undefined;
}

/** A text, or bytes in base64. */
export interface SecretValue {
  readonly kind: 'string' | 'binary';
  readonly text: SecretText;
}

/** What the version of a stage says. */
export interface StagedText {
  readonly arn: string;
  readonly versionId: string;
  readonly text: SecretText;
  /** Since when the version has the stage; undefined where an older Sluice has given it. */
  readonly sinceMs: number | undefined;
}

export interface SecretVersion {
  /** Larger for younger ones. */
  readonly number: number;
  readonly versionId: string;
  readonly createdMs: number;
  readonly accessedMs: number | undefined;
  /** In the order of the alphabet. */
  readonly stages: readonly string[];
}

/** Secrets of one account in one region, their versions and stages. Values are sealed. Those that the settings file declares are told, too. */
export class SecretStore {
  readonly declared: DeclaredSecretShelf;
  readonly #store: Store;
  readonly #sealer: Sealer;
  readonly #random: Random;
  readonly #prefix: string;

  /** @param parts.store opened with `secretsSchema` */
  constructor(parts: {
    readonly store: Store;
    readonly sealer: Sealer;
    readonly random: Random;
    readonly region: string;
    readonly account: string;
  }) {
    this.#store = parts.store;
    this.#sealer = parts.sealer;
    this.#random = parts.random;
    this.#prefix = `arn:aws:secretsmanager:${parts.region}:${parts.account}:secret:`;
    this.declared = new DeclaredSecretShelf(this.#prefix);
  }

  /** All that `work` does, or nothing. */
  write<Result>(work: () => Result): Result {
    return this.#store.write(work);
  }

  /** An ARN for a new secret of this name. */
  newArn(name: string): string {
    return `${this.#prefix}${name}-${this.#suffix()}`;
  }

  /** What policies are asked about where no secret has this name or ARN. */
  askedArn(id: string): string {
    return id.startsWith('arn:') ? id : `${this.#prefix}${id}-??????`;
  }

  /** By name, ARN, or ARN without the six characters that AWS has put behind the name. */
  find(id: string): Secret | undefined {
    return this.declared.find(id) ?? this.findKept(id);
  }

  /** Of those that the API has made. */
  findKept(id: string): Secret | undefined {
    if (!id.startsWith('arn:')) return this.#one('name', id);
    const whole = this.#one('arn', id);
    if (whole !== undefined || !id.startsWith(this.#prefix)) return whole;
    const name = id.slice(this.#prefix.length);
    // Such a name would be found by the ARN of a secret that is gone: AWS does not look for it, either.
    return /-[A-Za-z0-9]{6}$/.test(name) ? undefined : this.#one('name', name);
  }

  all(): readonly Secret[] {
    return [...this.declared.all(), ...this.#store.all('SELECT * FROM secrets').map(secretOf)];
  }

  /** Those whose rotation is due. */
  due(nowMs: number): readonly Secret[] {
    return this.#store
      .all(
        'SELECT * FROM secrets WHERE next_rotation_ms <= ? AND deletion_ms IS NULL ORDER BY next_rotation_ms',
        nowMs,
      )
      .map(secretOf)
      .filter(({ rotation }) => rotation?.isEnabled === true);
  }

  /** Makes it, or replaces what was known of it but for its versions. */
  save(secret: Secret): void {
    const columns = columnsOf(secret);
    const names = Object.keys(columns);
    const updates = names.map((name) => `${name} = excluded.${name}`);
    this.#store.run(
      `INSERT INTO secrets (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')})
       ON CONFLICT (arn) DO UPDATE SET ${updates.join(', ')}`,
      ...Object.values(columns),
    );
  }

  /** At once, with all versions. */
  remove(arn: string): void {
    this.#store.run('DELETE FROM secrets WHERE arn = ?', arn);
  }

  /** Removes the secrets whose recovery window is over; returns how many. */
  purge(nowMs: number): number {
    const over = 'FROM secrets WHERE deletion_ms <= ?';
    // Most often there are none, and nothing need be written.
    if (this.#store.one(`SELECT 1 ${over}`, nowMs) === undefined) return 0;
    return this.#store.run(`DELETE ${over}`, nowMs);
  }

  /** All of them, oldest first, also those without stages. */
  versions(arn: string): readonly SecretVersion[] {
    const declared = this.declared.versionOf(arn);
    if (declared !== undefined) return [declared];
    return this.#store
      .all(
        `SELECT number, version_id, created_ms, accessed_ms,
           (SELECT json_group_array(stage ORDER BY stage) FROM secret_stages s
            WHERE s.arn = v.arn AND s.version_id = v.version_id) AS stages
         FROM secret_versions v WHERE arn = ? ORDER BY number`,
        arn,
      )
      .map((row) => ({
        number: numberOf(row, 'number'),
        versionId: textOf(row, 'version_id'),
        createdMs: numberOf(row, 'created_ms'),
        accessedMs: numberIn(row, 'accessed_ms'),
        stages: z.array(z.string()).parse(JSON.parse(textOf(row, 'stages'))),
      }));
  }

  version(arn: string, versionId: string): SecretVersion | undefined {
    return this.versions(arn).find((version) => version.versionId === versionId);
  }

  /** Which version has the stage. */
  holder(arn: string, stage: string): string | undefined {
    const declared = this.declared.versionOf(arn);
    if (declared !== undefined) return stage === 'AWSCURRENT' ? declared.versionId : undefined;
    const row = this.#store.one(
      'SELECT version_id FROM secret_stages WHERE arn = ? AND stage = ?',
      arn,
      stage,
    );
    return row === undefined ? undefined : textOf(row, 'version_id');
  }

  /** Throws the sealer's error where it cannot be opened. */
  value(arn: string, versionId: string): SecretValue | undefined {
    const declared = this.declared.versionOf(arn);
    if (declared !== undefined)
      return declared.versionId === versionId ? this.declared.valueOf(arn) : undefined;
    const row = this.#store.one(
      'SELECT kind, sealed FROM secret_versions WHERE arn = ? AND version_id = ?',
      arn,
      versionId,
    );
    if (row === undefined) return undefined;
    const kind = textOf(row, 'kind') === 'binary' ? 'binary' : 'string';
    const text = this.#sealer.open(bytesOf(row, 'sealed'), placeOf(arn, versionId, kind));
    return { kind, text };
  }

  /** The text that the data plane signs in with. Undefined where there is none, or the secret is marked for deletion. */
  valueOf(id: string, stage: 'AWSCURRENT' | 'AWSPREVIOUS' | 'AWSPENDING'): StagedText | undefined {
    const secret = this.findKept(id);
    if (secret === undefined || secret.deletionMs !== undefined) return undefined;
    const versionId = this.holder(secret.arn, stage);
    if (versionId === undefined) return undefined;
    const value = this.value(secret.arn, versionId);
    if (value?.kind !== 'string') return undefined;
    const sinceMs = this.#since(secret.arn, stage);
    return { arn: secret.arn, versionId, text: value.text, sinceMs };
  }

  /** A new version with these stages; the first one is AWSCURRENT whatever is asked. The oldest without stages go. */
  addVersion(
    arn: string,
    version: {
      readonly versionId: string;
      readonly value: SecretValue;
      readonly stages: readonly string[];
      readonly nowMs: number;
    },
  ): void {
    const { versionId, value, nowMs } = version;
    this.write(() => {
      this.#store.run(
        'INSERT INTO secret_versions (arn, version_id, kind, sealed, created_ms) VALUES (?, ?, ?, ?, ?)',
        arn,
        versionId,
        value.kind,
        this.#sealer.seal(value.text, placeOf(arn, versionId, value.kind)),
        nowMs,
      );
      const isFirst = this.holder(arn, 'AWSCURRENT') === undefined;
      if (isFirst || version.stages.includes('AWSCURRENT'))
        this.attach(arn, 'AWSCURRENT', versionId, nowMs);
      for (const stage of version.stages) this.attach(arn, stage, versionId, nowMs);
      this.#prune(arn);
    });
  }

  /**
   * Gives the stage to this version and takes it from any other. Who loses AWSCURRENT becomes AWSPREVIOUS, and is AWSPENDING no
   * more.
   */
  attach(arn: string, stage: string, versionId: string, nowMs: number): void {
    this.write(() => {
      const former = this.holder(arn, stage);
      if (former === versionId) return;
      this.#place(arn, stage, versionId, nowMs);
      if (stage !== 'AWSCURRENT' || former === undefined) return;
      this.#place(arn, 'AWSPREVIOUS', former, nowMs);
      if (this.holder(arn, 'AWSPENDING') === former) this.detach(arn, 'AWSPENDING');
    });
  }

  /** No version has the stage afterwards. */
  detach(arn: string, stage: string): void {
    this.write(() => {
      this.#store.run('DELETE FROM secret_stages WHERE arn = ? AND stage = ?', arn, stage);
      this.#prune(arn);
    });
  }

  /** Notes the day; a write only once a day. */
  noteRead(secret: Secret, version: SecretVersion, nowMs: number): void {
    const day = nowMs - (nowMs % DAY_MS);
    if (secret.isDeclared || (secret.accessedMs === day && version.accessedMs === day)) return;
    this.write(() => {
      this.#store.run('UPDATE secrets SET accessed_ms = ? WHERE arn = ?', day, secret.arn);
      this.#store.run(
        'UPDATE secret_versions SET accessed_ms = ? WHERE arn = ? AND version_id = ?',
        day,
        secret.arn,
        version.versionId,
      );
    });
  }

  #place(arn: string, stage: string, versionId: string, nowMs: number): void {
    this.#store.run(
      `INSERT INTO secret_stages (arn, stage, version_id, since_ms) VALUES (?, ?, ?, ?)
       ON CONFLICT (arn, stage) DO UPDATE SET version_id = excluded.version_id, since_ms = excluded.since_ms`,
      arn,
      stage,
      versionId,
      nowMs,
    );
  }

  #since(arn: string, stage: string): number | undefined {
    const row = this.#store.one(
      'SELECT since_ms FROM secret_stages WHERE arn = ? AND stage = ?',
      arn,
      stage,
    );
    return row === undefined ? undefined : numberIn(row, 'since_ms');
  }

  #prune(arn: string): void {
    this.#store.run(
      `DELETE FROM secret_versions WHERE number IN (
         SELECT number FROM secret_versions v WHERE arn = ? AND NOT EXISTS (
           SELECT 1 FROM secret_stages s WHERE s.arn = v.arn AND s.version_id = v.version_id)
         ORDER BY number DESC LIMIT -1 OFFSET ?)`,
      arn,
      MOST_DEPRECATED_VERSIONS,
    );
  }

  #one(column: 'arn' | 'name', value: string): Secret | undefined {
    const row = this.#store.one(`SELECT * FROM secrets WHERE ${column} = ?`, value);
    return row === undefined ? undefined : secretOf(row);
  }

  /** Six letters and digits, all equally likely. */
  #suffix(): string {
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
    let suffix = '';
    while (suffix.length < 6) {
      const [byte = 255] = this.#random.bytes(1);
      suffix += alphabet[byte & 63] ?? '';
    }
    return suffix;
  }
}

/** What a sealed value is bound to. */
function placeOf(arn: string, versionId: string, kind: SecretValue['kind']): string {
  return `secret ${arn} ${versionId} ${kind}`;
}

function columnsOf(secret: Secret): Readonly<Record<string, string | number | null>> {
  return {
    arn: secret.arn,
    name: secret.name,
    create_token: secret.createToken,
    description: secret.description ?? null,
    kms_key_id: secret.kmsKeyId ?? null,
    tags: secret.tags === undefined ? null : JSON.stringify(secret.tags),
    policy: secret.policy ?? null,
    rotation: secret.rotation === undefined ? null : JSON.stringify(secret.rotation),
    created_ms: secret.createdMs,
    changed_ms: secret.changedMs,
    accessed_ms: secret.accessedMs ?? null,
    deletion_ms: secret.deletionMs ?? null,
    rotated_ms: secret.rotatedMs ?? null,
    next_rotation_ms: secret.nextRotationMs ?? null,
  };
}

function secretOf(row: Row): Secret {
  const tags = textIn(row, 'tags');
  const rotation = textIn(row, 'rotation');
  return {
    arn: textOf(row, 'arn'),
    name: textOf(row, 'name'),
    isDeclared: false,
    createToken: textOf(row, 'create_token'),
    description: textIn(row, 'description'),
    kmsKeyId: textIn(row, 'kms_key_id'),
    tags: tags === undefined ? undefined : tagsColumn.parse(JSON.parse(tags)),
    policy: textIn(row, 'policy'),
    rotation: rotation === undefined ? undefined : rotationColumn.parse(JSON.parse(rotation)),
    createdMs: numberOf(row, 'created_ms'),
    changedMs: numberOf(row, 'changed_ms'),
    accessedMs: numberIn(row, 'accessed_ms'),
    deletionMs: numberIn(row, 'deletion_ms'),
    rotatedMs: numberIn(row, 'rotated_ms'),
    nextRotationMs: numberIn(row, 'next_rotation_ms'),
  };
}
