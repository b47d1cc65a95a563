import { IamKeyRing } from '../../api/iam/key-ring.ts';
import { ServiceRoles } from '../../api/iam/service-roles.ts';
import type { RoleDecision } from '../../api/iam/service-roles.ts';
import type { IamParts } from '../../api/iam/service.ts';
import type { SecretSource } from '../../secrets/source.ts';
import type { Made } from '../made.ts';
import type { Settings } from '../settings/settings.ts';
import type { Data } from './data.ts';
import { KeptSecrets, SERVICE } from './kept-secrets.ts';
import { mergeStored } from './stored-settings.ts';

/** What the API has made, as the proxies of a process see it: always as it is now. */
export class StoredMade implements Made {
  readonly keys: IamKeyRing;
  readonly #data: Data;
  readonly #roles: ServiceRoles;

  constructor(data: Data, iam: IamParts) {
    this.#data = data;
    this.keys = new IamKeyRing(iam);
    this.#roles = new ServiceRoles(iam);
  }

  merge(settings: Settings): Settings {
    return mergeStored(settings, this.#data);
  }

  keepsSecret(arn: string): boolean {
    return this.#data.secrets.findKept(arn) !== undefined;
  }

  hasRole(arn: string): boolean {
    return this.#data.iam.identities.byArn(arn)?.kind === 'role';
  }

  decide(roleArn: string, action: string, resource: string): RoleDecision {
    return this.#roles.decide(roleArn, SERVICE, action, resource);
  }

  secretsOf(roleArn: string | undefined): SecretSource {
    return new KeptSecrets(this.#data.secrets, this.#roles, roleArn);
  }
}
