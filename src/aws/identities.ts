import type { fromNodeProviderChain as chain } from '@aws-sdk/credential-providers';
import type { Clock } from '../base/clock.ts';
import type { AwsSettings } from './client.ts';

type Credentials = Awaited<ReturnType<ReturnType<typeof chain>>>;
export type CredentialProvider = () => Promise<Credentials>;

/** Temporary credentials are replaced so long before their end: AWS's own tools do the same. */
const AHEAD_MS = 300_000;
const SESSION = 'sluice';

interface Requests {
  readonly maxAttempts: number;
  readonly requestHandler: object;
}

/** As whom AWS is asked: what the SDK's own chain of providers finds, and roles that are assumed from there. */
export class Identities {
  readonly #settings: AwsSettings;
  readonly #requests: Requests;
  readonly #clock: Clock;
  /** By role. */
  readonly #providers = new Map<string | undefined, CredentialProvider>();

  constructor(settings: AwsSettings, requests: Requests, clock: Clock) {
    this.#settings = settings;
    this.#requests = requests;
    this.#clock = clock;
  }

  /** The account's own identity, or this role's, assumed by it. */
  async as(roleArn: string | undefined): Promise<CredentialProvider> {
    const { fromNodeProviderChain, fromTemporaryCredentials } =
      await import('@aws-sdk/credential-providers');
    const { region, profile, roleArn: ownRole, endpoints } = this.#settings;
    const assume = (RoleArn: string, masterCredentials: CredentialProvider): CredentialProvider =>
      remembered(
        fromTemporaryCredentials({
          params: { RoleArn, RoleSessionName: SESSION },
          masterCredentials,
          clientConfig: {
            ...this.#requests,
            region,
            ...(endpoints.sts !== undefined && { endpoint: endpoints.sts }),
          },
        }),
        this.#clock,
      );
    const own = this.#provider(undefined, () => {
      // Files are read again when somebody has been refused by what stood in them.
      const found = fromNodeProviderChain({
        ignoreCache: true,
        clientConfig: { region },
        ...(profile !== undefined && { profile }),
      });
      return ownRole === undefined ? found : assume(ownRole, found);
    });
    if (roleArn === undefined || roleArn === ownRole) return own;
    return this.#provider(roleArn, () => assume(roleArn, own));
  }

  forget(): void {
    this.#providers.clear();
  }

  #provider(roleArn: string | undefined, make: () => CredentialProvider): CredentialProvider {
    const found = this.#providers.get(roleArn) ?? make();
    this.#providers.set(roleArn, found);
    return found;
  }
}

/** Asks once for all who want them at the same time, and again shortly before they end. */
function remembered(provider: CredentialProvider, clock: Clock): CredentialProvider {
  let kept: Promise<Credentials> | undefined;
  let untilMs = Infinity;
  return async () => {
    if (clock.wallMs() >= untilMs) kept = undefined;
    kept ??= provider();
    try {
      const credentials = await kept;
      untilMs = (credentials.expiration?.getTime() ?? Infinity) - AHEAD_MS;
      return credentials;
    } catch (error) {
      kept = undefined;
      throw error;
    }
  };
}
