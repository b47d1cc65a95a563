import { SecretText } from '../base/secret-text.ts';
import type { AwsClient, AwsCluster, AwsInstance, SecretStage, SecretVersion } from './client.ts';
import { AwsProblem } from './problem.ts';

/** AWS as a test says that it is. Asking for what it does not have is answered as AWS does. */
export class FakeAws implements AwsClient {
  /** By id and stage: the version's id and its text. */
  readonly secrets = new Map<string, readonly [id: string, text: string]>();
  readonly instances = new Map<string, AwsInstance>();
  readonly clusters = new Map<string, AwsCluster>();
  /** What has been asked, in order. */
  readonly asked: string[] = [];
  /** What everything is answered with instead, if anything. */
  problem: AwsProblem | undefined;

  async secret(
    id: string,
    stage: SecretStage,
    roleArn: string | undefined,
  ): Promise<SecretVersion | undefined> {
    this.#ask(`${id} ${stage}${roleArn === undefined ? '' : ` as ${roleArn}`}`);
    const found = this.secrets.get(`${id} ${stage}`);
    if (found !== undefined)
      return { id: found[0], text: new SecretText(found[1]), createdMs: 1_000 };
    if (stage !== 'AWSCURRENT') return undefined;
    throw new AwsProblem('missing', `The secret ${id}: there is none`);
  }

  async instance(identifier: string): Promise<AwsInstance> {
    this.#ask(`instance ${identifier}`);
    return this.#found(this.instances.get(identifier), `The DB instance ${identifier}`);
  }

  async cluster(identifier: string): Promise<AwsCluster> {
    this.#ask(`cluster ${identifier}`);
    return this.#found(this.clusters.get(identifier), `The DB cluster ${identifier}`);
  }

  async instancesOf(cluster: string): Promise<readonly AwsInstance[]> {
    this.#ask(`instances of ${cluster}`);
    return [...this.instances.values()].filter((one) => one.cluster === cluster);
  }

  async token(
    { host, port, user }: { readonly host: string; readonly port: number; readonly user: string },
    roleArn: string | undefined,
  ): Promise<SecretText> {
    this.#ask(`token for ${user}`);
    return new SecretText(`${host}:${port} ${user} ${roleArn ?? 'self'} ${this.asked.length}`);
  }

  #ask(what: string): void {
    this.asked.push(what);
    if (this.problem !== undefined) throw this.problem;
  }

  #found<Value>(value: Value | undefined, about: string): Value {
    if (value === undefined) throw new AwsProblem('missing', `${about}: there is none`);
    return value;
  }
}

export const unavailable = new AwsProblem('unavailable', 'AWS cannot be reached');

/** Of nobody's but AWS's own making; everything can be said otherwise. */
export function instance(identifier: string, more: Partial<AwsInstance> = {}): AwsInstance {
  return {
    identifier,
    engine: 'postgres',
    host: `${identifier}.example.com`,
    port: 5432,
    resourceId: `db-${identifier.toUpperCase()}`,
    cluster: undefined,
    ...more,
  };
}
