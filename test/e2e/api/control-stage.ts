import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { Agent } from 'node:https';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { IAM } from '@aws-sdk/client-iam';
import { RDS } from '@aws-sdk/client-rds';
import type { DBProxy, TargetHealth, UserAuthConfig } from '@aws-sdk/client-rds';
import { SecretsManager } from '@aws-sdk/client-secrets-manager';
import { STS } from '@aws-sdk/client-sts';
import { Signer } from '@aws-sdk/rds-signer';
import { parse, stringify } from 'yaml';
import type { Credentials } from '../../support/api.ts';
import { signedHeaders } from '../../support/signed.ts';
import { RawClient } from '../../support/raw-client.ts';
import type { ConnectOptions, Login } from '../../support/raw-client.ts';
import { startSluice } from '../../support/sluice.ts';
import type { Sluice } from '../../support/sluice.ts';
import { eventually } from '../clients/stage.ts';

export const REGION = 'eu-central-1';
export const ACCOUNT = '123456789012';
const PORTS = 60;

export interface ControlOptions {
  /** More settings, or others. */
  readonly settings?: object;
  readonly files?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  /** Trusted where the admin port serves HTTPS, PEM. */
  readonly ca?: string;
}

interface NewProxy {
  readonly auth?: readonly (UserAuthConfig | string)[];
  readonly target?: string;
  readonly engineFamily?: 'POSTGRESQL' | 'MYSQL' | 'SQLSERVER';
  readonly roleArn?: string;
  readonly requireTls?: boolean;
}

/** Sluice with its API, and what an administrator and an application do with it. */
export class ControlStage {
  readonly directory: string;
  readonly #options: ControlOptions;
  #settings: Readonly<Record<string, unknown>>;
  #sluice: Sluice | undefined;

  private constructor(directory: string, settings: object, options: ControlOptions) {
    this.directory = directory;
    this.#settings = { ...settings };
    this.#options = options;
  }

  static async open(options: ControlOptions = {}): Promise<ControlStage> {
    const directory = await mkdtemp(join(tmpdir(), 'sluice-data-'));
    const from = await freePort();
    const settings = {
      region: REGION,
      account: ACCOUNT,
      admin: { listen: '127.0.0.1:0' },
      api: { ports: `${from}-${from + PORTS - 1}` },
      drainTimeout: 5,
      ...options.settings,
    };
    const stage = new ControlStage(directory, settings, options);
    await stage.start();
    return stage;
  }

  get sluice(): Sluice {
    if (this.#sluice === undefined) throw new Error('Sluice does not run');
    return this.#sluice;
  }

  async start(): Promise<void> {
    const { files = {}, env = {} } = this.#options;
    this.#sluice = await startSluice(this.#settings, {
      args: ['--data-dir', this.directory],
      files,
      env,
    });
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | string> {
    return await this.sluice.stop(signal);
  }

  async close(): Promise<void> {
    await this.stop('SIGKILL');
    await rm(this.directory, { recursive: true });
  }

  /** Writes the settings file anew, and waits for what the log says to SIGHUP; a later start goes by it, too. */
  async reload(
    change: (settings: Record<string, unknown>) => void,
    event = 'reloaded',
  ): Promise<void> {
    const settings: Record<string, unknown> = parse(
      await Bun.file(this.sluice.settingsPath).text(),
    );
    change(settings);
    this.#settings = settings;
    await Bun.write(this.sluice.settingsPath, stringify(settings));
    const said = () =>
      this.sluice.logs().filter((line) => ['reloaded', 'reloadFailed'].includes(`${line.event}`));
    const before = said().length;
    this.sluice.signal('SIGHUP');
    await eventually(
      async () => said().length,
      (count) => count > before,
    );
    const last = said().at(-1);
    if (last?.event !== event) throw new Error(String(last?.['message']));
  }

