import type { Clock } from '../base/clock.ts';
import { Known } from '../base/known.ts';
import { limits } from '../base/limits.ts';
import type { SecretText } from '../base/secret-text.ts';
import { looksLikeIamToken, verifyIamToken } from '../auth/iam-token.ts';
import type { Doorkeeper, LoginRule } from '../core/engine.ts';
import type { KeyRing } from '../iam/caller.ts';
import { dbUserArn } from '../iam/principals.ts';
import { mayDo } from '../iam/resource-policy.ts';
import type { CredentialBook } from './credentials.ts';

const CONNECT = 'rds-db:connect';

export interface KeeperParts {
  readonly credentials: CredentialBook;
  readonly keys: KeyRing;
  readonly region: string;
  readonly account: string;
  /** `prx-…`: what policies name. */
  readonly proxyId: string;
  readonly hostnames: readonly string[];
  readonly port: number;
  readonly requiresTls: boolean;
  /** Behind every user's salt: stable while the process lives, known to nobody. */
  readonly saltKey: Uint8Array;
  readonly clock: Clock;
}

/** Decides who may come in at one proxy. */
export class Keeper implements Doorkeeper {
  readonly offersTls = true;
  readonly requiresTls: boolean;
  readonly #parts: KeeperParts;
  /** The same object for the same user: what was derived with it is found again at a glance. */
  readonly #salts = new Known<string, Uint8Array>(limits.knownSalts.value);

  constructor(parts: KeeperParts) {
    this.#parts = parts;
    this.requiresTls = parts.requiresTls;
  }

  rule(user: string): LoginRule {
    return this.#parts.credentials.rule(user);
  }

  async checkToken(user: string, token: SecretText): ReturnType<Doorkeeper['checkToken']> {
    const { keys, region, account, proxyId, hostnames, port, clock, credentials } = this.#parts;
    if (credentials.isTokenUser(user) && !looksLikeIamToken(token.reveal()))
      return {
        ok: false,
        why: 'It gave a password, and the user has no secret: with DefaultAuthScheme IAM_AUTH it signs in with an IAM token',
        fault: 'iamExpected',
      };
    const verdict = await verifyIamToken({
      token,
      user,
      endpoints: { hosts: hostnames, port },
      region,
      nowMs: clock.wallMs(),
      findKey: (accessKeyId) => keys.find(accessKeyId),
    });
    if (!verdict.ok) return { ok: false, why: `The token was refused: ${verdict.why}` };
    const key = keys.find(verdict.accessKeyId);
    if (key?.expiresMs !== undefined && key.expiresMs <= clock.wallMs())
      return {
        ok: false,
        why: `The credentials of access key ${verdict.accessKeyId} have expired`,
      };
    const resource = dbUserArn({ region, account, proxyId, user });
    if (key === undefined || !mayDo(key.caller, CONNECT, resource)) {
      return {
        ok: false,
        why: `The policy of access key ${verdict.accessKeyId} does not allow ${CONNECT} on ${resource}`,
      };
    }
    if (!credentials.admits(user)) {
      return {
        ok: false,
        why: `This RDS proxy has no credentials for the role ${user}. Check the credentials for this role and try again.`,
      };
    }
    return { ok: true };
  }

  salt(user: string, count: number): Uint8Array {
    return this.#salts.of(`${count} ${user}`, () => {
      const { saltKey } = this.#parts;
      return new Bun.CryptoHasher('sha256', saltKey).update(user).digest().slice(0, count);
    });
  }
}
