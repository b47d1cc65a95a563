import type { DBInstance, RDSClient } from '@aws-sdk/client-rds';
import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { Clock } from '../base/clock.ts';
import { SecretText } from '../base/secret-text.ts';
import { Identities } from './identities.ts';
import type { Asked } from './problem.ts';
import { AwsProblem, problemOf } from './problem.ts';

// The SDK is loaded when it is first needed, service by service: those who have nothing at AWS neither wait for it nor keep it in memory.

export interface AwsSettings {
  readonly region: string;
  /** Of the shared configuration files; undefined for the one that the environment names, or `default`. */
  readonly profile: string | undefined;
  /** A role to be assumed for all that is asked of AWS. */
  readonly roleArn: string | undefined;
  /** URLs instead of AWS's own. */
  readonly endpoints: {
    readonly secretsManager: string | undefined;
    readonly rds: string | undefined;
    readonly sts: string | undefined;
  };
  /** How often what has been read is read again. */
  readonly refreshMs: number;
  /** The database user as whom targets are watched where there is no secret. */
  readonly watchUser: string | undefined;
}

/** A version of a secret. */
export interface SecretVersion {
  readonly id: string;
  readonly text: SecretText;
  /** Milliseconds since 1970. */
  readonly createdMs: number | undefined;
}

export type SecretStage = 'AWSCURRENT' | 'AWSPENDING' | 'AWSPREVIOUS';

/** A DB instance, as far as it matters here. */
export interface AwsInstance {
  readonly identifier: string;
  /** AWS's word, such as `aurora-postgresql`. */
  readonly engine: string;
  /** Undefined while it is being made. */
  readonly host: string | undefined;
  readonly port: number | undefined;
  /** `db-…` */
  readonly resourceId: string;
  /** The cluster that it is a member of. */
  readonly cluster: string | undefined;
}

export interface AwsCluster {
  readonly identifier: string;
  readonly engine: string;
  /** Where its writer is, whoever that is at the moment. */
  readonly host: string | undefined;
  readonly port: number | undefined;
  /** `cluster-…` */
  readonly resourceId: string;
  readonly members: readonly { readonly identifier: string; readonly isWriter: boolean }[];
}

/** What is asked of AWS. Everything rejects with an `AwsProblem` where it cannot be answered. */
export interface AwsClient {
  /** Undefined where the secret has no version of this stage. @param roleArn as whom; undefined for the account's own identity */
  secret(
    id: string,
    stage: SecretStage,
    roleArn: string | undefined,
  ): Promise<SecretVersion | undefined>;
  instance(identifier: string): Promise<AwsInstance>;
  cluster(identifier: string): Promise<AwsCluster>;
  /** The members that have an address, in no order. */
  instancesOf(cluster: string): Promise<readonly AwsInstance[]>;
  /** An IAM token for a database, good for fifteen minutes. */
  token(
    to: { readonly host: string; readonly port: number; readonly user: string },
    roleArn: string | undefined,
  ): Promise<SecretText>;
}

/** Long enough for another continent, short enough for those who wait at the start. */
const REQUESTS = {
  maxAttempts: 2,
  requestHandler: {
    connectionTimeout: 2_000,
    requestTimeout: 5_000,
    throwOnRequestTimeout: true,
  },
} as const;

/** AWS, as the SDK reaches it. */
export class SdkClient implements AwsClient {
  readonly #settings: AwsSettings;
  readonly #identities: Identities;
  /** By role. */
  readonly #secrets = new Map<string | undefined, SecretsManagerClient>();
  #rds: RDSClient | undefined;

  constructor(settings: AwsSettings, clock: Clock) {
    this.#settings = settings;
    this.#identities = new Identities(settings, REQUESTS, clock);
  }

