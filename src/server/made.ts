import type { KeyRing, SigningKey } from '../iam/caller.ts';
import type { SecretSource, SecretValue } from '../secrets/source.ts';
import type { Settings } from './settings/settings.ts';

/** What does not stand in the settings file: the API has made it, and may change it at any time. */
export interface Made {
  /** The settings, with the proxies and databases that the API has made. */
  merge(settings: Settings): Settings;
  readonly keys: KeyRing;
  /** Secrets by their ARNs, read as this role. */
  secretsOf(roleArn: string | undefined): SecretSource;
}

/** Keys that the settings declare, and those that the API has made. */
export class EitherKeys implements KeyRing {
  readonly #rings: readonly KeyRing[];

  constructor(...rings: readonly KeyRing[]) {
    this.#rings = rings;
  }

  find(accessKeyId: string): SigningKey | undefined {
    for (const ring of this.#rings) {
      const key = ring.find(accessKeyId);
      if (key !== undefined) return key;
    }
    return undefined;
  }
}

/** Secrets that the settings declare, by their names, and those that the API keeps, by their ARNs. */
export class EitherSecrets implements SecretSource {
  readonly #declared: SecretSource;
  readonly #kept: SecretSource | undefined;

  constructor(declared: SecretSource, kept: SecretSource | undefined) {
    this.#declared = declared;
    this.#kept = kept;
  }

  async current(name: string): Promise<SecretValue> {
    return await this.#of(name).current(name);
  }

  async refresh(name: string): Promise<SecretValue> {
    return await this.#of(name).refresh(name);
  }

  #of(name: string): SecretSource {
    if (!name.startsWith('arn:')) return this.#declared;
    if (this.#kept !== undefined) return this.#kept;
    throw new Error(
      `the secret "${name}" is kept by the API, which needs \`sluice serve --data-dir\``,
    );
  }
}
