import { loginIn, valueIn } from '../secrets/secret-version.ts';
import type { FormerLogin, SecretSource, SecretValue } from '../secrets/source.ts';
import { SecretDenied } from '../secrets/source.ts';
import type { AwsClient, SecretVersion } from './client.ts';
import { AwsProblem } from './problem.ts';
import type { Kept, Read } from './kept.ts';

/** A secret as AWS had it when it was read. */
export interface ReadSecret {
  /** Of its versions: `AWSCURRENT`'s, and `AWSPENDING`'s where somebody has asked for that. */
  readonly ids: readonly (string | undefined)[];
  readonly value: SecretValue;
}

/** Secrets of AWS Secrets Manager, by ARN or name, read as one role. */
export class AwsSecrets implements SecretSource {
  readonly #client: AwsClient;
  readonly #kept: Kept<ReadSecret>;
  readonly #roleArn: string | undefined;

  constructor(client: AwsClient, kept: Kept<ReadSecret>, roleArn: string | undefined) {
    this.#client = client;
    this.#kept = kept;
    this.#roleArn = roleArn;
  }

  async current(id: string): Promise<SecretValue> {
    return (await this.#kept.get(this.#key(id), this.#read(id))).value;
  }

  /** AWS is asked by a period, and when a database refuses what it has said. */
  async refresh(id: string, cause?: 'refusal'): Promise<SecretValue> {
    const [key, read] = [this.#key(id), this.#read(id)];
    const { value } =
      cause === 'refusal' ? await this.#kept.again(key, read) : await this.#kept.latest(key, read);
    return value;
  }

  #key(id: string): string {
    return JSON.stringify([this.#roleArn ?? '', id]);
  }

  #read(id: string): Read<ReadSecret> {
    return async (before, isDoubted) => {
      try {
        return await this.#readVersions(id, before, isDoubted);
      } catch (error) {
        // Who may not read it, and what is no more, counts; that AWS cannot be reached does not.
        const isDenied = error instanceof AwsProblem && ['denied', 'missing'].includes(error.kind);
        throw isDenied ? new SecretDenied(error.message) : error;
      }
    };
  }

  async #readVersions(
    id: string,
    before: ReadSecret | undefined,
    isDoubted: boolean,
  ): Promise<ReadSecret> {
    const version = (stage: 'AWSCURRENT' | 'AWSPENDING' | 'AWSPREVIOUS') =>
      this.#client.secret(id, stage, this.#roleArn);
    const current = await version('AWSCURRENT');
    if (current === undefined) throw new SecretDenied(`The secret ${id} has no current version`);
    // A rotation sets the next password at the database first.
    const pending = isDoubted ? await version('AWSPENDING') : undefined;
    const isNew = before?.ids[0] !== current.id;
    if (before !== undefined && !isNew && (!isDoubted || before.ids[1] === pending?.id))
      return before;
    const previous = isNew
      ? formerly(loginIn(await version('AWSPREVIOUS')), current)
      : before?.value.previous;
    const next = pending?.id === current.id ? undefined : loginIn(pending);
    const { previous: _before, pending: _next, ...value } = valueIn(id, current);
    return {
      ids: [current.id, pending?.id],
      value: { ...value, ...(previous && { previous }), ...(next && { pending: next }) },
    };
  }
}

/** It has been the current one up to when the next was made, about. */
function formerly(
  login: SecretValue | undefined,
  { createdMs: endedMs }: SecretVersion,
): FormerLogin | undefined {
  return login && { ...login, ...(endedMs !== undefined && { endedMs }) };
}
