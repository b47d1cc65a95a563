import type { IamState } from '../../state/iam.ts';
import type { Service } from '../service.ts';
import { accessKeyOperations } from './access-keys.ts';
import { Desk } from './desk.ts';
import type { PolicyReader } from './documents.ts';
import { attachmentOperations, inlinePolicyOperations } from './identity-policies.ts';
import { policyOperations } from './policies.ts';
import { policyVersionOperations } from './policy-versions.ts';
import { roleOperations } from './roles.ts';
import { simulateOperations } from './simulate.ts';
import { tagOperations } from './tags.ts';
import { userOperations } from './users.ts';

export interface IamParts {
  readonly state: IamState;
  readonly reader: PolicyReader;
}

/** IAM, as far as it says who may use proxies, secrets and databases, and as tools that manage it ask for it. */
export function iamService({ state, reader }: IamParts): Service {
  const desk = new Desk(state);
  return {
    name: 'iam',
    protocol: {
      kind: 'query',
      version: '2010-05-08',
      namespace: 'https://iam.amazonaws.com/doc/2010-05-08/',
    },
    operations: {
      ...userOperations(desk),
      ...accessKeyOperations(desk),
      ...roleOperations(desk),
      ...inlinePolicyOperations(desk, 'user'),
      ...inlinePolicyOperations(desk, 'role'),
      ...attachmentOperations(desk, 'user'),
      ...attachmentOperations(desk, 'role'),
      ...policyOperations(desk),
      ...policyVersionOperations(desk),
      ...tagOperations(desk),
      ...simulateOperations(desk, reader),
    },
  };
}
