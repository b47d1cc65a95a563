import { z } from 'zod';
import type { Caller } from '../../iam/caller.ts';
import type { ResourcePolicy } from '../../iam/resource-policy.ts';
import type { SecretStore } from '../../state/secrets.ts';
import { ApiError } from '../api-error.ts';
import type { Operation } from '../service.ts';
import { operation } from '../service.ts';
import { permitted, permittedAlive, readPolicy } from './access.ts';
import { flagField, secretId, textField } from './fields.ts';
import { violation } from './problems.ts';

const policyText = textField(1, 20_480);

export function policyOperations(secrets: SecretStore): Readonly<Record<string, Operation>> {
  return {
    GetResourcePolicy: operation(
      z.object({ SecretId: secretId }),
      ({ SecretId }, call) => {
        const { arn, name, policy } = permitted(secrets, call, 'GetResourcePolicy', SecretId);
        return { ARN: arn, Name: name, ResourcePolicy: policy };
      },
      violation,
    ),

    PutResourcePolicy: operation(
      z.object({
        SecretId: secretId,
        ResourcePolicy: policyText,
        BlockPublicPolicy: flagField(),
      }),
      ({ SecretId, ResourcePolicy: policy, BlockPublicPolicy }, call) => {
        const secret = permittedAlive(secrets, call, 'PutResourcePolicy', SecretId);
        if (isPublic(readPolicy(policy)) && BlockPublicPolicy === true)
          throw new ApiError('PublicPolicyException', PUBLIC);
        secrets.save({ ...secret, policy, changedMs: call.nowMs });
        return { ARN: secret.arn, Name: secret.name };
      },
      violation,
    ),

    DeleteResourcePolicy: operation(
      z.object({ SecretId: secretId }),
      ({ SecretId }, call) => {
        const secret = permittedAlive(secrets, call, 'DeleteResourcePolicy', SecretId);
        secrets.save({ ...secret, policy: undefined, changedMs: call.nowMs });
        return { ARN: secret.arn, Name: secret.name };
      },
      violation,
    ),

    ValidateResourcePolicy: operation(
      z.object({ SecretId: secretId.optional(), ResourcePolicy: policyText }),
      ({ SecretId, ResourcePolicy }, call) => {
        if (SecretId === undefined) call.authorize('secretsmanager:ValidateResourcePolicy', '*');
        else permitted(secrets, call, 'ValidateResourcePolicy', SecretId);
        const problems = problemsOf(ResourcePolicy);
        return { PolicyValidationPassed: problems.length === 0, ValidationErrors: problems };
      },
      violation,
    ),
  };
}

const PUBLIC =
  'The resource policy gives access to everybody: name accounts, users or roles as principals instead of *.';

function problemsOf(text: string): readonly { CheckName: string; ErrorMessage: string }[] {
  try {
    return isPublic(readPolicy(text)) ? [{ CheckName: 'PUBLIC_POLICY', ErrorMessage: PUBLIC }] : [];
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return [{ CheckName: 'POLICY_SYNTAX', ErrorMessage: why }];
  }
}

/** Of no account that there is: a policy that is about them is about everybody. */
const stranger: Caller = {
  accessKeyId: '',
  account: '000000000000',
  arn: 'arn:aws:iam::000000000000:user/somebody',
  userId: '',
  policies: [],
};

function isPublic({ statements }: ResourcePolicy): boolean {
  return statements.some(({ effect, isAbout }) => effect === 'Allow' && isAbout(stranger));
}