  /** Where the API is. */
  get endpoint(): string {
    const [line] = this.sluice.logs('adminListening');
    return `http${this.#options.ca === undefined ? '' : 's'}://127.0.0.1:${String(line?.['port'])}`;
  }

  /** The administrator's. */
  get credentials(): Credentials {
    const text = readFileSync(join(this.directory, 'credentials'), 'utf8');
    const value = (name: string): string =>
      new RegExp(`^${name} = (.+)$`, 'm').exec(text)?.[1] ?? '';
    return {
      accessKeyId: value('aws_access_key_id'),
      secretAccessKey: value('aws_secret_access_key'),
    };
  }

  as(credentials: Credentials) {
    const { endpoint } = this;
    const { ca } = this.#options;
    return {
      endpoint,
      region: REGION,
      credentials,
      maxAttempts: 1,
      ...(ca !== undefined && { requestHandler: { httpsAgent: new Agent({ ca }) } }),
    };
  }

  get rds(): RDS {
    return new RDS(this.as(this.credentials));
  }

  get secrets(): SecretsManager {
    return new SecretsManager(this.as(this.credentials));
  }

  get iam(): IAM {
    return new IAM(this.as(this.credentials));
  }

  get sts(): STS {
    return new STS(this.as(this.credentials));
  }

  /** An operation that is Sluice's own, which the SDK does not know. Rejects with the answer where it is refused. */
  async rdsOperation(
    Action: string,
    parameters: Readonly<Record<string, string>>,
  ): Promise<string> {
    const body = new URLSearchParams({
      Action,
      Version: '2014-10-31',
      ...parameters,
    }).toString();
    const { host } = new URL(this.endpoint);
    const headers = await signedHeaders(
      {
        host,
        body,
        region: REGION,
        dateMs: Date.now(),
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
      },
      this.credentials,
    );
    const answer = await fetch(this.endpoint, { method: 'POST', headers, body });
    const text = await answer.text();
    if (!answer.ok) throw new Error(text);
    return text;
  }

  async register(
    identifier: string,
    server: { readonly host: string; readonly port: number },
    more: Readonly<Record<string, string>> = {},
  ): Promise<void> {
    await this.rdsOperation('RegisterDatabase', {
      DBInstanceIdentifier: identifier,
      Engine: 'postgres',
      Host: server.host,
      Port: String(server.port),
      ...more,
    });
  }

  /** The ARN. */
  async secret(
    name: string,
    username: string,
    password: string,
    more: object = {},
  ): Promise<string> {
    const { ARN = '' } = await this.secrets.createSecret({
      Name: name,
      SecretString: JSON.stringify({ username, password, ...more }),
    });
    return ARN;
  }

  /** A role for proxies, which may read all secrets unless another policy is given. The ARN. */
  async role(name: string, policy: object | undefined = readAll): Promise<string> {
    const { Role } = await this.iam.createRole({
      RoleName: name,
      AssumeRolePolicyDocument: trusting('rds.amazonaws.com'),
    });
    await this.iam.putRolePolicy({
      RoleName: name,
      PolicyName: 'read',
      PolicyDocument: JSON.stringify(policy),
    });
    return Role?.Arn ?? '';
  }

  /** A proxy with its target, once it is available; its port. `auth` are entries, or the ARNs of secrets. */
  async proxy(name: string, given: NewProxy = {}): Promise<number> {
    const { auth = [], target, engineFamily = 'POSTGRESQL', roleArn, requireTls } = given;
    await this.rds.createDBProxy({
      DBProxyName: name,
      EngineFamily: engineFamily,
      RoleArn: roleArn ?? '',
      VpcSubnetIds: ['subnet-a', 'subnet-b'],
      Auth: auth.map((one) => (typeof one === 'string' ? authEntry(one) : one)),
      ...(requireTls !== undefined && { RequireTLS: requireTls }),
    });
    if (target !== undefined) {
      await this.rds.registerDBProxyTargets({ DBProxyName: name, DBInstanceIdentifiers: [target] });
      await this.untilHealth(name, 'AVAILABLE');
    }
    await this.untilStatus(name, 'available');
    return await this.portOf(name);
  }

