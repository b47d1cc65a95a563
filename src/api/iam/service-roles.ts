import { mayDo } from '../../iam/resource-policy.ts';
import type { ResourcePolicy } from '../../iam/resource-policy.ts';
import { trustsService } from '../../iam/trust-policy.ts';
import { sessionOf } from './key-ring.ts';
import type { IamParts } from './service.ts';

export type RoleDecision = { readonly ok: true } | { readonly ok: false; readonly why: string };

/** What a service, such as RDS, asks before it does something as a role that it was given. */
export class ServiceRoles {
  readonly #parts: IamParts;

  constructor(parts: IamParts) {
    this.#parts = parts;
  }

  /**
   * Whether the role lets itself be assumed by the service and may do this; else a sentence that says what is missing.
   * @param service such as `rds.amazonaws.com`
   * @param policy of the resource, which may allow it, too, and may deny it
   */
  decide(
    roleArn: string,
    service: string,
    action: string,
    resource: string,
    policy?: ResourcePolicy,
  ): RoleDecision {
    const role = this.#parts.state.identities.byArn(roleArn);
    if (role?.kind !== 'role') return no(`The IAM role ${roleArn} does not exist`);
    if (!trustsService(this.#parts.reader.trust(role.trust), service))
      return no(
        `The IAM role ${roleArn} cannot be assumed by ${service}: its trust policy must allow sts:AssumeRole to this service`,
      );
    const session = sessionOf(this.#parts, role, service, '');
    if (!mayDo(session, action, resource, policy))
      return no(`The IAM role ${roleArn} is not authorized to perform ${action} on ${resource}`);
    return { ok: true };
  }
}

function no(why: string): RoleDecision {
  return { ok: false, why };
}
