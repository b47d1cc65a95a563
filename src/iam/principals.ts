import type { SecretText } from '../base/secret-text.ts';
import type { Policy } from './policy.ts';

/** Somebody who signs requests with an access key, and what they may do. */
export interface IamPrincipal {
  readonly accessKeyId: string;
  readonly secretAccessKey: SecretText;
  /** Temporary credentials have one. */
  readonly sessionToken?: SecretText;
  readonly policy: Policy;
}

/** Everybody who may sign in with a token, by access key. */
export class Principals {
  readonly #byKey = new Map<string, IamPrincipal>();

  /** Throws an Error where two principals have one access key. */
  constructor(principals: Iterable<IamPrincipal>) {
    for (const principal of principals) {
      const { accessKeyId } = principal;
      if (this.#byKey.has(accessKeyId)) {
        throw new Error(`access key ${accessKeyId} is given to two principals: remove one of them`);
      }
      this.#byKey.set(accessKeyId, principal);
    }
  }

  find(accessKeyId: string): IamPrincipal | undefined {
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
