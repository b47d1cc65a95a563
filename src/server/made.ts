import type { RoleDecision } from '../api/iam/service-roles.ts';
import type { KeyRing, SigningKey } from '../iam/caller.ts';
import type { SecretSource } from '../secrets/source.ts';
import type { Settings } from './settings/settings.ts';

/** What does not stand in the settings file: the API has made it, and may change it at any time. */
export interface Made {
  /** The settings, with the proxies and databases that the API has made. */
  merge(settings: Settings): Settings;
  readonly keys: KeyRing;
  /** Secrets by their ARNs, read as this role. */
  secretsOf(roleArn: string | undefined): SecretSource;
  /** Whether there is a secret of this ARN, whoever may read it. */
  keepsSecret(arn: string): boolean;
  hasRole(arn: string): boolean;
  /** Whether RDS may do this as the role, which the API has made. */
  decide(roleArn: string, action: string, resource: string): RoleDecision;
}

/** Keys that the settings declare, and those that the API has made. */
export class EitherKeys implements KeyRing {
  readonly #rings: readonly KeyRing[];

  constructor(...rings: readonly KeyRing[]) {
    this.#rings = rings;
  }

  find(accessKeyId: string): SigningKey | undefined {
    for (const ring of this.#rings) {
      const key = ring.find(accessKeyId);
      if (key !== undefined) return key;
    }
    return undefined;
  }
}
