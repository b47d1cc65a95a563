import type { Clock } from '../../base/clock.ts';
import type { Random } from '../../base/random.ts';
import type { SecretText } from '../../base/secret-text.ts';
import { IamState, iamSchema } from '../../state/iam.ts';
import { ProxyStore } from '../../state/proxies.ts';
import { rdsSchema } from '../../state/rds-schema.ts';
import { AesSealer } from '../../state/sealed.ts';
import { loadOrMakeKey } from '../../state/sealing-key.ts';
import { SecretStore, secretsSchema } from '../../state/secrets.ts';
import { Store } from '../../state/store.ts';

export interface DataParts {
  readonly directory: string;
  readonly region: string;
  readonly account: string;
  /** What encrypts secrets, instead of the directory's key file. */
  readonly key: SecretText | undefined;
  readonly clock: Clock;
  readonly random: Random;
}

/** All that the API has made. */
export interface Data {
  readonly store: Store;
  readonly iam: IamState;
  readonly secrets: SecretStore;
  readonly proxies: ProxyStore;
}

/** Opens what is in the data directory, or makes it. Throws an Error where it cannot be used. */
export function openData(parts: DataParts): Data {
  const { directory, region, account, clock, random } = parts;
  const store = Store.open(directory, [iamSchema, secretsSchema, rdsSchema]);
  const sealer = new AesSealer({ ...loadOrMakeKey(directory, random, parts.key), random });
  const place = { region, account };
  return {
    store,
    iam: new IamState(store, { account, sealer, random }),
    secrets: new SecretStore({ store, sealer, random, ...place }),
    proxies: new ProxyStore(store, { ...place, clock, random }),
  };
}
