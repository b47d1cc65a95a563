import { Signer } from '@aws-sdk/rds-signer';
import type { Credentials } from '../../support/api.ts';
import { startSluice } from '../../support/sluice.ts';
import type { Sluice } from '../../support/sluice.ts';
import { eventually } from '../clients/stage.ts';
import { ACCOUNT, ControlStage, REGION } from './control-stage.ts';

/** Whose key signs the tokens of clients, wherever they sign in. */
export const client: Credentials = {
  accessKeyId: 'AKIACLIENT',
  secretAccessKey: "the client's secret access key",
};

/** A target as `/readyz` tells of it. */
interface Target {
  readonly proxy: string;
  readonly state: string;
  readonly reason?: string;
  readonly description?: string;
}

/** Sluice's own API in the place of AWS, and a user there as whom another Sluice asks for what it needs. */
export class AwsStage {
  readonly aws: ControlStage;
  readonly user: Credentials;

  private constructor(aws: ControlStage, user: Credentials) {
    this.aws = aws;
    this.user = user;
  }

  static async open(): Promise<AwsStage> {
    const aws = await ControlStage.open();
    await aws.iam.createUser({ UserName: 'sluice' });
    const { AccessKey } = await aws.iam.createAccessKey({ UserName: 'sluice' });
    const { AccessKeyId: accessKeyId = '', SecretAccessKey: secretAccessKey = '' } =
      AccessKey ?? {};
    const stage = new AwsStage(aws, { accessKeyId, secretAccessKey });
    await stage.allow('read', ['secretsmanager:GetSecretValue', 'rds:Describe*']);
    return stage;
  }

  /** What the user of the other Sluice may do; nothing of this name where no actions are given. */
  async allow(PolicyName: string, actions: readonly string[]): Promise<void> {
    const named = { UserName: 'sluice', PolicyName };
    if (actions.length === 0) await this.aws.iam.deleteUserPolicy(named);
    else await this.aws.iam.putUserPolicy({ ...named, PolicyDocument: allowing(actions) });
  }

  /** Settings that have AWS asked here, every second, and clients known by `client`. */
  get settings(): object {
    const { endpoint } = this.aws;
    return {
      aws: {
        endpoints: { secretsManager: endpoint, rds: endpoint, sts: endpoint },
        refreshInterval: 1,
        watchUser: 'app',
      },
      principals: [{ ...client, policy: JSON.parse(allowing(['rds-db:connect'])) }],
    };
  }

  /** For a Sluice that is somebody here. */
  get env(): Record<string, string> {
    return {
      AWS_ACCESS_KEY_ID: this.user.accessKeyId,
      AWS_SECRET_ACCESS_KEY: this.user.secretAccessKey,
      // Nothing is to be found on the machine that the test runs on.
      AWS_CONFIG_FILE: '/nonexistent',
      AWS_SHARED_CREDENTIALS_FILE: '/nonexistent',
    };
  }

  async start(settings: object): Promise<Sluice> {
    const all = { region: REGION, account: ACCOUNT, admin: { listen: '127.0.0.1:0' } };
    return await startSluice({ ...all, ...this.settings, ...settings }, { env: this.env });
  }
}

/** A policy that allows this on everything. */
export function allowing(Action: readonly string[]): string {
  return JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Action, Resource: '*' }],
  });
}

export async function targetOf(sluice: Sluice, proxy: string): Promise<Target | undefined> {
  const answer = await sluice.admin('/readyz');
  const { targets }: { readonly targets: readonly Target[] } = JSON.parse(await answer.text());
  return targets.find((one) => one.proxy === proxy);
}

/** Once it is so. */
export async function untilTarget(
  sluice: Sluice,
  proxy: string,
  state: string,
): Promise<Target | undefined> {
  return await eventually(
    () => targetOf(sluice, proxy),
    (found) => found?.state === state,
  );
}

/** A client's token for a proxy at this port. */
export async function clientToken(port: number, user: string): Promise<string> {
  const about = { hostname: 'localhost', port, username: user, region: REGION };
  return await new Signer({ ...about, credentials: client }).getAuthToken();
}
