import { z } from 'zod';
import type { Secret } from '../../state/secrets.ts';
import { listField } from './fields.ts';

const keys = [
  'description',
  'name',
  'tag-key',
  'tag-value',
  'primary-region',
  'owning-service',
  'all',
] as const;

const filter = z.object({
  Key: z.enum(keys, { error: `must be one of ${keys.join(', ')}` }),
  Values: listField(
    z.string().regex(/^!?[a-zA-Z0-9 :_@/+=.\-!]{0,512}$/, {
      error: 'must be letters, digits and :_@/+=.-!',
    }),
    1,
    10,
  ),
});

export const filterList = listField(filter, 0, 10).optional();

type Filter = z.output<typeof filter>;

/** Whether it fits every filter; a filter fits where one of its values does. */
export function fits(secret: Secret, filters: readonly Filter[]): boolean {
  return filters.every(({ Key, Values }) =>
    Values.some((value) =>
      value.startsWith('!') ? !matches(secret, Key, value.slice(1)) : matches(secret, Key, value),
    ),
  );
}

/** By the beginning: of a whole attribute, or, where letters' case is not regarded, of any word of it. */
function matches(secret: Secret, key: Filter['Key'], value: string): boolean {
  const { name, description = '', tags = [] } = secret;
  switch (key) {
    case 'name':
      return name.startsWith(value);
    case 'description':
      return hasWords([description], value);
    case 'tag-key':
      return tags.some((tag) => tag.key.startsWith(value));
    case 'tag-value':
      return tags.some((tag) => tag.value.startsWith(value));
    // Secrets here are of no service, and no replicas.
    case 'owning-service':
    case 'primary-region':
      return false;
    case 'all':
      return hasWords([name, description, ...tags.flatMap((tag) => [tag.key, tag.value])], value);
  }
}

/** Whether each word of the value begins some word of the texts. */
function hasWords(texts: readonly string[], value: string): boolean {
  const words = texts.flatMap(wordsOf);
  return wordsOf(value).every((wanted) => words.some((word) => word.startsWith(wanted)));
}

function wordsOf(text: string): readonly string[] {
  return text
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== '');
}
