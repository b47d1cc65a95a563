import {
  CreateRoleCommand,
  DeleteRolePolicyCommand,
  IAMClient,
  PutRolePolicyCommand,
} from '@aws-sdk/client-iam';
import {
  CreateDBProxyCommand,
  DescribeDBProxiesCommand,
  DescribeDBProxyTargetsCommand,
  ListTagsForResourceCommand,
  RDSClient,
  RegisterDBProxyTargetsCommand,
} from '@aws-sdk/client-rds';
import {
  CreateSecretCommand,
  DescribeSecretCommand,
  RotateSecretCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import type { Cloud, Inputs, OperationName } from './cloud.ts';
import { CloudError } from './cloud.ts';
import type { Administrator } from './stage.ts';

type Senders = { readonly [Name in OperationName]: (input: Inputs[Name]) => Promise<unknown> };

/** The APIs by the AWS SDK for JavaScript. */
export class AwsSdk implements Cloud {
  readonly title = 'AWS SDK for JavaScript';
  readonly #senders: Senders;

  constructor({ endpoint, region, credentials }: Administrator) {
    const config = { endpoint, region, credentials };
    const secrets = new SecretsManagerClient(config);
    const iam = new IAMClient(config);
    const sts = new STSClient(config);
    const rds = new RDSClient(config);
    this.#senders = {
      CreateSecret: (input) => secrets.send(new CreateSecretCommand(input)),
      DescribeSecret: (input) => secrets.send(new DescribeSecretCommand(input)),
      RotateSecret: (input) => secrets.send(new RotateSecretCommand(input)),
      CreateRole: (input) => iam.send(new CreateRoleCommand(input)),
      PutRolePolicy: (input) => iam.send(new PutRolePolicyCommand(input)),
      DeleteRolePolicy: (input) => iam.send(new DeleteRolePolicyCommand(input)),
      AssumeRole: (input) => sts.send(new AssumeRoleCommand(input)),
      CreateDBProxy: (input) => rds.send(new CreateDBProxyCommand(input)),
      DescribeDBProxies: (input) => rds.send(new DescribeDBProxiesCommand(input)),
      RegisterDBProxyTargets: (input) => rds.send(new RegisterDBProxyTargetsCommand(input)),
      DescribeDBProxyTargets: (input) => rds.send(new DescribeDBProxyTargetsCommand(input)),
      ListTagsForResource: (input) => rds.send(new ListTagsForResourceCommand(input)),
    };
  }

  line<Name extends OperationName>(name: Name, input: Inputs[Name]): string {
    const shown = 'SecretString' in input ? { ...input, SecretString: '…' } : input;
    return `${name} ${JSON.stringify(shown)}`;
  }

  async send<Name extends OperationName>(name: Name, input: Inputs[Name]): Promise<unknown> {
    try {
      return await this.#senders[name](input);
    } catch (problem) {
      if (problem instanceof Error && '$metadata' in problem)
        throw new CloudError(problem.name, problem.message);
      throw problem;
    }
  }
}
