import type { Adoption } from '../../api/rds/parts.ts';
import type { AwsClient, AwsInstance } from '../../aws/client.ts';
import { engineOf, keyOf } from '../../aws/databases.ts';
import { AwsProblem } from '../../aws/problem.ts';
import type { Clock } from '../../base/clock.ts';
import type { ProxyStore } from '../../state/proxies.ts';
import { deregisterDatabase, isSame, registerDatabase } from '../../state/rds-registering.ts';
import type { Database, StoredDatabase, Target } from '../../state/rds-types.ts';

/** AWS is asked again so soon about what cannot be reached, or could not be read. */
const DOUBT_MS = 5_000;
/** A database that no proxy leads to is kept so long: it may just have been looked up for one. */
const UNUSED_MS = 60_000;

interface Parts {
  readonly client: AwsClient;
  readonly proxies: ProxyStore;
  readonly clock: Clock;
  readonly refreshMs: number;
  /** AWS could not say what is there, as a sentence. */
  troubled(why: string): void;
}

/** Keeps databases of AWS that proxies lead to among those that the API knows, and follows their moves. */
export class AwsRegistry {
  readonly #parts: Parts;
  /** By kind and identifier. */
  readonly #readAtMs = new Map<string, number>();
  readonly #told = new Map<string, string>();
  #busy = false;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Registers what AWS knows of this name. Never rejects. */
  async adopt(target: Target): Promise<Adoption> {
    try {
      const found = await this.#read(target);
      const [first] = found;
      if (target.kind === 'instance' && first?.cluster !== undefined)
        return { kind: 'memberOf', cluster: first.cluster };
      if (first === undefined)
        return {
          kind: 'trouble',
          why: `The DB ${target.kind} ${target.identifier} has no endpoint yet.`,
        };
      this.#register(target, found);
      return { kind: 'adopted' };
    } catch (error) {
      if (error instanceof AwsProblem && error.kind === 'missing') return { kind: 'none' };
      return { kind: 'trouble', why: error instanceof Error ? error.message : String(error) };
    }
  }

  /**
   * Asks AWS about all that is due.
   * @param unreachable identifiers of databases: they may be elsewhere by now
   */
  async follow(unreachable: readonly string[]): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    try {
      const targets = this.#targets();
      await Promise.all(
        targets
          .filter((target) => this.#isDue(target, unreachable))
          .map((target) => this.#followOne(target)),
      );
      this.#forgetUnused();
    } finally {
      this.#busy = false;
    }
  }

  /** Of proxies, those that AWS has been asked for. */
  #targets(): readonly Target[] {
    const { databases } = this.#parts.proxies;
    const targets = new Map<string, Target>();
    for (const { group } of this.#parts.proxies.listAll()) {
      const { target } = group;
      if (target === undefined) continue;
      const members =
        target.kind === 'cluster'
          ? (databases.findCluster(target.identifier)?.members ?? [])
          : [databases.find(target.identifier)];
      if (members.some((member) => member?.origin === 'aws')) targets.set(keyOf(target), target);
    }
    return [...targets.values()];
  }

  #isDue(target: Target, unreachable: readonly string[]): boolean {
    const { clock, refreshMs, proxies } = this.#parts;
    const key = keyOf(target);
    const sinceMs = clock.nowMs() - (this.#readAtMs.get(key) ?? -Infinity);
    const isDoubted =
      this.#told.has(key) ||
      (target.kind === 'instance'
        ? unreachable.some((one) => isSame(one, target.identifier))
        : unreachable.some((one) =>
            isSame(proxies.databases.find(one)?.cluster, target.identifier),
          ));
    return sinceMs >= (isDoubted ? Math.min(DOUBT_MS, refreshMs) : refreshMs);
  }

  /** What is not there any more stays: AWS may only be asked as somebody else. */
  async #followOne(target: Target): Promise<void> {
    const key = keyOf(target);
    try {
      this.#register(target, await this.#read(target));
      this.#told.delete(key);
    } catch (error) {
      this.#readAtMs.set(key, this.#parts.clock.nowMs());
      const why = error instanceof Error ? error.message : String(error);
      if (this.#told.get(key) !== why) this.#parts.troubled(why);
      this.#told.set(key, why);
    }
  }

  #register(target: Target, found: readonly Database[]): void {
    const { proxies, clock } = this.#parts;
    this.#readAtMs.set(keyOf(target), clock.nowMs());
    const { databases } = proxies;
    const changed = found.filter((one) => isAnother(one, databases.find(one.identifier)));
    const members =
      target.kind === 'cluster' ? (databases.findCluster(target.identifier)?.members ?? []) : [];
    const gone = members.filter(
      ({ origin, identifier }) =>
        origin === 'aws' && !found.some((one) => isSame(one.identifier, identifier)),
    );
    // A cluster that tells of no members at all is most likely being made, or AWS asked in the wrong place.
    const removed = found.length === 0 ? [] : gone;
    if (changed.length + removed.length === 0) return;
    proxies.write(() => {
      for (const database of changed) registerDatabase(proxies, database, 'aws');
      for (const database of removed) deregisterDatabase(proxies, database);
    });
  }

  #forgetUnused(): void {
    const { proxies, clock } = this.#parts;
    const targets = this.#targets();
    const isUsed = ({ identifier, cluster }: StoredDatabase): boolean =>
      targets.some((target) =>
        isSame(target.identifier, target.kind === 'cluster' ? cluster : identifier),
      );
    const unused = proxies.databases
      .list()
      .filter(({ origin, createdMs }) => origin === 'aws' && clock.wallMs() - createdMs > UNUSED_MS)
      .filter((database) => !isUsed(database));
    for (const database of unused) deregisterDatabase(proxies, database);
  }

  async #read(target: Target): Promise<readonly Database[]> {
    const { client } = this.#parts;
    if (target.kind === 'instance') return databaseOf(await client.instance(target.identifier));
    const cluster = await client.cluster(target.identifier);
    const instances = await client.instancesOf(cluster.identifier);
    const { identifier, resourceId, members } = cluster;
    return instances.flatMap((instance) => {
      const isWriter = members.some(
        (member) => member.isWriter && isSame(member.identifier, instance.identifier),
      );
      const role = isWriter ? 'writer' : 'reader';
      return databaseOf({ ...instance, cluster: identifier }, role, resourceId);
    });
  }
}

/** One that has no address yet is none yet. */
function databaseOf(
  found: AwsInstance,
  role: Database['role'] = 'writer',
  clusterResourceId?: string,
): readonly Database[] {
  const { identifier, engine, host, port, resourceId, cluster } = found;
  if (host === undefined || port === undefined) return [];
  return [
    {
      identifier,
      engine: engineOf(`The DB instance ${identifier}`, engine),
      host,
      port,
      resourceId,
      cluster,
      clusterResourceId,
      role,
      connection: { tlsMode: 'prefer' },
    },
  ];
}

/** Whether AWS tells otherwise than it did. What the API or the settings file says of it goes before. */
function isAnother(now: Database, before: StoredDatabase | undefined): boolean {
  if (before === undefined) return true;
  if (before.origin !== 'aws') return false;
  return factsOf(now) !== factsOf(before);
}

function factsOf({ engine, host, port, cluster, role }: Database): string {
  return JSON.stringify([engine, host, port, cluster ?? null, role]);
}
