import { z } from 'zod';
import type { Identity } from '../../state/iam-identities.ts';
import type { ManagedPolicy } from '../../state/iam-policies.ts';
import type { IamTag } from '../../state/iam-tags.ts';
import { members } from '../fields.ts';
import type { Operation, Output } from '../service.ts';
import type { Desk } from './desk.ts';
import { quotaExceeded } from './errors.ts';
import { checkTags, page, paging, tagKeys, tags } from './fields.ts';

const MOST_TAGS = 50;

/** Tags of users, roles and policies. */
export function tagOperations(desk: Desk): Readonly<Record<string, Operation>> {
  const put = { Tags: tags };
  const remove = { TagKeys: tagKeys };
  return {
    TagUser: desk.onUser('TagUser', z.object(put), tag(desk)),
    UntagUser: desk.onUser('UntagUser', z.object(remove), untag(desk)),
    ListUserTags: desk.onUser('ListUserTags', z.object(paging), list(desk)),
    TagRole: desk.onRole('TagRole', z.object(put), tag(desk)),
    UntagRole: desk.onRole('UntagRole', z.object(remove), untag(desk)),
    ListRoleTags: desk.onRole('ListRoleTags', z.object(paging), list(desk)),
    TagPolicy: desk.onPolicy('TagPolicy', z.object(put), tag(desk)),
    UntagPolicy: desk.onPolicy('UntagPolicy', z.object(remove), untag(desk)),
    ListPolicyTags: desk.onPolicy('ListPolicyTags', z.object(paging), list(desk)),
  };
}

type Owner = Identity | ManagedPolicy;

function tag({ state }: Desk) {
  return (owner: Owner, { Tags }: { readonly Tags: readonly IamTag[] }): Output => {
    checkTags(Tags);
    const after = [...state.tags.of(owner.id), ...Tags].map(({ key }) => key.toLowerCase());
    if (new Set(after).size > MOST_TAGS) throw quotaExceeded('TagsPerResource', MOST_TAGS);
    state.tags.put(owner.id, Tags);
    return {};
  };
}

function untag({ state }: Desk) {
  return (owner: Owner, { TagKeys = [] }: { readonly TagKeys?: string[] | undefined }): Output => {
    state.tags.remove(owner.id, TagKeys);
    return {};
  };
}

function list({ state }: Desk) {
  return (owner: Owner, request: Parameters<typeof page>[1]): Output => {
    const all = state.tags.of(owner.id).toSorted((a, b) => (a.key < b.key ? -1 : 1));
    const { items, rest } = page(all, request, ({ key }) => key);
    return { Tags: members(items.map(tagOutput)), ...rest };
  };
}

/** Left out where there are none, as AWS does. */
export function tagsOutput({ state }: Desk, ownerId: string): Output {
  const all = state.tags.of(ownerId);
  return all.length === 0 ? {} : { Tags: members(all.map(tagOutput)) };
}

function tagOutput({ key, value }: IamTag): Output {
  return { Key: key, Value: value };
}
