import type { z } from 'zod';
import type { Caller } from '../iam/caller.ts';
import type { ResourcePolicy } from '../iam/resource-policy.ts';
import { ApiError } from './api-error.ts';

/** What is asked, as JSON has it, or as a form of the Query protocol says it (`readForm`). */
export type Input = Readonly<Record<string, unknown>>;

/**
 * What is answered. Members that are undefined are left out. In the Query protocol a list stands within an object that names its
 * elements: `{ DBProxies: { member: [a, b] } }`; a Date is a timestamp in both.
 */
export type Output = Readonly<Record<string, unknown>>;

/** One request, once it is known who has signed it. */
export interface Call {
  readonly caller: Caller;
  readonly requestId: string;
  /** Milliseconds since 1970. */
  readonly nowMs: number;
  /**
   * Throws the service's AccessDenied unless the caller's policies allow the action, such as `rds:CreateDBProxy`, on the resource, an
   * ARN or `*`; the policy of the resource may allow it, too, and may deny it. Every operation calls it before it tells of anything
   * or changes anything; one that does not is a bug.
   */
  authorize(action: string, resource: string, policy?: ResourcePolicy): void;
}

export type Operation = (input: Input, call: Call) => Output | Promise<Output>;

/** One AWS service. Requests come to it by the name in their signature's scope. */
export interface Service {
  /** `rds`, `secretsmanager`, `iam`, `sts`. */
  readonly name: string;
  readonly protocol:
    | { readonly kind: 'query'; readonly version: string; readonly namespace: string }
    /** JSON 1.1, with `X-Amz-Target: prefix.Operation`. */
    | { readonly kind: 'json'; readonly targetPrefix: string };
  /** By AWS's name, such as `CreateDBProxy`. */
  readonly operations: Readonly<Record<string, Operation>>;
  /** Operations that anybody who can sign may use: they alone need not call `authorize`. */
  readonly open?: readonly string[];
}

/** What a field is called, and what is wrong with it. */
export interface Complaint {
  /** Such as `Auth.1.SecretArn`; empty for the whole. */
  readonly field: string;
  /** Completes a sentence that begins with the field's name: `must be …`, `is missing`. */
  readonly what: string;
  readonly isMissing: boolean;
}

/** An operation whose input is held to a schema first. `complain` says what is wrong in the service's words. */
export function operation<Schema extends z.ZodType>(
  schema: Schema,
  run: (input: z.output<Schema>, call: Call) => Output | Promise<Output>,
  complain: (complaint: Complaint) => ApiError = validationError,
): Operation {
  return (input, call) => {
    const parsed = schema.safeParse(input);
    if (parsed.success) return run(parsed.data, call);
    const [issue] = parsed.error.issues;
    const field = (issue?.path ?? [])
      .filter((step) => step !== 'member')
      .map(stepText)
      .join('.');
    const isMissing =
      (issue?.code === 'invalid_type' || issue?.code === 'invalid_value') &&
      valueAt(input, issue.path) === undefined;
    throw complain({ field, what: isMissing ? 'is missing' : (issue?.message ?? ''), isMissing });
  };
}

/** Lists are counted from one, as in the Query protocol. */
function stepText(step: PropertyKey): string {
  return typeof step === 'number' ? String(step + 1) : String(step);
}

function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, step) =>
      typeof value === 'object' && value !== null ? Reflect.get(value, step) : undefined,
    input,
  );
}

function validationError({ field, what }: Complaint): ApiError {
  return new ApiError('ValidationError', field === '' ? what : `The parameter ${field} ${what}.`);
}
