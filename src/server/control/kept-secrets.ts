import type { ServiceRoles } from '../../api/iam/service-roles.ts';
import { parseResourcePolicy } from '../../iam/resource-policy.ts';
import { loginIn, valueIn } from '../../secrets/secret-version.ts';
import { SecretDenied } from '../../secrets/source.ts';
import type { SecretSource, SecretValue } from '../../secrets/source.ts';
import type { SecretStore } from '../../state/secrets.ts';

/** As whom a proxy assumes its role. */
export const SERVICE = 'rds.amazonaws.com';
const READ = 'secretsmanager:GetSecretValue';

/** Secrets that the API keeps, by ARN, read as a proxy's role and with no more than that may read. */
export class KeptSecrets implements SecretSource {
  readonly #secrets: SecretStore;
  readonly #roles: ServiceRoles;
  readonly #roleArn: string | undefined;

  constructor(secrets: SecretStore, roles: ServiceRoles, roleArn: string | undefined) {
    this.#secrets = secrets;
    this.#roles = roles;
    this.#roleArn = roleArn;
  }

  // It is as near as memory would be.
  async current(arn: string): Promise<SecretValue> {
    return this.#read(arn);
  }

  async refresh(arn: string): Promise<SecretValue> {
    return this.#read(arn);
  }

  #read(arn: string): SecretValue {
    this.#ask(arn);
    const current = this.#secrets.valueOf(arn, 'AWSCURRENT');
    if (current === undefined) throw new SecretDenied(`There is no secret with the ARN ${arn}`);
    const value = valueIn(arn, current);
    const former = this.#secrets.valueOf(arn, 'AWSPREVIOUS');
    const previous = loginIn(former);
    const endedMs = former?.sinceMs;
    const pending = loginIn(this.#secrets.valueOf(arn, 'AWSPENDING'));
    return {
      ...value,
      ...(previous && { previous: { ...previous, ...(endedMs !== undefined && { endedMs }) } }),
      ...(pending && { pending }),
    };
  }

  #ask(arn: string): void {
    const roleArn = this.#roleArn ?? '';
    if (roleArn === '')
      throw new SecretDenied(`The proxy has no role to read the secret ${arn} as`);
    const policy = this.#secrets.find(arn)?.policy;
    const decision = this.#roles.decide(
      roleArn,
      SERVICE,
      READ,
      arn,
      policy === undefined ? undefined : parseResourcePolicy(JSON.parse(policy)),
    );
    if (!decision.ok) throw new SecretDenied(decision.why);
  }
}
