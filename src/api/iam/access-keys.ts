import { z } from 'zod';
import type { AccessKey } from '../../state/iam-keys.ts';
import type { User } from '../../state/iam-identities.ts';
import { members } from '../fields.ts';
import type { Operation, Output } from '../service.ts';
import type { Desk } from './desk.ts';
import { noSuchEntity, quotaExceeded } from './errors.ts';
import { iamOperation, page, paging } from './fields.ts';

const MOST_KEYS = 2;

const keyId = z
  .string()
  .regex(/^\w{16,128}$/, 'must have 16 to 128 letters, digits and underscores');

/** Access keys of users. */
export function accessKeyOperations(desk: Desk): Readonly<Record<string, Operation>> {
  const { keys, identities } = desk.state;
  return {
    CreateAccessKey: desk.onUserOrCaller('CreateAccessKey', z.object({}), (user, _input, call) => {
      if (keys.of(user.id).length >= MOST_KEYS) throw quotaExceeded('AccessKeysPerUser', MOST_KEYS);
      const key = keys.add(user.id, call.nowMs);
      return {
        AccessKey: { ...keyOutput(user, key), SecretAccessKey: key.secretAccessKey.reveal() },
      };
    }),
    ListAccessKeys: desk.onUserOrCaller('ListAccessKeys', z.object(paging), (user, request) => {
      const inOrder = keys.of(user.id);
      const { items, rest } = page(inOrder, request, ({ createdMs, id }) => {
        return String(createdMs).padStart(16, '0') + id;
      });
      return { AccessKeyMetadata: members(items.map((key) => keyOutput(user, key))), ...rest };
    }),
    UpdateAccessKey: desk.onUserOrCaller(
      'UpdateAccessKey',
      z.object({
        AccessKeyId: keyId,
        Status: z.enum(['Active', 'Inactive'], { error: 'must be Active or Inactive' }),
      }),
      (user, { AccessKeyId, Status }) => {
        keys.setActive(keyOf(desk, user, AccessKeyId).id, Status === 'Active');
        return {};
      },
    ),
    DeleteAccessKey: desk.onUserOrCaller(
      'DeleteAccessKey',
      z.object({ AccessKeyId: keyId }),
      (user, { AccessKeyId }) => {
        keys.remove(keyOf(desk, user, AccessKeyId).id);
        return {};
      },
    ),
    GetAccessKeyLastUsed: iamOperation(
      z.object({ AccessKeyId: keyId }),
      ({ AccessKeyId }, call) => {
        const key = keys.find(AccessKeyId);
        const user = key && identities.byId(key.userId);
        call.authorize('iam:GetAccessKeyLastUsed', user?.arn ?? identities.arn('user', '/', '*'));
        if (key === undefined || user === undefined) throw noSuchKey(AccessKeyId);
        return { UserName: user.name, AccessKeyLastUsed: useOutput(key) };
      },
    ),
  };
}

function keyOf({ state }: Desk, user: User, id: string): AccessKey {
  const key = state.keys.of(user.id).find((one) => one.id === id);
  if (key === undefined) throw noSuchKey(id);
  return key;
}

function noSuchKey(id: string) {
  return noSuchEntity(`The Access Key with id ${id} cannot be found.`);
}

function keyOutput(user: User, { id, isActive, createdMs }: AccessKey): Output {
  return {
    UserName: user.name,
    AccessKeyId: id,
    Status: isActive ? 'Active' : 'Inactive',
    CreateDate: new Date(createdMs),
  };
}

function useOutput({ lastUse }: AccessKey): Output {
  if (lastUse === undefined) return { ServiceName: 'N/A', Region: 'N/A' };
  return {
    LastUsedDate: new Date(lastUse.atMs),
    ServiceName: lastUse.service,
    Region: lastUse.region,
  };
}
