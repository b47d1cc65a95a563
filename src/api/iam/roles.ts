import { z } from 'zod';
import type { Role } from '../../state/iam-identities.ts';
import { members, wholeText } from '../fields.ts';
import type { Operation, Output } from '../service.ts';
import type { Desk } from './desk.ts';
import { checkTrust, documentSize, encodedDocument } from './documents.ts';
import { alreadyExists, quotaExceeded } from './errors.ts';
import {
  checkTags,
  description,
  document,
  entityName,
  iamOperation,
  page,
  paging,
  path,
  pathPrefix,
  tags,
  unsupported,
} from './fields.ts';
import { tagsOutput } from './tags.ts';
import { checkFreeOfPolicies } from './users.ts';

const MOST_TRUST_CHARACTERS = 4_096;
const SESSION_SECONDS = 3_600;
const LONGEST_SESSION_SECONDS = 43_200;

const newRole = z.object({
  RoleName: entityName,
  Path: path.default('/'),
  AssumeRolePolicyDocument: document,
  Description: description,
  MaxSessionDuration: wholeText(SESSION_SECONDS, LONGEST_SESSION_SECONDS).optional(),
  Tags: tags,
  PermissionsBoundary: unsupported('permissions boundaries are not known here'),
});

/** Roles. */
export function roleOperations(desk: Desk): Readonly<Record<string, Operation>> {
  const { state } = desk;
  const { identities } = state;
  return {
    CreateRole: iamOperation(newRole, (wish, call) => {
      const { RoleName: name, Path, AssumeRolePolicyDocument: trust, Tags } = wish;
      call.authorize('iam:CreateRole', identities.arn('role', Path, name));
      checkTags(Tags);
      checkNewTrust(trust);
      if (identities.isTaken('role', name))
        throw alreadyExists(`Role with name ${name} already exists.`);
      return state.write(() => {
        const role = identities.addRole({
          name,
          path: Path,
          trust,
          description: wish.Description,
          maxSessionSeconds: wish.MaxSessionDuration ?? SESSION_SECONDS,
          nowMs: call.nowMs,
        });
        state.tags.put(role.id, Tags);
        return { Role: { ...roleOutput(role), ...tagsOutput(desk, role.id) } };
      });
    }),
    GetRole: desk.onRole('GetRole', z.object({}), (role) => ({
      Role: { ...roleOutput(role), ...tagsOutput(desk, role.id) },
    })),
    ListRoles: iamOperation(
      z.object({ PathPrefix: pathPrefix, ...paging }),
      ({ PathPrefix = '/', ...request }, call) => {
        call.authorize('iam:ListRoles', identities.arn('role', PathPrefix, ''));
        const roles = identities.roles().filter((role) => role.path.startsWith(PathPrefix));
        const { items, rest } = page(roles, request, (role) => role.name);
        return { Roles: members(items.map(roleOutput)), ...rest };
      },
    ),
    DeleteRole: desk.onRole('DeleteRole', z.object({}), (role) => {
      checkFreeOfPolicies(desk, role.id);
      identities.remove(role.id);
      return {};
    }),
    ...roleChanges(desk),
    // There are none here; tools ask before they delete a role.
    ListInstanceProfilesForRole: desk.onRole(
      'ListInstanceProfilesForRole',
      z.object(paging),
      () => ({ InstanceProfiles: members([]), IsTruncated: false }),
    ),
  };
}

function roleChanges(desk: Desk): Readonly<Record<string, Operation>> {
  const { identities } = desk.state;
  return {
    UpdateRole: desk.onRole(
      'UpdateRole',
      z.object({
        Description: description,
        MaxSessionDuration: wholeText(SESSION_SECONDS, LONGEST_SESSION_SECONDS).optional(),
      }),
      (role, wish) => {
        identities.updateRole(role.id, {
          ...role,
          description: wish.Description ?? role.description,
          maxSessionSeconds: wish.MaxSessionDuration ?? role.maxSessionSeconds,
        });
        return {};
      },
    ),
    UpdateRoleDescription: desk.onRole(
      'UpdateRoleDescription',
      z.object({ Description: z.string().max(1_000, 'must have at most 1000 characters') }),
      (role, { Description }) => {
        const changed = { ...role, description: Description };
        identities.updateRole(role.id, changed);
        return { Role: roleOutput(changed) };
      },
    ),
    UpdateAssumeRolePolicy: desk.onRole(
      'UpdateAssumeRolePolicy',
      z.object({ PolicyDocument: document }),
      (role, { PolicyDocument: trust }) => {
        checkNewTrust(trust);
        identities.updateRole(role.id, { ...role, trust });
        return {};
      },
    ),
  };
}

function checkNewTrust(trust: string): void {
  if (documentSize(trust) > MOST_TRUST_CHARACTERS)
    throw quotaExceeded('ACLSizePerRole', MOST_TRUST_CHARACTERS);
  checkTrust(trust);
}

function roleOutput(role: Role): Output {
  return {
    Path: role.path,
    RoleName: role.name,
    RoleId: role.id,
    Arn: role.arn,
    CreateDate: new Date(role.createdMs),
    AssumeRolePolicyDocument: encodedDocument(role.trust),
    Description: role.description,
    MaxSessionDuration: role.maxSessionSeconds,
  };
}
