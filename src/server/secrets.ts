import type { AwsAccount } from '../aws/account.ts';
import type { SecretSource, SecretValue } from '../secrets/source.ts';
import { SecretDenied } from '../secrets/source.ts';
import type { Made } from './made.ts';

const READ = 'secretsmanager:GetSecretValue';

interface Sources {
  /** By their names. */
  readonly declared: SecretSource;
  /** Those that are declared to be at AWS: their ARNs or names there, by their names here. */
  readonly awsSecrets: ReadonlyMap<string, string>;
  readonly made: Made | undefined;
  readonly aws: AwsAccount | undefined;
}

/** All secrets of one proxy: declared ones go by their names, those of the API and of AWS by their ARNs. */
export class ProxySecrets implements SecretSource {
  readonly #sources: Sources;
  readonly #roleArn: string | undefined;
  readonly #kept: SecretSource | undefined;

  /** @param roleArn as whom the proxy reads what is not its settings' own */
  constructor(sources: Sources, roleArn: string | undefined) {
    this.#sources = sources;
    this.#roleArn = roleArn;
    this.#kept = sources.made?.secretsOf(roleArn);
  }

  async current(name: string): Promise<SecretValue> {
    const { source, id } = this.#find(name);
    return await source.current(id);
  }

  async refresh(name: string, cause?: 'refusal'): Promise<SecretValue> {
    const { source, id } = this.#find(name);
    return await source.refresh(id, cause);
  }

  #find(name: string): { readonly source: SecretSource; readonly id: string } {
    const { declared, awsSecrets, made, aws } = this.#sources;
    const atAws = awsSecrets.get(name);
    if (atAws !== undefined) {
      if (aws === undefined) throw new Error(`The secret "${name}" is at AWS: ${NO_AWS}`);
      return { source: aws.secretsAs(awsRole(made, this.#roleArn)), id: atAws };
    }
    if (!name.startsWith('arn:')) return { source: declared, id: name };
    const isKept = made?.keepsSecret(name) === true;
    if (this.#kept !== undefined && (isKept || aws === undefined))
      return { source: this.#kept, id: name };
    if (aws === undefined)
      throw new Error(
        `the secret "${name}" is kept by the API, which needs \`sluice serve --data-dir\``,
      );
    // Who may make proxies gets no more of AWS by that than the role that they may pass is allowed.
    const why = denial(made, this.#roleArn, READ, name);
    if (why !== undefined) throw new SecretDenied(why);
    return { source: aws.secretsAs(awsRole(made, this.#roleArn)), id: name };
  }
}

/** Why nothing can be had from there. */
export const NO_AWS = 'the settings have no `aws`';

/** Why the role may not do this; undefined where it may, and where it is none of ours: AWS judges then. */
export function denial(
  made: Made | undefined,
  roleArn: string | undefined,
  action: string,
  resource: string,
): string | undefined {
  if (made === undefined || roleArn === undefined || !made.hasRole(roleArn)) return undefined;
  const decision = made.decide(roleArn, action, resource);
  return decision.ok ? undefined : decision.why;
}

/** The role to assume at AWS, which knows none that the API has made. */
export function awsRole(made: Made | undefined, roleArn: string | undefined): string | undefined {
  return roleArn === undefined || made?.hasRole(roleArn) === true ? undefined : roleArn;
}
