import { z } from 'zod';
import type { ManagedPolicy, PolicyVersion } from '../../state/iam-policies.ts';
import { flagText, members } from '../fields.ts';
import type { Operation, Output } from '../service.ts';
import type { Desk } from './desk.ts';
import { encodedDocument } from './documents.ts';
import { deleteConflict, limitExceeded, noSuchEntity } from './errors.ts';
import { document, page, paging } from './fields.ts';
import { checkNewDocument } from './policies.ts';

const MOST_VERSIONS = 5;
/** Versions are listed from the newest: what they are sorted by must ascend. */
const BEYOND_VERSIONS = 1_000_000_000;

const versionId = z.string().regex(/^v[1-9]\d{0,8}$/, 'must be a version, such as v1');

/** Versions of managed policies. */
export function policyVersionOperations(desk: Desk): Readonly<Record<string, Operation>> {
  const { managed } = desk.state;
  const one = z.object({ VersionId: versionId });
  const find = (policy: ManagedPolicy, id: string) => {
    const found = managed.versions(policy.id).find(({ version }) => `v${version}` === id);
    if (found === undefined)
      throw noSuchEntity(`Policy ${policy.arn} version ${id} does not exist or is not attachable.`);
    return found;
  };
  return {
    CreatePolicyVersion: desk.onPolicy(
      'CreatePolicyVersion',
      z.object({ PolicyDocument: document, SetAsDefault: flagText().default(false) }),
      (policy, { PolicyDocument, SetAsDefault }, { nowMs }) => {
        checkNewDocument(PolicyDocument);
        if (managed.versions(policy.id).length >= MOST_VERSIONS)
          throw limitExceeded(
            `A managed policy can have up to ${MOST_VERSIONS} versions. Before you create a new version, you must delete an existing version.`,
          );
        return desk.state.write(() => {
          const made = managed.addVersion(policy.id, PolicyDocument, nowMs);
          if (SetAsDefault) managed.setDefaultVersion(policy.id, made.version, nowMs);
          return { PolicyVersion: versionOutput(made, SetAsDefault) };
        });
      },
    ),
    GetPolicyVersion: desk.onPolicy('GetPolicyVersion', one, (policy, { VersionId }) => {
      const version = find(policy, VersionId);
      return {
        PolicyVersion: {
          Document: encodedDocument(version.document),
          ...versionOutput(version, version.version === policy.defaultVersion),
        },
      };
    }),
    ListPolicyVersions: desk.onPolicy('ListPolicyVersions', z.object(paging), (policy, request) => {
      const { items, rest } = page(managed.versions(policy.id), request, ({ version }) =>
        String(BEYOND_VERSIONS - version),
      );
      const shown = items.map((one) => versionOutput(one, one.version === policy.defaultVersion));
      return { Versions: members(shown), ...rest };
    }),
    SetDefaultPolicyVersion: desk.onPolicy(
      'SetDefaultPolicyVersion',
      one,
      (policy, { VersionId }, { nowMs }) => {
        managed.setDefaultVersion(policy.id, find(policy, VersionId).version, nowMs);
        return {};
      },
    ),
    DeletePolicyVersion: desk.onPolicy('DeletePolicyVersion', one, (policy, { VersionId }) => {
      const { version } = find(policy, VersionId);
      if (version === policy.defaultVersion)
        throw deleteConflict('Cannot delete the default version of a policy.');
      managed.removeVersion(policy.id, version);
      return {};
    }),
  };
}

function versionOutput({ version, createdMs }: PolicyVersion, isDefault: boolean): Output {
  return {
    VersionId: `v${version}`,
    IsDefaultVersion: isDefault,
    CreateDate: new Date(createdMs),
  };
}
