import type { Random } from '../base/random.ts';
import { SecretText } from '../base/secret-text.ts';
import { newId, newText } from './iam-ids.ts';
import { bytesOf, numberIn, numberOf, textIn, textOf } from './rows.ts';
import type { Sealer } from './sealed.ts';
import type { Row, Store } from './store.ts';

/** 40 characters, as AWS's. */
const SECRET_BYTES = 30;
/** 320 characters. */
const TOKEN_BYTES = 240;
/** How long expired sessions are still known, so that whoever uses one is told that it has expired. */
const EXPIRED_KEPT_MS = 3_600_000;
/** A use is written down when the last one that was is this old: requests do not wait for the disk. */
const USE_PERIOD_MS = 900_000;

export interface AccessKey {
  readonly id: string;
  readonly userId: string;
  readonly isActive: boolean;
  readonly createdMs: number;
  readonly lastUse: KeyUse | undefined;
}

export interface KeyUse {
  readonly atMs: number;
  /** As the signature's scope names them. */
  readonly service: string;
  readonly region: string;
}

export interface IdentitySession {
  readonly accessKeyId: string;
  /** Of the role that was assumed, or of the user who has asked for it. */
  readonly identityId: string;
  /** Empty for a user's. */
  readonly name: string;
  readonly expiresMs: number;
}

interface Credentials {
  readonly secretAccessKey: SecretText;
}

interface TemporaryCredentials extends Credentials {
  readonly sessionToken: SecretText;
}

/** The long-lived keys of users. */
export class AccessKeys {
  readonly #store: Store;
  readonly #sealer: Sealer;
  readonly #random: Random;

  constructor(store: Store, parts: { readonly sealer: Sealer; readonly random: Random }) {
    this.#store = store;
    this.#sealer = parts.sealer;
    this.#random = parts.random;
  }

  /** An active key. Its secret is told now; later it is only compared with. */
  add(userId: string, nowMs: number): AccessKey & Credentials {
    const id = newId(this.#random, 'AKIA');
    const secretAccessKey = new SecretText(newText(this.#random, SECRET_BYTES));
    this.#store.run(
      'INSERT INTO iam_access_keys (id, user_id, active, created_ms, secret) VALUES (?, ?, 1, ?, ?)',
      id,
      userId,
      nowMs,
      this.#sealer.seal(secretAccessKey, secretOf(id)),
    );
    return { id, userId, isActive: true, createdMs: nowMs, lastUse: undefined, secretAccessKey };
  }

  find(id: string): (AccessKey & Credentials) | undefined {
    const row = this.#store.one('SELECT * FROM iam_access_keys WHERE id = ?', id);
    if (row === undefined) return undefined;
    const secretAccessKey = this.#sealer.open(bytesOf(row, 'secret'), secretOf(id));
    return { ...readKey(row), secretAccessKey };
  }

  /** The oldest first. */
  of(userId: string): readonly AccessKey[] {
    return this.#store
      .all('SELECT * FROM iam_access_keys WHERE user_id = ? ORDER BY created_ms, id', userId)
      .map(readKey);
  }

  setActive(id: string, isActive: boolean): void {
    this.#store.run('UPDATE iam_access_keys SET active = ? WHERE id = ?', isActive ? 1 : 0, id);
  }

  remove(id: string): void {
    this.#store.run('DELETE FROM iam_access_keys WHERE id = ?', id);
  }

  /** Writes down that the key has signed a request, about every quarter of an hour. */
  noteUse(id: string, use: KeyUse): void {
    const row = this.#store.one('SELECT used_ms FROM iam_access_keys WHERE id = ?', id);
    const lastMs = row && numberIn(row, 'used_ms');
    if (row === undefined || use.atMs - (lastMs ?? -Infinity) < USE_PERIOD_MS) return;
    this.#store.run(
      'UPDATE iam_access_keys SET used_ms = ?, used_service = ?, used_region = ? WHERE id = ?',
      use.atMs,
      use.service,
      use.region,
      id,
    );
  }
}

/** Temporary credentials: of those who have assumed a role, and of users. */
export class IdentitySessions {
  readonly #store: Store;
  readonly #sealer: Sealer;
  readonly #random: Random;

  constructor(store: Store, parts: { readonly sealer: Sealer; readonly random: Random }) {
    this.#store = store;
    this.#sealer = parts.sealer;
    this.#random = parts.random;
  }

  /** Forgets those that have long expired, too. */
  add(session: {
    readonly identityId: string;
    readonly name: string;
    readonly expiresMs: number;
    readonly nowMs: number;
  }): IdentitySession & TemporaryCredentials {
    const { identityId, name, expiresMs, nowMs } = session;
    const accessKeyId = newId(this.#random, 'ASIA');
    const secretAccessKey = new SecretText(newText(this.#random, SECRET_BYTES));
    const sessionToken = new SecretText(newText(this.#random, TOKEN_BYTES));
    this.#store.write(() => {
      this.#store.run('DELETE FROM iam_sessions WHERE expires_ms < ?', nowMs - EXPIRED_KEPT_MS);
      this.#store.run(
        'INSERT INTO iam_sessions (id, role_id, name, secret, token, expires_ms) VALUES (?, ?, ?, ?, ?, ?)',
        accessKeyId,
        identityId,
        name,
        this.#sealer.seal(secretAccessKey, secretOf(accessKeyId)),
        this.#sealer.seal(sessionToken, tokenOf(accessKeyId)),
        expiresMs,
      );
    });
    return { accessKeyId, identityId, name, expiresMs, secretAccessKey, sessionToken };
  }

  /** One that has expired, too, for a while. */
  find(accessKeyId: string): (IdentitySession & TemporaryCredentials) | undefined {
    const row = this.#store.one('SELECT * FROM iam_sessions WHERE id = ?', accessKeyId);
    if (row === undefined) return undefined;
    return {
      accessKeyId,
      identityId: textOf(row, 'role_id'),
      name: textOf(row, 'name'),
      expiresMs: numberOf(row, 'expires_ms'),
      secretAccessKey: this.#sealer.open(bytesOf(row, 'secret'), secretOf(accessKeyId)),
      sessionToken: this.#sealer.open(bytesOf(row, 'token'), tokenOf(accessKeyId)),
    };
  }
}

function secretOf(accessKeyId: string): string {
  return `secret of access key ${accessKeyId}`;
}

function tokenOf(accessKeyId: string): string {
  return `session token of access key ${accessKeyId}`;
}

function readKey(row: Row): AccessKey {
  const atMs = numberIn(row, 'used_ms');
  return {
    id: textOf(row, 'id'),
    userId: textOf(row, 'user_id'),
    isActive: numberOf(row, 'active') === 1,
    createdMs: numberOf(row, 'created_ms'),
    lastUse:
      atMs === undefined
        ? undefined
        : {
            atMs,
            service: textIn(row, 'used_service') ?? '',
            region: textIn(row, 'used_region') ?? '',
          },
  };
}
