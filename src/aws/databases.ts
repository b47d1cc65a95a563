import type { AwsClient } from './client.ts';
import { AwsProblem } from './problem.ts';
import type { Kept } from './kept.ts';

/** What AWS is asked for. */
export interface AwsTarget {
  readonly kind: 'instance' | 'cluster';
  readonly identifier: string;
}

export type AwsEngine = 'postgres' | 'mysql' | 'mariadb' | 'sqlserver';

/** Where a database of AWS is. */
export interface Located {
  readonly engine: AwsEngine;
  /** Of a cluster, its writer's. */
  readonly host: string;
  readonly port: number;
  /** `db-…`, `cluster-…` */
  readonly resourceId: string;
}

const engines: readonly (readonly [RegExp, AwsEngine])[] = [
  [/^(?:aurora-)?postgres(?:ql)?$/, 'postgres'],
  [/^(?:aurora-mysql|aurora|mysql)$/, 'mysql'],
  [/^mariadb$/, 'mariadb'],
  [/^sqlserver(?:-\w+)*$/, 'sqlserver'],
];

/** Throws an `AwsProblem` for what no proxy can be in front of. */
export function engineOf(about: string, engine: string): AwsEngine {
  const found = engines.find(([pattern]) => pattern.test(engine));
  if (found === undefined)
    throw new AwsProblem('other', `${about}: there is no proxy for the engine ${engine}`);
  return found[1];
}

/** What DescribeDBInstances or DescribeDBClusters says of it. Rejects with an `AwsProblem`. */
export async function locate(client: AwsClient, { kind, identifier }: AwsTarget): Promise<Located> {
  const found =
    kind === 'instance' ? await client.instance(identifier) : await client.cluster(identifier);
  const about = `The DB ${kind} ${identifier}`;
  const { host, port, engine, resourceId } = found;
  if (host === undefined || port === undefined)
    throw new AwsProblem('other', `${about}: it has no endpoint yet`);
  return { engine: engineOf(about, engine), host, port, resourceId };
}

/** Where databases of AWS are, as far as that is known. */
export class AwsDatabases {
  readonly #client: AwsClient;
  readonly #kept: Kept<Located>;

  constructor(client: AwsClient, kept: Kept<Located>) {
    this.#client = client;
    this.#kept = kept;
  }

  /** Asks AWS where nobody has yet. Never rejects. */
  async lookUp(target: AwsTarget): Promise<void> {
    try {
      await this.#kept.get(keyOf(target), (before) => this.#locate(target, before));
    } catch {
      // Why not is told by `find`.
    }
  }

  /** Undefined where AWS has not answered yet; an Error where its answer is of no use. */
  find(target: AwsTarget): Located | Error | undefined {
    return this.#kept.known(keyOf(target));
  }

  async #locate(target: AwsTarget, before: Located | undefined): Promise<Located> {
    const found = await locate(this.#client, target);
    return JSON.stringify(found) === JSON.stringify(before) ? (before ?? found) : found;
  }
}

/** By which it is remembered what is known of it: identifiers are compared without regard to case. */
export function keyOf({ kind, identifier }: AwsTarget): string {
  return `${kind} ${identifier.toLowerCase()}`;
}