  async secret(
    id: string,
    stage: SecretStage,
    roleArn: string | undefined,
  ): Promise<SecretVersion | undefined> {
    const asked = {
      about: `The secret ${id}`,
      permission: 'secretsmanager:GetSecretValue',
      service: this.#service('AWS Secrets Manager', this.#settings.endpoints.secretsManager),
    };
    try {
      return await this.#ask(asked, async () => {
        const { GetSecretValueCommand } = await import('@aws-sdk/client-secrets-manager');
        const client = await this.#secretsAs(roleArn);
        const said = await client.send(
          new GetSecretValueCommand({ SecretId: id, VersionStage: stage }),
        );
        const text = said.SecretString ?? Buffer.from(said.SecretBinary ?? []).toString('utf8');
        return {
          id: said.VersionId ?? '',
          text: new SecretText(text),
          createdMs: said.CreatedDate?.getTime(),
        };
      });
    } catch (error) {
      // That there is no such version is said in the same words as that there is no such secret.
      const isNone = error instanceof AwsProblem && error.kind === 'missing';
      if (isNone && stage !== 'AWSCURRENT') return undefined;
      throw error;
    }
  }

  async instance(identifier: string): Promise<AwsInstance> {
    const about = `The DB instance ${identifier}`;
    return await this.#ask(this.#askedOfRds(about, 'rds:DescribeDBInstances'), async () => {
      const { DescribeDBInstancesCommand } = await import('@aws-sdk/client-rds');
      const client = await this.#rdsClient();
      const { DBInstances: [found] = [] } = await client.send(
        new DescribeDBInstancesCommand({ DBInstanceIdentifier: identifier }),
      );
      if (found === undefined) throw new AwsProblem('missing', `${about}: there is none`);
      return instanceOf(found);
    });
  }

  async cluster(identifier: string): Promise<AwsCluster> {
    const about = `The DB cluster ${identifier}`;
    return await this.#ask(this.#askedOfRds(about, 'rds:DescribeDBClusters'), async () => {
      const { DescribeDBClustersCommand } = await import('@aws-sdk/client-rds');
      const client = await this.#rdsClient();
      const { DBClusters: [found] = [] } = await client.send(
        new DescribeDBClustersCommand({ DBClusterIdentifier: identifier }),
      );
      if (found === undefined) throw new AwsProblem('missing', `${about}: there is none`);
      return {
        identifier: found.DBClusterIdentifier ?? '',
        engine: found.Engine ?? '',
        host: found.Endpoint,
        port: found.Port,
        resourceId: found.DbClusterResourceId ?? '',
        members: (found.DBClusterMembers ?? []).map((member) => ({
          identifier: member.DBInstanceIdentifier ?? '',
          isWriter: member.IsClusterWriter === true,
        })),
      };
    });
  }

  async instancesOf(cluster: string): Promise<readonly AwsInstance[]> {
    const about = `The members of the DB cluster ${cluster}`;
    return await this.#ask(this.#askedOfRds(about, 'rds:DescribeDBInstances'), async () => {
      const { DescribeDBInstancesCommand } = await import('@aws-sdk/client-rds');
      const client = await this.#rdsClient();
      const Filters = [{ Name: 'db-cluster-id', Values: [cluster] }];
      const { DBInstances = [] } = await client.send(new DescribeDBInstancesCommand({ Filters }));
      return DBInstances.map(instanceOf);
    });
  }

  async token(
    { host, port, user }: { readonly host: string; readonly port: number; readonly user: string },
    roleArn: string | undefined,
  ): Promise<SecretText> {
    const asked = {
      about: `An IAM token for the database user ${user}`,
      permission: 'rds-db:connect',
      service: this.#service('AWS STS', this.#settings.endpoints.sts),
    };
    return await this.#ask(asked, async () => {
      const { Signer } = await import('@aws-sdk/rds-signer');
      const signer = new Signer({
        hostname: host,
        port,
        username: user,
        region: this.#settings.region,
        credentials: await this.#identities.as(roleArn),
      });
      return new SecretText(await signer.getAuthToken());
    });
  }

  /** What is wrong with the credentials may be put right outside: the next one who asks begins anew. */
  async #ask<Answer>(asked: Asked, ask: () => Promise<Answer>): Promise<Answer> {
    try {
      return await ask();
    } catch (error) {
      const problem = problemOf(error, asked);
      if (problem.kind === 'credentials') {
        this.#identities.forget();
        this.#secrets.clear();
        this.#rds = undefined;
      }
      throw problem;
    }
  }

  async #secretsAs(roleArn: string | undefined): Promise<SecretsManagerClient> {
    const { SecretsManagerClient } = await import('@aws-sdk/client-secrets-manager');
    const credentials = await this.#identities.as(roleArn);
    const found = this.#secrets.get(roleArn);
    if (found !== undefined) return found;
    const client = new SecretsManagerClient({
      ...this.#config(this.#settings.endpoints.secretsManager),
      credentials,
    });
    this.#secrets.set(roleArn, client);
    return client;
  }

  async #rdsClient(): Promise<RDSClient> {
    const { RDSClient } = await import('@aws-sdk/client-rds');
    const credentials = await this.#identities.as(undefined);
    this.#rds ??= new RDSClient({ ...this.#config(this.#settings.endpoints.rds), credentials });
    return this.#rds;
  }

  #config(endpoint: string | undefined) {
    const { region, profile } = this.#settings;
    return {
      ...REQUESTS,
      region,
      ...(profile !== undefined && { profile }),
      ...(endpoint !== undefined && { endpoint }),
    };
  }

  #askedOfRds(about: string, permission: string): Asked {
    return {
      about,
      permission,
      service: this.#service('Amazon RDS', this.#settings.endpoints.rds),
    };
  }

  #service(name: string, endpoint: string | undefined): string {
    return endpoint === undefined
      ? `${name} in ${this.#settings.region}`
      : `${name} at ${endpoint}`;
  }
}

function instanceOf(found: DBInstance): AwsInstance {
  return {
    identifier: found.DBInstanceIdentifier ?? '',
    engine: found.Engine ?? '',
    host: found.Endpoint?.Address,
    port: found.Endpoint?.Port,
    resourceId: found.DbiResourceId ?? '',
    cluster: found.DBClusterIdentifier,
  };
}
