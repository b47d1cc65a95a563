import { z } from 'zod';
import type { Identity } from '../../state/iam-identities.ts';
import { members } from '../fields.ts';
import type { Operation } from '../service.ts';
import type { Desk } from './desk.ts';
import { checkPolicy, documentSize, encodedDocument } from './documents.ts';
import { limitExceeded, noSuchEntity, quotaExceeded } from './errors.ts';
import { arn, document, page, paging, pathPrefix, policyName } from './fields.ts';
import { placeOf } from './policies.ts';

/** Characters of all inline policies together, without white space. */
const MOST_CHARACTERS = { user: 2_048, role: 10_240 } as const;
const MOST_ATTACHED = 10;

const WORDS = { user: 'User', role: 'Role' } as const;

/** Policies that belong to one user or role, and no other. */
export function inlinePolicyOperations(
  desk: Desk,
  kind: Identity['kind'],
): Readonly<Record<string, Operation>> {
  const { policies } = desk.state;
  const word = WORDS[kind];
  const named = z.object({ PolicyName: policyName });
  const find = (owner: Identity, name: string) => {
    const found = policies.inline(owner.id).find((one) => one.name === name);
    if (found === undefined)
      throw noSuchEntity(`The ${kind} policy with name ${name} cannot be found.`);
    return found;
  };
  return {
    [`Put${word}Policy`]: desk.on(
      kind,
      `Put${word}Policy`,
      named.extend({ PolicyDocument: document }),
      (owner, wish) => {
        const policy = { name: wish.PolicyName, document: wish.PolicyDocument };
        const others = policies.inline(owner.id).filter(({ name }) => name !== policy.name);
        const size = [...others, policy].reduce((sum, one) => sum + documentSize(one.document), 0);
        const most = MOST_CHARACTERS[kind];
        if (size > most)
          throw limitExceeded(
            `Maximum policy size of ${most} bytes exceeded for ${kind} ${owner.name}`,
          );
        checkPolicy(policy.document);
        policies.putInline(owner.id, policy);
        return {};
      },
    ),
    [`Get${word}Policy`]: desk.on(kind, `Get${word}Policy`, named, (owner, { PolicyName }) => ({
      [`${word}Name`]: owner.name,
      PolicyName,
      PolicyDocument: encodedDocument(find(owner, PolicyName).document),
    })),
    [`Delete${word}Policy`]: desk.on(
      kind,
      `Delete${word}Policy`,
      named,
      (owner, { PolicyName }) => {
        policies.removeInline(owner.id, find(owner, PolicyName).name);
        return {};
      },
    ),
    [`List${word}Policies`]: desk.on(
      kind,
      `List${word}Policies`,
      z.object(paging),
      (owner, request) => {
        const names = policies.inline(owner.id).map(({ name }) => name);
        const { items, rest } = page(names, request, (name) => name);
        return { PolicyNames: members(items), ...rest };
      },
    ),
  };
}

/** Which managed policies a user or a role has. */
export function attachmentOperations(
  desk: Desk,
  kind: Identity['kind'],
): Readonly<Record<string, Operation>> {
  const { policies, managed } = desk.state;
  const word = WORDS[kind];
  const byArn = z.object({ PolicyArn: arn });
  return {
    [`Attach${word}Policy`]: desk.on(kind, `Attach${word}Policy`, byArn, (owner, { PolicyArn }) => {
      const policy = managed.find(PolicyArn);
      if (policy === undefined)
        throw noSuchEntity(`Policy ${PolicyArn} does not exist or is not attachable.`);
      const attached = policies.attachedTo(owner.id);
      if (!attached.has(policy.id) && attached.size >= MOST_ATTACHED)
        throw quotaExceeded(`PoliciesPer${word}`, MOST_ATTACHED);
      policies.attach(owner.id, policy.id);
      return {};
    }),
    [`Detach${word}Policy`]: desk.on(kind, `Detach${word}Policy`, byArn, (owner, { PolicyArn }) => {
      const policy = managed.find(PolicyArn);
      if (policy === undefined || !policies.detach(owner.id, policy.id))
        throw noSuchEntity(`Policy ${PolicyArn} was not found.`);
      return {};
    }),
    [`ListAttached${word}Policies`]: desk.on(
      kind,
      `ListAttached${word}Policies`,
      z.object({ PathPrefix: pathPrefix, ...paging }),
      (owner, { PathPrefix = '/', ...request }) => {
        const ids = policies.attachedTo(owner.id);
        const attached = managed
          .all()
          .filter(({ id, path }) => ids.has(id) && path.startsWith(PathPrefix));
        const { items, rest } = page(attached, request, placeOf);
        const shown = items.map(({ name, arn }) => ({ PolicyName: name, PolicyArn: arn }));
        return { AttachedPolicies: members(shown), ...rest };
      },
    ),
  };
}
