import { z } from 'zod';
import { asResourcePolicy, trustsCaller } from '../../iam/trust-policy.ts';
import { ApiError } from '../api-error.ts';
import { wholeText } from '../fields.ts';
import { validationError } from '../iam/errors.ts';
import { arn, iamOperation, unsupported } from '../iam/fields.ts';
import { sessionArn } from '../iam/key-ring.ts';
import type { IamParts } from '../iam/service.ts';
import type { Call, Operation, Service } from '../service.ts';

const SESSION_SECONDS = 3_600;
/** Of a role that was assumed by somebody who has assumed a role. */
const CHAINED_SECONDS = 3_600;

/** Of a user, at most a day and a half. */
const USER_SECONDS = { usual: 43_200, most: 129_600 } as const;

const NO_SESSION_POLICY = 'a session may do what its role may do';
const NO_CONDITIONS = 'policies have no conditions here that could ask for it';

const wish = z.object({
  RoleArn: arn,
  RoleSessionName: z
    .string()
    .min(2, 'must have at least 2 characters')
    .max(64, 'must have at most 64 characters')
    .regex(
      /^[\w+=,.@-]+$/,
      'must contain only alphanumeric characters and/or the following: +=,.@_-',
    ),
  DurationSeconds: wholeText(900, 43_200).default(SESSION_SECONDS),
  /** What a condition would ask for; without one, AWS takes it and looks at it no further. */
  ExternalId: z.string().max(1_224).optional(),
  Policy: unsupported(NO_SESSION_POLICY),
  PolicyArns: unsupported(NO_SESSION_POLICY),
  Tags: unsupported(NO_CONDITIONS),
  TransitiveTagKeys: unsupported(NO_CONDITIONS),
  SourceIdentity: unsupported(NO_CONDITIONS),
  SerialNumber: unsupported(NO_CONDITIONS),
  TokenCode: unsupported(NO_CONDITIONS),
  ProvidedContexts: unsupported(NO_CONDITIONS),
});

const userWish = z.object({
  DurationSeconds: wholeText(900, USER_SECONDS.most).default(USER_SECONDS.usual),
  SerialNumber: unsupported(NO_CONDITIONS),
  TokenCode: unsupported(NO_CONDITIONS),
});

/** STS: who is calling, and temporary credentials of roles and users. */
export function stsService(parts: IamParts): Service {
  return {
    name: 'sts',
    protocol: {
      kind: 'query',
      version: '2011-06-15',
      namespace: 'https://sts.amazonaws.com/doc/2011-06-15/',
    },
    operations: {
      GetCallerIdentity,
      AssumeRole: assumeRole(parts),
      GetSessionToken: getSessionToken(parts),
    },
    // "No permissions are required to perform this operation", not even where a policy denies it: a refusal would tell the same. Nor
    // does a user's session give more than its user may do.
    open: ['GetCallerIdentity', 'GetSessionToken'],
  };
}

function GetCallerIdentity(_input: unknown, { caller }: Call) {
  return { UserId: caller.userId, Account: caller.account, Arn: caller.arn };
}

function assumeRole({ state, reader }: IamParts): Operation {
  return iamOperation(wish, ({ RoleArn, RoleSessionName, DurationSeconds }, call) => {
    const role = state.identities.byArn(RoleArn);
    const trust = role?.kind === 'role' ? reader.trust(role.trust) : undefined;
    call.authorize('sts:AssumeRole', RoleArn, trust && asResourcePolicy(trust));
    // Nobody is told whether there is such a role.
    if (role?.kind !== 'role' || trust === undefined || !trustsCaller(trust, call.caller))
      throw new ApiError(
        'AccessDenied',
        `User: ${call.caller.arn} is not authorized to perform: sts:AssumeRole on resource: ${RoleArn}`,
        403,
      );
    if (DurationSeconds > role.maxSessionSeconds)
      throw validationError(
        'The requested DurationSeconds exceeds the MaxSessionDuration set for this role.',
      );
    if (call.caller.roleArn !== undefined && DurationSeconds > CHAINED_SECONDS)
      throw validationError(
        'The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.',
      );
    const session = state.sessions.add({
      identityId: role.id,
      name: RoleSessionName,
      expiresMs: call.nowMs + DurationSeconds * 1_000,
      nowMs: call.nowMs,
    });
    return {
      ...credentialsOf(session),
      AssumedRoleUser: {
        AssumedRoleId: `${role.id}:${RoleSessionName}`,
        Arn: sessionArn(state.account, role, RoleSessionName),
      },
    };
  });
}

/** Only for who signs with a key that is not temporary itself, and belongs to a user that the API has made. */
function getSessionToken({ state }: IamParts): Operation {
  return iamOperation(userWish, ({ DurationSeconds }, { caller, nowMs }) => {
    const user = state.keys.find(caller.accessKeyId) && state.identities.byArn(caller.arn);
    if (user?.kind !== 'user')
      throw new ApiError(
        'AccessDenied',
        'Cannot call GetSessionToken with session credentials',
        403,
      );
    const expiresMs = nowMs + DurationSeconds * 1_000;
    return credentialsOf(state.sessions.add({ identityId: user.id, name: '', expiresMs, nowMs }));
  });
}

function credentialsOf(session: ReturnType<IamParts['state']['sessions']['add']>) {
  return {
    Credentials: {
      AccessKeyId: session.accessKeyId,
      SecretAccessKey: session.secretAccessKey.reveal(),
      SessionToken: session.sessionToken.reveal(),
      Expiration: new Date(session.expiresMs),
    },
  };
}