  async describe(name: string): Promise<DBProxy | undefined> {
    const { DBProxies = [] } = await this.rds.describeDBProxies({ DBProxyName: name });
    return DBProxies[0];
  }

  async untilStatus(name: string, status: DBProxy['Status']): Promise<void> {
    await eventually(
      async () => (await this.describe(name))?.Status,
      (found) => found === status,
    );
  }

  async untilGone(name: string): Promise<void> {
    await eventually(
      async () => (await this.rds.describeDBProxies({})).DBProxies ?? [],
      (found) => !found.some(({ DBProxyName }) => DBProxyName === name),
    );
  }

  /** Of the proxy's first target. */
  async health(name: string): Promise<TargetHealth | undefined> {
    const { Targets = [] } = await this.rds.describeDBProxyTargets({ DBProxyName: name });
    return Targets[0]?.TargetHealth;
  }

  async untilHealth(name: string, state: TargetHealth['State']): Promise<TargetHealth | undefined> {
    return await eventually(
      () => this.health(name),
      (found) => found?.State === state,
    );
  }

  async portOf(name: string): Promise<number> {
    const { DBProxyArn: ResourceName = '' } = (await this.describe(name)) ?? {};
    const { TagList = [] } = await this.rds.listTagsForResource({ ResourceName });
    return Number(TagList.find(({ Key }) => Key === 'aws:sluice:port')?.Value);
  }

  /** `prx-…` */
  async idOf(name: string): Promise<string> {
    return (await this.describe(name))?.DBProxyArn?.split(':').at(-1) ?? '';
  }
}

export const readAll = {
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Action: 'secretsmanager:GetSecretValue', Resource: '*' }],
};

/** A trust policy. */
export function trusting(service: string): string {
  return JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Principal: { Service: service }, Action: 'sts:AssumeRole' }],
  });
}

/** Of a user who may sign in to this proxy as this database user. */
export function mayConnect(proxyId: string, user: string): string {
  return JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Action: 'rds-db:connect',
        Resource: `arn:aws:rds-db:${REGION}:${ACCOUNT}:dbuser:${proxyId}/${user}`,
      },
    ],
  });
}

export function authEntry(SecretArn: string, IAMAuth: 'DISABLED' | 'REQUIRED' = 'DISABLED') {
  return { AuthScheme: 'SECRETS', SecretArn, IAMAuth } as const;
}

/** An IAM token, as AWS's own signer makes them. */
export async function tokenFor(
  { port, user, host = 'localhost' }: { port: number; user: string; host?: string },
  credentials: Credentials,
): Promise<string> {
  const signer = new Signer({ hostname: host, port, username: user, region: REGION, credentials });
  return await signer.getAuthToken();
}

export async function signIn(
  port: number,
  user: string,
  password: string,
  more: Partial<ConnectOptions & Login> = {},
): Promise<RawClient> {
  return await RawClient.signIn({
    host: '127.0.0.1',
    serverName: 'localhost',
    port,
    user,
    password,
    database: 'app',
    ...more,
  });
}

/** What one answers who is let in, and what one is told who is not. */
export async function attempt(client: Promise<RawClient>): Promise<string> {
  try {
    const one = await client;
    const value = await one.value('SELECT current_user');
    one.destroy();
    return String(value);
  } catch (problem) {
    return problem instanceof Error ? problem.message : String(problem);
  }
}

/** One that nobody has at the moment, with some above it that are free most likely. */
export async function freePort(): Promise<number> {
  for (;;) {
    const server = createServer();
    const port = await new Promise<number>((resolve) => {
      server.listen(0, '127.0.0.1', () => {
        const address = server.address();
        resolve(typeof address === 'object' && address !== null ? address.port : 0);
      });
    });
    await new Promise((resolve) => server.close(resolve));
    if (port + PORTS < 65_535) return port;
  }
}
