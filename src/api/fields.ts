import { z } from 'zod';

// Fields of the Query protocol, where every value is a text.

/** A list of the Query protocol; one that is empty is an empty text, and one that is not given is undefined. */
export function memberList<Item extends z.ZodType>(
  item: Item,
  { name = 'member', most = 1_000 }: { readonly name?: string; readonly most?: number } = {},
) {
  // Not a union: of one that fails, zod tells neither the element nor what is wrong with it.
  return z
    .preprocess(
      (value) => (value === '' ? { [name]: [] } : value),
      z
        .object(
          {
            [name]: z
              .array(item, { error: 'must be a list' })
              .max(most, `must have at most ${most} elements`),
          },
          { error: 'must be a list' },
        )
        .transform((list): z.output<Item>[] => list[name] ?? []),
    )
    .optional();
}

/** `true` or `false`. */
export function flagText() {
  return z
    .enum(['true', 'false'], { error: 'must be true or false' })
    .transform((text) => text === 'true');
}

/** A whole number within a range. */
export function wholeText(least: number, most: number) {
  return z
    .string()
    .regex(/^-?\d{1,9}$/, { error: 'must be a whole number' })
    .transform(Number)
    .refine((number) => number >= least && number <= most, {
      error: `must be a number from ${least} to ${most}`,
    });
}

/** A list as it is answered in the Query protocol. */
export function members<Item>(
  items: readonly Item[],
  name = 'member',
): Readonly<Record<string, readonly Item[]>> {
  return { [name]: items };
}
