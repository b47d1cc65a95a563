import { z } from 'zod';
import { SecretText } from '../../base/secret-text.ts';
import type { RotationSettings, SecretValue } from '../../state/secrets.ts';
import { invalidRequest } from './problems.ts';
import type { Login, RotationTarget } from './rotator.ts';

/** What a rotatable secret holds: what is known of it, and the whole, so that nothing is lost. */
export interface RotatableFields {
  readonly login: Login;
  readonly target: RotationTarget;
  /** The secret of a superuser. */
  readonly masterArn: string | undefined;
  readonly all: Readonly<Record<string, unknown>>;
}

export type Strategy = 'single' | 'alternating';

const CLONE = '_clone';

/** The longest name that every database takes: MySQL's. */
const MOST_USERNAME = 32;

const fields = z.looseObject({
  engine: z.string().min(1),
  host: z.string().min(1),
  username: z.string().min(1),
  password: z.string().min(1),
  masterarn: z.string().min(1).optional(),
});

/** Throws InvalidRequestException, which shows nothing of what is in it. */
export function readFields(value: SecretValue, what: string): RotatableFields {
  const parsed = fields.safeParse(value.kind === 'string' ? parseJson(value.text) : undefined);
  if (!parsed.success) {
    const names = parsed.error.issues.map(({ path }) => path.join('.')).filter((name) => name);
    const missing = names.length === 0 ? '' : ` (look at ${names.join(', ')})`;
    throw invalidRequest(
      `${what} cannot be rotated: its SecretString must be a JSON object with the texts engine, host, username and password${missing}.`,
    );
  }
  const { username, password, masterarn, ...rest } = parsed.data;
  const texts = Object.entries(rest).flatMap(([name, one]) =>
    typeof one === 'string' || typeof one === 'number' ? [[name, String(one)] as const] : [],
  );
  return {
    login: { username, password: new SecretText(password) },
    target: Object.fromEntries(texts),
    masterArn: masterarn,
    all: parsed.data,
  };
}

function parseJson(text: SecretText): unknown {
  try {
    return JSON.parse(text.reveal());
  } catch {
    return undefined;
  }
}

/** The ARN of AWS's kind decides; without one, whether the secret names a superuser's. */
export function strategyOf(current: RotatableFields, lambdaArn: string | undefined): Strategy {
  if (lambdaArn?.endsWith(':SluiceSingleUserRotation') === true) return 'single';
  if (current.masterArn !== undefined) return 'alternating';
  if (lambdaArn === undefined) return 'single';
  throw invalidRequest(
    'Alternating users need a superuser: put the ARN of its secret into the secret as masterarn.',
  );
}

/** Who has the new password. Throws InvalidRequestException where the name becomes too long. */
export function nextUsername(strategy: Strategy, username: string): string {
  if (strategy === 'single') return username;
  if (username.endsWith(CLONE)) return originalOf(username);
  if (username.length + CLONE.length > MOST_USERNAME)
    throw invalidRequest(
      `Unable to clone user: with ${CLONE} behind it the username would have more than ${MOST_USERNAME} characters.`,
    );
  return username + CLONE;
}

/** Of a user and their clone, the user. */
export function originalOf(username: string): string {
  return username.endsWith(CLONE) ? username.slice(0, -CLONE.length) : username;
}

/** The secret with another login, all else as it was. */
export function withLogin(current: RotatableFields, { username, password }: Login): SecretValue {
  const text = JSON.stringify({ ...current.all, username, password: password.reveal() });
  return { kind: 'string', text: new SecretText(text) };
}

/**
 * What a superuser is to be asked for, where it takes one. Throws InvalidRequestException where it is something else than what
 * somebody who may read the superuser's secret has agreed to: who may change a secret must not have a superuser change the
 * passwords of others by it.
 */
export function checkAgreed(current: RotatableFields, agreed: RotationSettings['superuser']): void {
  if (
    agreed?.secretArn !== current.masterArn ||
    agreed?.user !== originalOf(current.login.username)
  )
    throw invalidRequest(
      'The secret names another masterarn or another user than when its rotation was set up: call RotateSecret again.',
    );
}

/** A superuser's password must not be sent to a database that it is not of. */
export function checkSameServer(current: RotatableFields, other: RotatableFields): void {
  for (const name of ['host', 'port', 'engine'])
    if (current.target[name] !== other.target[name])
      throw invalidRequest(
        `The secrets of this rotation are of different databases: ${name} must be the same in all of them.`,
      );
}
