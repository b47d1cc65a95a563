import { IAMClient } from '@aws-sdk/client-iam';
import { STSClient } from '@aws-sdk/client-sts';
import { IamKeyRing } from '../../../src/api/iam/key-ring.ts';
import { PolicyReader } from '../../../src/api/iam/documents.ts';
import { iamService } from '../../../src/api/iam/service.ts';
import { ServiceRoles } from '../../../src/api/iam/service-roles.ts';
import { stsService } from '../../../src/api/sts/service.ts';
import type { Clock } from '../../../src/base/clock.ts';
import { systemRandom } from '../../../src/base/random.ts';
import { iamSchema, IamState } from '../../../src/state/iam.ts';
import { AesSealer, KEY_BYTES } from '../../../src/state/sealed.ts';
import { Store } from '../../../src/state/store.ts';
import type { Credentials } from '../../support/api.ts';
import { openApi, TEST_ACCOUNT } from '../../support/api.ts';

/** IAM and STS at a port of their own, and clients of the AWS SDK. */
export function openIam({ clock }: { readonly clock?: Clock } = {}) {
  const store = Store.inMemory([iamSchema]);
  const sealer = new AesSealer({ key: new Uint8Array(KEY_BYTES), random: systemRandom });
  const state = new IamState(store, { account: TEST_ACCOUNT, sealer, random: systemRandom });
  const parts = { state, reader: new PolicyReader() };
  const keys = new IamKeyRing(parts);
  const api = openApi({
    services: [iamService(parts), stsService(parts)],
    keys,
    ...(clock !== undefined && { clock }),
  });
  const { endpoint, region } = api;
  const options = (credentials: Credentials) => ({
    endpoint,
    region,
    credentials,
    maxAttempts: 1,
  });
  return {
    api,
    keys,
    state,
    roles: new ServiceRoles(parts),
    iam: (credentials = api.credentials) => new IAMClient(options(credentials)),
    sts: (credentials = api.credentials) => new STSClient(options(credentials)),
    async close() {
      await api.close();
      store.close();
    },
  };
}

/** The error's code, status and words; fails where there is none. */
export async function errorOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    const { name, message, $metadata } = Object(error);
    return `${$metadata?.httpStatusCode} ${name}: ${message}`;
  }
  throw new Error('there was no error');
}

/** Documents are answered encoded. */
export function decoded(text: string | undefined): unknown {
  return JSON.parse(decodeURIComponent(text ?? ''));
}
