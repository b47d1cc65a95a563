import { z } from 'zod';
import { flagText, memberList, wholeText } from '../fields.ts';
import {
  clientPasswordAuthType,
  defaultAuthSchemes,
  endpointNetworkTypes,
  endpointRoles,
  engineFamilies,
  iamAuthModes,
  targetNetworkTypes,
} from '../../state/rds-types.ts';

// The parameters of the operations, each with AWS's limits.

const MOST_AUTH_ENTRIES = 200;
const MOST_IDS = 100;
const MOST_TAGS = 50;
const LONGEST_INIT_QUERY = 16_384;

const NOT_AN_IDENTIFIER =
  'is not a valid identifier. Identifiers must begin with a letter; must contain only ASCII letters, digits, and hyphens; and must not end with a hyphen or contain two consecutive hyphens.';

/** The name of something that is made: at most 63 characters. */
export const identifier = z
  .string()
  .max(63, { error: 'must not be longer than 63 characters' })
  .regex(/^[a-zA-Z](?:-?[a-zA-Z0-9]+)*$/, { error: NOT_AN_IDENTIFIER });

/** A name to look up: what could not be made is not found. */
export const reference = z.string().min(1, { error: 'must not be empty' }).max(255, {
  error: 'must not be longer than 255 characters',
});

export function oneOf<const Values extends readonly [string, ...string[]]>(values: Values) {
  return z.enum(values, { error: `must be ${values.join(' or ')}` });
}

const id = z
  .string()
  .regex(/^[\w:/.-]{1,255}$/, { error: 'must be an id, as in subnet-0123456789abcdef0' });
export const ids = memberList(id, { most: MOST_IDS });

export const roleArn = z
  .string()
  .min(20, { error: 'must be an ARN of 20 to 2048 characters' })
  .max(2048, { error: 'must be an ARN of 20 to 2048 characters' })
  .regex(/^arn:aws[\w-]*:iam::\d{12}:role\/[\w+=,.@/-]+$/, {
    error: 'must be the ARN of an IAM role, as in arn:aws:iam::123456789012:role/proxy',
  });

const secretArn = z
  .string()
  .min(20, { error: 'must be an ARN of 20 to 2048 characters' })
  .max(2048, { error: 'must be an ARN of 20 to 2048 characters' })
  .regex(/^arn:aws[\w-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:[\w/+=.@!-]+$/, {
    error:
      'must be the ARN of a secret, as in arn:aws:secretsmanager:us-east-1:123456789012:secret:app-AbCdEf',
  });

const authEntry = z.object({
  Description: z
    .string()
    .regex(/^[^\0]{1,1000}$/, { error: 'must have 1 to 1000 characters' })
    .optional(),
  UserName: z.string().optional(),
  AuthScheme: oneOf(['SECRETS']).optional(),
  SecretArn: secretArn,
  IAMAuth: oneOf(iamAuthModes).optional(),
  ClientPasswordAuthType: z
    .enum(clientPasswordAuthType.options, {
      error: `must be one of ${clientPasswordAuthType.options.join(', ')}`,
    })
    .optional(),
});
export type AuthInput = z.output<typeof authEntry>;

const tag = z.object({ Key: z.string(), Value: z.string().optional() });
export type TagInput = z.output<typeof tag>;
/** What tags may be called is for `readTags` to say. */
export const tags = memberList(tag, { name: 'Tag', most: MOST_TAGS });

const alterable = {
  DefaultAuthScheme: oneOf(defaultAuthSchemes).optional(),
  Auth: memberList(authEntry, { most: MOST_AUTH_ENTRIES }),
  RequireTLS: flagText().optional(),
  IdleClientTimeout: wholeText(1, 28_800).optional(),
  DebugLogging: flagText().optional(),
};

export const createProxyInput = z.object({
  ...alterable,
  DBProxyName: identifier,
  EngineFamily: oneOf(engineFamilies),
  RoleArn: roleArn,
  VpcSubnetIds: memberList(id, { most: MOST_IDS }).unwrap(),
  VpcSecurityGroupIds: ids,
  Tags: tags,
  EndpointNetworkType: oneOf(endpointNetworkTypes).optional(),
  TargetConnectionNetworkType: oneOf(targetNetworkTypes).optional(),
});
export type CreateProxyInput = z.output<typeof createProxyInput>;

export const modifyProxyInput = z.object({
  ...alterable,
  DBProxyName: reference,
  NewDBProxyName: identifier.optional(),
  RoleArn: roleArn.optional(),
  /** Called differently than when it is created. */
  SecurityGroups: ids,
});
export type ModifyProxyInput = z.output<typeof modifyProxyInput>;

const percent = (least: number) => wholeText(least, 100).optional();

export const modifyGroupInput = z.object({
  DBProxyName: reference,
  TargetGroupName: reference,
  NewName: z.string().optional(),
  ConnectionPoolConfig: z
    .object(
      {
        MaxConnectionsPercent: percent(1),
        MaxIdleConnectionsPercent: percent(0),
        ConnectionBorrowTimeout: wholeText(0, 300).optional(),
        SessionPinningFilters: memberList(oneOf(['EXCLUDE_VARIABLE_SETS'])),
        InitQuery: z
          .string()
          .max(LONGEST_INIT_QUERY, {
            error: `must not be longer than ${LONGEST_INIT_QUERY} characters`,
          })
          .regex(/^[^\0]*$/, { error: 'must not hold NUL characters' })
          .optional(),
      },
      { error: 'must be a structure' },
    )
    .optional(),
});
export type PoolInput = NonNullable<z.output<typeof modifyGroupInput>['ConnectionPoolConfig']>;

export const targetsInput = z.object({
  DBProxyName: reference,
  TargetGroupName: reference.optional(),
  DBInstanceIdentifiers: memberList(reference, { most: MOST_IDS }),
  DBClusterIdentifiers: memberList(reference, { most: MOST_IDS }),
});
export type TargetsInput = z.output<typeof targetsInput>;

export const createEndpointInput = z.object({
  DBProxyName: reference,
  DBProxyEndpointName: identifier,
  VpcSubnetIds: memberList(id, { most: MOST_IDS }).unwrap(),
  VpcSecurityGroupIds: ids,
  TargetRole: oneOf(endpointRoles).optional(),
  Tags: tags,
  EndpointNetworkType: oneOf(endpointNetworkTypes).optional(),
});
export type CreateEndpointInput = z.output<typeof createEndpointInput>;
