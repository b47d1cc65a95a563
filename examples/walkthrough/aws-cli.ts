import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Cloud, Inputs, OperationName, ServiceName } from './cloud.ts';
import { CloudError } from './cloud.ts';
import type { Administrator } from './stage.ts';

const PROGRAM = 'aws';
/** For what comes from here: nobody else's profile, no pager, no questions at the address of a machine's own role. */
const quiet = { AWS_PAGER: '', AWS_EC2_METADATA_DISABLED: 'true' } as const;

const services: Readonly<Record<OperationName, ServiceName>> = {
  CreateSecret: 'secretsmanager',
  DescribeSecret: 'secretsmanager',
  RotateSecret: 'secretsmanager',
  CreateRole: 'iam',
  PutRolePolicy: 'iam',
  DeleteRolePolicy: 'iam',
  AssumeRole: 'sts',
  CreateDBProxy: 'rds',
  DescribeDBProxies: 'rds',
  RegisterDBProxyTargets: 'rds',
  DescribeDBProxyTargets: 'rds',
  ListTagsForResource: 'rds',
};

/** The APIs by the AWS CLI. */
export class AwsCli implements Cloud {
  readonly title: string;
  readonly #administrator: Administrator;
  readonly #path: string;

  private constructor(title: string, administrator: Administrator, path: string) {
    this.title = title;
    this.#administrator = administrator;
    this.#path = path;
  }

  /** Undefined where there is none in this PATH, or one that does not start. */
  static async find(administrator: Administrator, path: string): Promise<AwsCli | undefined> {
    try {
      const { stdout } = await promisify(execFile)(PROGRAM, ['--version'], {
        env: { PATH: path, HOME: administrator.directory },
      });
      const version = /^aws-cli\/([\d.]+)/.exec(stdout)?.[1];
      return version === undefined
        ? undefined
        : new AwsCli(`AWS CLI ${version}`, administrator, path);
    } catch {
      return undefined;
    }
  }

  line<Name extends OperationName>(name: Name, input: Inputs[Name]): string {
    return [PROGRAM, ...this.#words(name, input)].map(quoted).join(' ');
  }

  async send<Name extends OperationName>(name: Name, input: Inputs[Name]): Promise<unknown> {
    const { directory, endpoint, region, credentialsFile } = this.#administrator;
    // What other users of the machine can see are command lines.
    if ('SecretString' in input)
      await writeFile(join(directory, SECRET_FILE), input.SecretString ?? '', { mode: 0o600 });
    const words = ['--endpoint-url', endpoint, '--output', 'json', ...this.#words(name, input)];
    const env = {
      ...quiet,
      PATH: this.#path,
      HOME: directory,
      AWS_REGION: region,
      AWS_DEFAULT_REGION: region,
      AWS_SHARED_CREDENTIALS_FILE: credentialsFile,
    };
    const { problem, out, err } = await this.#run(words, env);
    if (problem === undefined) return out.trim() === '' ? {} : JSON.parse(out);
    const [, code, message] = /\((\w+)\) when calling [^:]+: (.*)/s.exec(err) ?? [];
    if (code !== undefined) throw new CloudError(code, (message ?? '').trim());
    throw new Error(`${PROGRAM} has failed: ${err.trim() || problem.message}`, { cause: problem });
  }

  #run(
    words: readonly string[],
    env: Readonly<Record<string, string>>,
  ): Promise<{ problem: Error | undefined; out: string; err: string }> {
    const { directory } = this.#administrator;
    return new Promise((resolve) => {
      execFile(PROGRAM, words, { env, cwd: directory }, (problem, out, err) =>
        resolve({ problem: problem ?? undefined, out, err }),
      );
    });
  }

  #words<Name extends OperationName>(name: Name, input: Inputs[Name]): string[] {
    const flags = Object.entries(input).flatMap(([member, value]) => flag(member, value));
    return [services[name], hyphenated(name), ...flags];
  }
}

/** In the folder that the CLI runs in. */
const SECRET_FILE = 'secret.json';

/** An option of the CLI, as one would type it. */
function flag(member: string, value: unknown): readonly string[] {
  const name = `--${hyphenated(member)}`;
  if (value === undefined) return [];
  if (typeof value === 'boolean') return [value ? name : name.replace('--', '--no-')];
  if (member === 'SecretString') return [name, `file://${SECRET_FILE}`];
  if (Array.isArray(value) && value.every((one) => typeof one === 'string'))
    return [name, ...value];
  return [name, typeof value === 'string' ? value : JSON.stringify(value)];
}

/** `DBInstanceIdentifiers` is `db-instance-identifiers`, `RequireTLS` is `require-tls`. */
function hyphenated(name: string): string {
  return name
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1-$2')
    .replaceAll(/([A-Z])([A-Z][a-z])/g, '$1-$2')
    .toLowerCase();
}

/** For a shell. */
function quoted(word: string): string {
  return /^[\w./:=@,-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
