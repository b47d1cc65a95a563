import { z } from 'zod';
import type { User } from '../../state/iam-identities.ts';
import { members } from '../fields.ts';
import type { Operation, Output } from '../service.ts';
import type { Desk } from './desk.ts';
import { alreadyExists, deleteConflict, noSuchEntity } from './errors.ts';
import {
  checkTags,
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

const NO_BOUNDARY = 'permissions boundaries are not known here';

/** Users. */
export function userOperations(desk: Desk): Readonly<Record<string, Operation>> {
  const { state } = desk;
  const { identities } = state;
  return {
    CreateUser: iamOperation(
      z.object({
        UserName: entityName,
        Path: path.default('/'),
        Tags: tags,
        PermissionsBoundary: unsupported(NO_BOUNDARY),
      }),
      ({ UserName: name, Path, Tags }, call) => {
        call.authorize('iam:CreateUser', identities.arn('user', Path, name));
        checkTags(Tags);
        if (identities.isTaken('user', name)) throw userExists(name);
        return state.write(() => {
          const user = identities.addUser({ name, path: Path, nowMs: call.nowMs });
          state.tags.put(user.id, Tags);
          return { User: { ...userOutput(user), ...tagsOutput(desk, user.id) } };
        });
      },
    ),
    GetUser: desk.onUserOrCaller('GetUser', z.object({}), (user) => ({
      User: { ...userOutput(user), ...tagsOutput(desk, user.id) },
    })),
    ListUsers: iamOperation(
      z.object({ PathPrefix: pathPrefix, ...paging }),
      ({ PathPrefix = '/', ...request }, call) => {
        call.authorize('iam:ListUsers', identities.arn('user', PathPrefix, ''));
        const users = identities.users().filter((user) => user.path.startsWith(PathPrefix));
        const { items, rest } = page(users, request, (user) => user.name);
        return { Users: members(items.map(userOutput)), ...rest };
      },
    ),
    UpdateUser: desk.onUser(
      'UpdateUser',
      z.object({ NewUserName: entityName.optional(), NewPath: path.optional() }),
      (user, { NewUserName = user.name, NewPath = user.path }, call) => {
        call.authorize('iam:UpdateUser', identities.arn('user', NewPath, NewUserName));
        const isSame = NewUserName.toLowerCase() === user.name.toLowerCase();
        if (!isSame && identities.isTaken('user', NewUserName)) throw userExists(NewUserName);
        identities.updateUser(user.id, { name: NewUserName, path: NewPath });
        return {};
      },
    ),
    DeleteUser: desk.onUser('DeleteUser', z.object({}), (user) => {
      if (state.keys.of(user.id).length > 0)
        throw deleteConflict('Cannot delete entity, must delete access keys first.');
      checkFreeOfPolicies(desk, user.id);
      identities.remove(user.id);
      return {};
    }),
    ...nothingOfUsers(desk),
  };
}

/** What users have in AWS, and never have here; tools ask for it before they delete a user. */
function nothingOfUsers(desk: Desk): Readonly<Record<string, Operation>> {
  const nothing = (action: string, list: string) =>
    desk.onUserOrCaller(action, z.object(paging), () => ({
      [list]: members([]),
      IsTruncated: false,
    }));
  const noLogin = (action: string) =>
    desk.onUserOrCaller(action, z.object({}), (user) => {
      throw noSuchEntity(`Login Profile for User ${user.name} cannot be found.`);
    });
  return {
    ListVirtualMFADevices: iamOperation(z.object(paging), (_input, call) => {
      call.authorize('iam:ListVirtualMFADevices', `arn:aws:iam::${desk.state.account}:mfa/`);
      return { VirtualMFADevices: members([]), IsTruncated: false };
    }),
    ListGroupsForUser: nothing('ListGroupsForUser', 'Groups'),
    ListMFADevices: nothing('ListMFADevices', 'MFADevices'),
    ListSSHPublicKeys: nothing('ListSSHPublicKeys', 'SSHPublicKeys'),
    ListSigningCertificates: nothing('ListSigningCertificates', 'Certificates'),
    ListServiceSpecificCredentials: nothing(
      'ListServiceSpecificCredentials',
      'ServiceSpecificCredentials',
    ),
    GetLoginProfile: noLogin('GetLoginProfile'),
    DeleteLoginProfile: noLogin('DeleteLoginProfile'),
  };
}

/** Throws DeleteConflict while a user or a role has policies. */
export function checkFreeOfPolicies({ state }: Desk, identityId: string): void {
  if (state.policies.attachedTo(identityId).size > 0)
    throw deleteConflict('Cannot delete entity, must detach all policies first.');
  if (state.policies.inline(identityId).length > 0)
    throw deleteConflict('Cannot delete entity, must delete policies first.');
}

function userExists(name: string) {
  return alreadyExists(`User with name ${name} already exists.`);
}

function userOutput(user: User): Output {
  return {
    Path: user.path,
    UserName: user.name,
    UserId: user.id,
    Arn: user.arn,
    CreateDate: new Date(user.createdMs),
  };
}
