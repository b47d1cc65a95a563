import { z } from 'zod';
import { decide } from '../../iam/policy.ts';
import { memberList, members } from '../fields.ts';
import type { Operation } from '../service.ts';
import type { Desk } from './desk.ts';
import type { PolicyReader } from './documents.ts';
import { checkPolicy } from './documents.ts';
import { noSuchEntity } from './errors.ts';
import { arn, document, iamOperation, page, paging, unsupported } from './fields.ts';

const NO_CONDITIONS = 'policies have no conditions here';

const question = z.object({
  PolicySourceArn: arn,
  ActionNames: memberList(z.string().min(3).max(128)).refine(
    (list) => list !== undefined && list.length > 0,
    'must name an action',
  ),
  ResourceArns: memberList(z.string().min(1).max(2_048)),
  PolicyInputList: memberList(document),
  ContextEntries: unsupported(NO_CONDITIONS),
  PermissionsBoundaryPolicyInputList: unsupported('permissions boundaries are not known here'),
  PolicyExclusionList: unsupported('all policies are taken into account'),
  ResourcePolicy: unsupported("only the principal's own policies are taken into account"),
  ResourceOwner: unsupported("only the principal's own policies are taken into account"),
  ResourceHandlingOption: unsupported('it concerns EC2 only'),
  CallerArn: unsupported(NO_CONDITIONS),
  ...paging,
});

/** What a user or a role may do, by their own policies. */
export function simulateOperations(
  { state }: Desk,
  reader: PolicyReader,
): Readonly<Record<string, Operation>> {
  return {
    SimulatePrincipalPolicy: iamOperation(question, (asked, call) => {
      call.authorize('iam:SimulatePrincipalPolicy', asked.PolicySourceArn);
      const who = state.identities.byArn(asked.PolicySourceArn);
      if (who === undefined) throw noSuchEntity(`${asked.PolicySourceArn} was not found.`);
      const policies = [
        ...state.policies.documents(who.id).map((text) => reader.identity(text)),
        ...(asked.PolicyInputList ?? []).map(checkPolicy),
      ];
      const resources = asked.ResourceArns ?? ['*'];
      const questions = (asked.ActionNames ?? [])
        .flatMap((action) => resources.map((resource) => ({ action, resource })))
        .map((one, index) => ({ one, key: String(index).padStart(9, '0') }));
      const { items, rest } = page(questions, asked, ({ key }) => key);
      const results = items.map(({ one: { action, resource } }) => ({
        EvalActionName: action,
        EvalResourceName: resource,
        EvalDecision: decide(policies, action, resource),
        MatchedStatements: members([]),
        MissingContextValues: members([]),
      }));
      return { EvaluationResults: members(results), ...rest };
    }),
  };
}
