import type { Random } from '../../base/random.ts';
import type { SecretStore } from '../../state/secrets.ts';
import type { Service } from '../service.ts';
import { lifecycleOperations } from './lifecycle.ts';
import { listingOperations } from './listing.ts';
import { policyOperations } from './policies.ts';
import { passwordOperations } from './random-password.ts';
import { rotationOperations } from './rotation-operations.ts';
import type { Rotations } from './rotation.ts';
import { tagOperations } from './tags.ts';
import { valueOperations } from './values.ts';

/**
 * AWS Secrets Manager. Whoever wires it calls `secrets.purge` and `rotations.runDue` about every minute.
 * @param parts.rotations without it RotateSecret is refused
 */
export function secretsManagerService(parts: {
  readonly secrets: SecretStore;
  readonly random: Random;
  readonly rotations?: Rotations;
}): Service {
  const { secrets, random, rotations } = parts;
  return {
    name: 'secretsmanager',
    protocol: { kind: 'json', targetPrefix: 'secretsmanager' },
    operations: {
      ...lifecycleOperations(secrets),
      ...valueOperations(secrets),
      ...listingOperations(secrets),
      ...tagOperations(secrets),
      ...policyOperations(secrets),
      ...passwordOperations(random),
      ...rotationOperations(secrets, rotations),
    },
  };
}
