import type { Caller } from '../../iam/caller.ts';
import { decide } from '../../iam/policy.ts';
import type { ResourcePolicy } from '../../iam/resource-policy.ts';
import { decideFor } from '../../iam/resource-policy.ts';

/** Why the caller may not do this, in AWS's words; nothing where they may. */
export function denial(
  caller: Caller,
  action: string,
  resource: string,
  policy?: ResourcePolicy,
): string | undefined {
  const decision = decideFor(caller, action, resource, policy);
  if (decision === 'allowed') return undefined;
  const what = `User: ${caller.arn} is not authorized to perform: ${action} on resource: ${resource}`;
  if (decision === 'implicitDeny')
    return `${what} because no identity-based policy allows the ${action} action`;
  const isTheirOwn = decide(caller.policies, action, resource) === 'explicitDeny';
  return `${what} with an explicit deny in ${isTheirOwn ? 'an identity-based' : 'a resource-based'} policy`;
}
