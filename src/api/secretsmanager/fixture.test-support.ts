import { seededRandom } from '../../base/random.ts';
import type { ResourcePolicy } from '../../iam/resource-policy.ts';
import { AesSealer } from '../../state/sealed.ts';
import { SecretStore, secretsSchema } from '../../state/secrets.ts';
import { Store } from '../../state/store.ts';
import { ApiError } from '../api-error.ts';
import type { Call, Input, Output } from '../service.ts';
import type { RotationOutcome } from './rotation.ts';
import { Rotations } from './rotation.ts';
import type { Rotator } from './rotator.ts';
import { secretsManagerService } from './service.ts';

// What the tests of Secrets Manager share.

export const START_MS = Date.UTC(2026, 5, 1, 12);
export const DAY_MS = 86_400_000;

/** One that knows no databases, and takes every password. */
const noDatabases: Rotator = { setPassword: async () => {}, test: async () => {} };

/** The service over a store of its own, asked without the network. */
export function openService(
  rotator: Rotator | undefined = noDatabases,
  untilHeard: () => Promise<void> = async () => {},
) {
  const random = seededRandom(5);
  const store = Store.inMemory([secretsSchema]);
  const secrets = new SecretStore({
    store,
    sealer: new AesSealer({ key: random.bytes(32), random }),
    random,
    region: 'eu-west-1',
    account: '123456789012',
  });
  const outcomes: RotationOutcome[] = [];
  const report = (outcome: RotationOutcome) => void outcomes.push(outcome);
  const rotations = new Rotations({ secrets, random, rotator, untilHeard, report });
  const { operations } = secretsManagerService({ secrets, random, rotations });
  const asked: string[] = [];
  const policies: (ResourcePolicy | undefined)[] = [];
  const clock = { nowMs: START_MS };
  const denied = new Set<string>();
  let requests = 0;

  const call = (): Call => ({
    caller: {
      accessKeyId: 'AKIA',
      account: '123456789012',
      arn: 'arn:aws:iam::123456789012:user/tester',
      userId: 'AIDA',
      policies: [],
    },
    requestId: 'request',
    nowMs: clock.nowMs,
    authorize(action, resource, policy) {
      asked.push(`${action} ${resource}`);
      policies.push(policy);
      if (denied.has(action)) throw new ApiError('AccessDeniedException', 'denied');
    },
  });

  return {
    secrets,
    store,
    rotations,
    operations,
    outcomes,
    /** Actions and resources that were asked about. */
    asked,
    policies,
    /** Actions that are not allowed. */
    denied,
    clock,
    /** Calls an operation, with a request token where none is given. */
    async ask(name: string, input: Input = {}): Promise<Output> {
      const operation = operations[name];
      if (operation === undefined) throw new Error(`there is no operation ${name}`);
      requests += 1;
      return operation({ ClientRequestToken: tokenOf(requests), ...input }, call());
    },
  };
}

/** A request token, always the same for a number. */
export function tokenOf(number: number): string {
  return `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;
}
