import { z } from 'zod';
import { SecretText } from '../../base/secret-text.ts';
import type { SecretValue } from '../../state/secrets.ts';
import { ApiError } from '../api-error.ts';
import { alreadyExists, invalidParameter, invalidRequest } from './problems.ts';

/** The largest value, in bytes. */
export const MOST_VALUE_BYTES = 65_536;
export const MOST_TAGS = 50;
export const MOST_STAGES = 20;

/** Of the largest value in base64. */
const MOST_BASE64 = Math.ceil(MOST_VALUE_BYTES / 3) * 4;

export function textField(least: number, most: number) {
  const error = `must have length from ${least} to ${most}`;
  return z.string({ error: 'must be a text' }).min(least, { error }).max(most, { error });
}

export function wholeField(least: number, most: number) {
  const error = `must be a whole number from ${least} to ${most}`;
  return z.int({ error }).min(least, { error }).max(most, { error });
}

export function flagField() {
  return z.boolean({ error: 'must be true or false' }).optional();
}

export function listField<Item extends z.ZodType>(item: Item, least: number, most: number) {
  const error = `must have from ${least} to ${most} elements`;
  return z.array(item, { error: 'must be a list' }).min(least, { error }).max(most, { error });
}

/** A name, an ARN, or an ARN without its last six characters. */
export const secretId = textField(1, 2_048);

export const secretName = textField(1, 512);

/** What makes a request the same as another one, and names the version that it makes. */
export const requestToken = textField(32, 64).optional();

export const versionId = textField(32, 64);

export const stage = textField(1, 256);

export const description = textField(0, 2_048).optional();

export const kmsKeyId = textField(0, 2_048).optional();

export const pageToken = textField(1, 4_096).optional();

export const tagList = z.array(z.object({ Key: textField(1, 128), Value: textField(0, 256) }), {
  error: 'must be a list',
});

/** The two members that hold a value. */
export const valueFields = {
  SecretString: z.string({ error: 'must be a text' }).optional(),
  SecretBinary: z
    .base64({ error: 'must be base64' })
    .max(MOST_BASE64, { error: `must have at most ${MOST_VALUE_BYTES} bytes` })
    .optional(),
};

/** Undefined where none is given. Throws the service's errors; they do not show the value. */
export function givenValue(input: {
  readonly SecretString?: string | undefined;
  readonly SecretBinary?: string | undefined;
}): SecretValue | undefined {
  const { SecretString: text, SecretBinary: base64 } = input;
  if (text !== undefined && base64 !== undefined)
    throw invalidParameter(
      "You can't specify both a binary secret value and a string secret value in the same secret.",
    );
  if (text !== undefined) {
    checkLength('SecretString', Buffer.byteLength(text));
    return { kind: 'string', text: new SecretText(text) };
  }
  if (base64 === undefined) return undefined;
  const bytes = Buffer.from(base64, 'base64');
  checkLength('SecretBinary', bytes.length);
  return { kind: 'binary', text: new SecretText(bytes.toString('base64')) };
}

function checkLength(field: string, bytes: number): void {
  if (bytes < 1 || bytes > MOST_VALUE_BYTES)
    throw invalidParameter(`${field} must have from 1 to ${MOST_VALUE_BYTES} bytes.`);
}

/** SDKs always send one. */
export function neededToken(token: string | undefined): string {
  if (token === undefined)
    throw invalidRequest(
      'You must provide a ClientRequestToken value. We recommend a UUID-type value.',
    );
  return token;
}

export function checkName(name: string): void {
  if (!/^[A-Za-z0-9/_+=.@-]+$/.test(name))
    throw new ApiError(
      'ValidationException',
      'Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!',
    );
}

export function tokenInUse(token: string, arn: string): ApiError {
  return alreadyExists(
    `You can't use ClientRequestToken ${token} because that value is already in use for a version of secret ${arn}.`,
  );
}
