import type {
  CreateRoleCommandInput,
  DeleteRolePolicyCommandInput,
  PutRolePolicyCommandInput,
} from '@aws-sdk/client-iam';
import type {
  CreateDBProxyCommandInput,
  DescribeDBProxiesCommandInput,
  DescribeDBProxyTargetsCommandInput,
  ListTagsForResourceCommandInput,
  RegisterDBProxyTargetsCommandInput,
} from '@aws-sdk/client-rds';
import type {
  CreateSecretCommandInput,
  DescribeSecretCommandInput,
  RotateSecretCommandInput,
} from '@aws-sdk/client-secrets-manager';
import type { AssumeRoleCommandInput } from '@aws-sdk/client-sts';
import { z } from 'zod';

/** The operations that the walkthrough needs: what each is told, and what of its answer matters. */
export interface Inputs {
  readonly CreateSecret: CreateSecretCommandInput;
  readonly DescribeSecret: DescribeSecretCommandInput;
  readonly RotateSecret: RotateSecretCommandInput;
  readonly CreateRole: CreateRoleCommandInput;
  readonly PutRolePolicy: PutRolePolicyCommandInput;
  readonly DeleteRolePolicy: DeleteRolePolicyCommandInput;
  readonly AssumeRole: AssumeRoleCommandInput;
  readonly CreateDBProxy: CreateDBProxyCommandInput;
  readonly DescribeDBProxies: DescribeDBProxiesCommandInput;
  readonly RegisterDBProxyTargets: RegisterDBProxyTargetsCommandInput;
  readonly DescribeDBProxyTargets: DescribeDBProxyTargetsCommandInput;
  readonly ListTagsForResource: ListTagsForResourceCommandInput;
}

export type OperationName = keyof Inputs;
export type ServiceName = 'secretsmanager' | 'iam' | 'sts' | 'rds';

const nothing = z.unknown();
const version = z.object({ ARN: z.string(), VersionId: z.string() });
const proxy = z.object({
  DBProxyArn: z.string(),
  Endpoint: z.string(),
  Status: z.string(),
});
const health = z.object({
  State: z.string(),
  Reason: z.string().optional(),
  Description: z.string().optional(),
});
export type Health = z.output<typeof health>;

const answers = {
  CreateSecret: version,
  DescribeSecret: z.object({ VersionIdsToStages: z.record(z.string(), z.array(z.string())) }),
  RotateSecret: version,
  CreateRole: z.object({ Role: z.object({ Arn: z.string() }) }),
  PutRolePolicy: nothing,
  DeleteRolePolicy: nothing,
  AssumeRole: z.object({
    Credentials: z.object({
      AccessKeyId: z.string(),
      SecretAccessKey: z.string(),
      SessionToken: z.string(),
    }),
    AssumedRoleUser: z.object({ Arn: z.string() }),
  }),
  CreateDBProxy: z.object({ DBProxy: proxy }),
  DescribeDBProxies: z.object({ DBProxies: z.tuple([proxy]) }),
  RegisterDBProxyTargets: z.object({
    DBProxyTargets: z.array(z.object({ RdsResourceId: z.string() })),
  }),
  DescribeDBProxyTargets: z.object({ Targets: z.tuple([z.object({ TargetHealth: health })]) }),
  ListTagsForResource: z.object({
    TagList: z.array(z.object({ Key: z.string(), Value: z.string() })),
  }),
} as const satisfies Readonly<Record<OperationName, z.ZodType>>;

export type Answers = { readonly [Name in OperationName]: z.output<(typeof answers)[Name]> };

const schemas: { readonly [Name in OperationName]: z.ZodType<Answers[Name]> } = answers;

/** A way to call the APIs, as an administrator. */
export interface Cloud {
  /** Such as `AWS SDK for JavaScript`. */
  readonly title: string;
  /** The call, in one line, without secrets. */
  line<Name extends OperationName>(name: Name, input: Inputs[Name]): string;
  /** Rejects with a `CloudError`, or where it does not come to an answer at all. */
  send<Name extends OperationName>(name: Name, input: Inputs[Name]): Promise<unknown>;
}

/** The API has refused. */
export class CloudError extends Error {
  override readonly name = 'CloudError';
  /** Such as `InvalidRequestException`. */
  readonly code: string;

  constructor(code: string, message: string) {
    super(`${code}: ${message}`);
    this.code = code;
  }
}

/** Calls that are told of when they are made. */
export class Calls {
  readonly #cloud: Cloud;
  readonly #say: (line: string) => void;

  constructor(cloud: Cloud, say: (line: string) => void) {
    this.#cloud = cloud;
    this.#say = say;
  }

  async call<Name extends OperationName>(name: Name, input: Inputs[Name]): Promise<Answers[Name]> {
    this.#say(this.#cloud.line(name, input));
    return await this.again(name, input);
  }

  /** Without a word: for what is asked again and again. */
  async again<Name extends OperationName>(name: Name, input: Inputs[Name]): Promise<Answers[Name]> {
    return schemas[name].parse(await this.#cloud.send(name, input));
  }
}
