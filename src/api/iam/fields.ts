import { z } from 'zod';
import type { ApiError } from '../api-error.ts';
import { memberList, wholeText } from '../fields.ts';
import type { Call, Complaint, Operation, Output } from '../service.ts';
import { operation } from '../service.ts';
import { invalidInput, validationError } from './errors.ts';

// Fields that operations of IAM share.

const NAME = 'must contain only alphanumeric characters and/or the following: +=,.@_-';

function name(most: number) {
  return z
    .string()
    .min(1, 'must not be empty')
    .max(most, `must have at most ${most} characters`)
    .regex(/^[\w+=,.@-]+$/, NAME);
}

/** Of users and roles. */
export const entityName = name(64);
export const policyName = name(128);

export const path = z
  .string()
  .max(512, 'must have at most 512 characters')
  .regex(/^\/(?:[!-~]*\/)?$/, 'must begin and end with / and contain only characters from ! to ~');

export const pathPrefix = z
  .string()
  .max(512, 'must have at most 512 characters')
  .regex(/^\/[!-~]*$/, 'must begin with / and contain only characters from ! to ~')
  .optional();

export const arn = z
  .string()
  .min(20, 'must be an ARN')
  .max(2_048, 'must have at most 2048 characters');

export const description = z.string().max(1_000, 'must have at most 1000 characters').optional();

/** Longer ones are held against the quotas, which say how long they may be. */
export const document = z
  .string()
  .min(1, 'must not be empty')
  .max(131_072, 'must have at most 131072 characters');

const tagKey = z
  .string()
  .min(1, 'must not be empty')
  .max(128, 'must have at most 128 characters')
  .regex(
    /^[\p{L}\p{Z}\p{N}_.:/=+\-@]+$/u,
    'must contain only letters, numbers, spaces and _.:/=+-@',
  )
  .refine((key) => !/^aws:/i.test(key), 'must not begin with aws:');

const tag = z.object({
  Key: tagKey,
  Value: z
    .string()
    .max(256, 'must have at most 256 characters')
    .regex(
      /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u,
      'must contain only letters, numbers, spaces and _.:/=+-@',
    ),
});

export const tagKeys = memberList(z.string().min(1).max(128), { most: 50 });

export const tags = memberList(tag, { most: 50 }).transform((list = []) =>
  list.map(({ Key: key, Value: value }) => ({ key, value })),
);

/** Throws where one key is there twice. */
export function checkTags(list: readonly { readonly key: string }[]): void {
  if (new Set(list.map(({ key }) => key.toLowerCase())).size < list.length)
    throw invalidInput('Duplicate tag keys found. Please note that Tag keys are case insensitive.');
}

/** A field of AWS's that would change what is allowed, and that nothing here honours: it is refused, not ignored. */
export function unsupported(why: string) {
  return z.undefined({ error: `is not supported: ${why}` }).optional();
}

export const paging = {
  Marker: z.string().optional(),
  MaxItems: wholeText(1, 1_000).optional(),
};

interface PageRequest {
  readonly Marker?: string | undefined;
  readonly MaxItems?: number | undefined;
}

const ITEMS = 100;

/**
 * The items that follow the marker, and the marker for the next page, if there is one.
 * @param keyOf unique, and ascending along `items`; a page begins behind its marker even where that item is gone
 */
export function page<Item>(
  items: readonly Item[],
  { Marker, MaxItems = ITEMS }: PageRequest,
  keyOf: (item: Item) => string,
): { readonly items: readonly Item[]; readonly rest: Output } {
  const after = Marker === undefined ? undefined : keyIn(Marker);
  const following = after === undefined ? items : items.filter((item) => keyOf(item) > after);
  const shown = following.slice(0, MaxItems);
  const last = shown.at(-1);
  const isTruncated = shown.length < following.length;
  return {
    items: shown,
    rest: {
      IsTruncated: isTruncated,
      Marker:
        isTruncated && last !== undefined
          ? Buffer.from(keyOf(last)).toString('base64url')
          : undefined,
    },
  };
}

function keyIn(marker: string): string {
  if (!/^[\w-]+$/.test(marker)) throw validationError('Invalid Marker.');
  return Buffer.from(marker, 'base64url').toString();
}

/** An operation whose complaints are in IAM's words. */
export function iamOperation<Schema extends z.ZodType>(
  schema: Schema,
  run: (input: z.output<Schema>, call: Call) => Output | Promise<Output>,
): Operation {
  return operation(schema, run, complain);
}

function complain({ field, what, isMissing }: Complaint): ApiError {
  const name = field.charAt(0).toLowerCase() + field.slice(1);
  return validationError(
    isMissing
      ? `1 validation error detected: Value null at '${name}' failed to satisfy constraint: Member must not be null`
      : `The specified value for ${name} is invalid. It ${what}.`,
  );
}
