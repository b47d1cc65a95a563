import { z } from 'zod';
import { isAwsPolicy } from '../../state/aws-policies.ts';
import type { ManagedPolicy } from '../../state/iam-policies.ts';
import { flagText, members } from '../fields.ts';
import type { Operation, Output } from '../service.ts';
import type { Desk } from './desk.ts';
import { checkPolicy, documentSize } from './documents.ts';
import { alreadyExists, deleteConflict, quotaExceeded } from './errors.ts';
import {
  checkTags,
  description,
  document,
  iamOperation,
  page,
  paging,
  path,
  pathPrefix,
  policyName,
  tags,
} from './fields.ts';
import { tagsOutput } from './tags.ts';

const MOST_CHARACTERS = 6_144;

const usage = z
  .enum(['PermissionsPolicy', 'PermissionsBoundary'], {
    error: 'must be PermissionsPolicy or PermissionsBoundary',
  })
  .optional();

const listed = z.object({
  Scope: z.enum(['All', 'AWS', 'Local'], { error: 'must be All, AWS or Local' }).default('All'),
  OnlyAttached: flagText().default(false),
  PathPrefix: pathPrefix,
  PolicyUsageFilter: usage,
  ...paging,
});

/** Managed policies. Of those that AWS makes there are a few. */
export function policyOperations(desk: Desk): Readonly<Record<string, Operation>> {
  const { state } = desk;
  const { managed } = state;
  return {
    CreatePolicy: iamOperation(
      z.object({
        PolicyName: policyName,
        Path: path.default('/'),
        PolicyDocument: document,
        Description: description,
        Tags: tags,
      }),
      ({ PolicyName: name, Path, PolicyDocument, Description, Tags }, call) => {
        call.authorize('iam:CreatePolicy', managed.arn(Path, name));
        checkTags(Tags);
        checkNewDocument(PolicyDocument);
        if (managed.isTaken(name))
          throw alreadyExists(
            `A policy called ${name} already exists. Duplicate names are not allowed.`,
          );
        return state.write(() => {
          const policy = managed.add({
            name,
            path: Path,
            document: PolicyDocument,
            description: Description,
            nowMs: call.nowMs,
          });
          state.tags.put(policy.id, Tags);
          return { Policy: { ...policyOutput(policy), ...tagsOutput(desk, policy.id) } };
        });
      },
    ),
    GetPolicy: desk.onPolicy('GetPolicy', z.object({}), (policy) => ({
      Policy: {
        ...policyOutput(policy),
        Description: policy.description,
        ...tagsOutput(desk, policy.id),
      },
    })),
    ListPolicies: iamOperation(listed, ({ PathPrefix = '/', ...wish }, call) => {
      call.authorize('iam:ListPolicies', managed.arn(PathPrefix, ''));
      const nothing = wish.PolicyUsageFilter === 'PermissionsBoundary';
      const policies = managed
        .all()
        .filter((one) => !nothing && one.path.startsWith(PathPrefix))
        .filter((one) => wish.Scope === 'All' || isAwsPolicy(one) === (wish.Scope === 'AWS'))
        .filter((one) => !wish.OnlyAttached || one.attachments > 0);
      const { items, rest } = page(policies, wish, placeOf);
      return { Policies: members(items.map(policyOutput)), ...rest };
    }),
    DeletePolicy: desk.onPolicy('DeletePolicy', z.object({}), (policy) => {
      if (policy.attachments > 0)
        throw deleteConflict('Cannot delete a policy attached to entities.');
      if (managed.versions(policy.id).length > 1)
        throw deleteConflict(
          "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy.",
        );
      managed.remove(policy.id);
      return {};
    }),
    ListEntitiesForPolicy: entitiesOf(desk),
  };
}

function entitiesOf(desk: Desk): Operation {
  const { policies, identities } = desk.state;
  const kinds = ['User', 'Role', 'Group', 'LocalManagedPolicy', 'AWSManagedPolicy'];
  const schema = z.object({
    EntityFilter: z.enum(kinds, { error: `must be one of ${kinds.join(', ')}` }).optional(),
    PathPrefix: pathPrefix,
    PolicyUsageFilter: usage,
    ...paging,
  });
  return desk.onPolicy(
    'ListEntitiesForPolicy',
    schema,
    (policy, { PathPrefix = '/', EntityFilter, PolicyUsageFilter, ...request }) => {
      const all = policies
        .attachedFrom(policy.id)
        .flatMap((id) => identities.byId(id) ?? [])
        .filter(({ path }) => path.startsWith(PathPrefix))
        .filter(({ kind }) => EntityFilter === undefined || EntityFilter.toLowerCase() === kind)
        .filter(() => PolicyUsageFilter !== 'PermissionsBoundary')
        .toSorted((a, b) => (a.id < b.id ? -1 : 1));
      const { items, rest } = page(all, request, ({ id }) => id);
      const users = items.filter(({ kind }) => kind === 'user');
      const roles = items.filter(({ kind }) => kind === 'role');
      return {
        PolicyGroups: members([]),
        PolicyUsers: members(users.map(({ name, id }) => ({ UserName: name, UserId: id }))),
        PolicyRoles: members(roles.map(({ name, id }) => ({ RoleName: name, RoleId: id }))),
        ...rest,
      };
    },
  );
}

/** Throws LimitExceeded or MalformedPolicyDocument. */
export function checkNewDocument(text: string): void {
  if (documentSize(text) > MOST_CHARACTERS) throw quotaExceeded('PolicySize', MOST_CHARACTERS);
  checkPolicy(text);
}

/** In the order of `ManagedPolicies.all`. */
export function placeOf(policy: ManagedPolicy): string {
  return `${isAwsPolicy(policy) ? 1 : 0} ${policy.name}`;
}

function policyOutput(policy: ManagedPolicy): Output {
  return {
    PolicyName: policy.name,
    PolicyId: policy.id,
    Arn: policy.arn,
    Path: policy.path,
    DefaultVersionId: `v${policy.defaultVersion}`,
    AttachmentCount: policy.attachments,
    PermissionsBoundaryUsageCount: 0,
    IsAttachable: true,
    CreateDate: new Date(policy.createdMs),
    UpdateDate: new Date(policy.updatedMs),
  };
}
