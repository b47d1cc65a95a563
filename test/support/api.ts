import { systemClock } from '../../src/base/clock.ts';
import type { Clock } from '../../src/base/clock.ts';
import { limits } from '../../src/base/limits.ts';
import { systemRandom } from '../../src/base/random.ts';
import { SecretText } from '../../src/base/secret-text.ts';
import { ApiFront } from '../../src/api/front/front.ts';
import type { RequestInfo } from '../../src/api/front/front.ts';
import type { Service } from '../../src/api/service.ts';
import type { Caller, KeyRing, SigningKey } from '../../src/iam/caller.ts';
import { parsePolicy } from '../../src/iam/policy.ts';
import { listenHttp } from '../../src/net/http.ts';

/** As SDK clients take them. */
export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

export interface OpenApi {
  readonly endpoint: string;
  readonly region: string;
  /** Those of an administrator, who may do everything. */
  readonly credentials: Credentials;
  /** Those of a new user, with this policy document, or of one who may do nothing. */
  as(policy?: unknown, caller?: Partial<Caller>): Credentials;
  /** What no client has been told of. Nearly always a test expects that there is nothing. */
  readonly failures: readonly { readonly error: unknown; readonly about: RequestInfo }[];
  close(): Promise<void>;
}

export const TEST_ACCOUNT = '123456789012';

/** Serves these services on a port of their own: `new RDSClient({ endpoint, region, credentials })`. */
export function openApi({
  services,
  keys,
  region = 'eu-west-1',
  account = TEST_ACCOUNT,
  clock = systemClock,
  bodyLimitBytes,
}: {
  readonly services: readonly Service[];
  /** Where access keys are looked for that are none of ours here. */
  readonly keys?: KeyRing;
  readonly region?: string;
  readonly account?: string;
  readonly clock?: Clock;
  readonly bodyLimitBytes?: number;
}): OpenApi {
  const ring = new TestKeys(account);
  const failures: { readonly error: unknown; readonly about: RequestInfo }[] = [];
  const front = new ApiFront({
    services,
    keys: { find: (accessKeyId) => ring.find(accessKeyId) ?? keys?.find(accessKeyId) },
    region,
    clock,
    random: systemRandom,
    failed: (error, about) => failures.push({ error, about }),
    ...(bodyLimitBytes !== undefined && { bodyLimitBytes }),
  });
  // What is too long is the front's to say.
  const server = listenHttp({ host: '127.0.0.1', port: 0 }, (request) => front.answer(request), {
    bodyLimitBytes: 2 * (bodyLimitBytes ?? limits.apiRequestBytes.value),
  });
  const everything = { Statement: { Effect: 'Allow', Action: '*', Resource: '*' } };
  return {
    endpoint: `http://127.0.0.1:${server.port}`,
    region,
    credentials: ring.add('admin', everything),
    as: (policy, caller) => ring.add('user', policy, caller),
    failures,
    close: () => server.stop(),
  };
}

/** Users that there are only in a test, each with a key. */
export class TestKeys implements KeyRing {
  readonly #account: string;
  readonly #keys = new Map<string, SigningKey>();

  constructor(account = TEST_ACCOUNT) {
    this.#account = account;
  }

  find(accessKeyId: string): SigningKey | undefined {
    return this.#keys.get(accessKeyId);
  }

  /** A user with this policy document, or without one. Their name ends in a number of its own. */
  add(
    name: string,
    policy?: unknown,
    caller: Partial<Caller> = {},
    temporary: { readonly sessionToken?: string; readonly expiresMs?: number } = {},
  ): Credentials {
    const number = String(this.#keys.size + 1).padStart(4, '0');
    const accessKeyId = `AKIATESTTESTTEST${number}`;
    const secretAccessKey = `secret+/of+the+access+key+number+in/all/${number}`;
    const { sessionToken, expiresMs } = temporary;
    this.#keys.set(accessKeyId, {
      secretAccessKey: new SecretText(secretAccessKey),
      ...(sessionToken !== undefined && { sessionToken: new SecretText(sessionToken) }),
      ...(expiresMs !== undefined && { expiresMs }),
      caller: {
        accessKeyId,
        account: this.#account,
        arn: `arn:aws:iam::${this.#account}:user/${name}-${number}`,
        userId: `AIDATESTTESTTEST${number}`,
        policies: policy === undefined ? [] : [parsePolicy(policy)],
        ...caller,
      },
    });
    return { accessKeyId, secretAccessKey, ...(sessionToken !== undefined && { sessionToken }) };
  }
}
