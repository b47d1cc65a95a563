import type { SecretText } from '../base/secret-text.ts';
import type { KeyRing, SigningKey } from './caller.ts';
import type { Policy } from './policy.ts';

/** Somebody who signs requests with an access key, and what they may do. */
export interface IamPrincipal {
  readonly accessKeyId: string;
  readonly secretAccessKey: SecretText;
  /** Temporary credentials have one. */
  readonly sessionToken?: SecretText;
  readonly policy: Policy;
}

/** The principals that the settings declare, by access key. */
export class Principals implements KeyRing {
  readonly #byKey = new Map<string, SigningKey>();

  /** Throws an Error where two principals have one access key. */
  constructor(principals: Iterable<IamPrincipal>, account: string) {
    for (const { accessKeyId, policy, ...key } of principals) {
      if (this.#byKey.has(accessKeyId)) {
        throw new Error(`access key ${accessKeyId} is given to two principals: remove one of them`);
      }
      const arn = `arn:aws:iam::${account}:user/${accessKeyId}`;
      const caller = { accessKeyId, account, arn, userId: accessKeyId, policies: [policy] };
      this.#byKey.set(accessKeyId, { ...key, caller });
    }
  }

  find(accessKeyId: string): SigningKey | undefined {
    return this.#byKey.get(accessKeyId);
  }
}

/** What `rds-db:connect` is asked about: this database user behind this proxy. */
export function dbUserArn(of: {
  readonly region: string;
  readonly account: string;
  /** `prx-…`, from `proxyId`. */
  readonly proxyId: string;
  readonly user: string;
}): string {
  return `arn:aws:rds-db:${of.region}:${of.account}:dbuser:${of.proxyId}/${of.user}`;
}
