import { z } from 'zod';
import type { SecretStore, Tag } from '../../state/secrets.ts';
import type { Operation } from '../service.ts';
import { operation } from '../service.ts';
import { permittedAlive } from './access.ts';
import { MOST_TAGS, secretId, tagList, textField } from './fields.ts';
import { invalidParameter, limitExceeded, violation } from './problems.ts';

export function tagOperations(secrets: SecretStore): Readonly<Record<string, Operation>> {
  return {
    TagResource: operation(
      z.object({ SecretId: secretId, Tags: tagList }),
      ({ SecretId, Tags }, call) => {
        const secret = permittedAlive(secrets, call, 'TagResource', SecretId);
        const tags = mergeTags(secret.tags ?? [], Tags);
        secrets.save({ ...secret, tags, changedMs: call.nowMs });
        return {};
      },
      violation,
    ),

    UntagResource: operation(
      z.object({ SecretId: secretId, TagKeys: z.array(textField(1, 128)) }),
      ({ SecretId, TagKeys }, call) => {
        const secret = permittedAlive(secrets, call, 'UntagResource', SecretId);
        const tags = secret.tags?.filter(({ key }) => !TagKeys.includes(key));
        secrets.save({ ...secret, tags, changedMs: call.nowMs });
        return {};
      },
      violation,
    ),
  };
}

/** New values take the place of old ones; throws where there are too many afterwards. */
export function mergeTags(
  former: readonly Tag[],
  given: readonly { readonly Key: string; readonly Value: string }[],
): readonly Tag[] {
  const tags = new Map(former.map(({ key, value }) => [key, value]));
  const keys = given.map(({ Key }) => Key);
  const twice = keys.find((key, at) => keys.indexOf(key) !== at);
  if (twice !== undefined) throw invalidParameter(`The tag ${twice} is given twice.`);
  const reserved = keys.find((key) => /^aws:/i.test(key));
  if (reserved !== undefined)
    throw invalidParameter(`The tag ${reserved} begins with aws:, which is reserved.`);
  for (const { Key, Value } of given) tags.set(Key, Value);
  if (tags.size > MOST_TAGS) throw limitExceeded(`A secret can have at most ${MOST_TAGS} tags.`);
  return Array.from(tags, ([key, value]) => ({ key, value }));
}
