import type { Clock } from '../base/clock.ts';
import type { Random } from '../base/random.ts';
import type { DataPlane } from './rds-data-plane.ts';
import { hasReached } from './rds-data-plane.ts';
import { DatabaseStore } from './rds-databases.ts';
import type { EventCategory } from './rds-events.ts';
import { EventStore } from './rds-events.ts';
import type { Place, ResourceKind } from './rds-names.ts';
import { arnOf, newId } from './rds-names.ts';
import { readEndpoint, readProxy, SELECT_PROXIES } from './rds-proxy-rows.ts';
import { TagStore } from './rds-tags.ts';
import type {
  EndpointSettings,
  GivenPool,
  Origin,
  Phase,
  ProxySettings,
  StoredEndpoint,
  StoredProxy,
  Target,
} from './rds-types.ts';
import { endpointSettingsSchema, proxySettingsSchema } from './rds-types.ts';
import type { Row, Store } from './store.ts';

export interface NewProxy {
  /** A new one if it is left out. */
  readonly id?: string | undefined;
  readonly name: string;
  readonly settings: ProxySettings;
  readonly pool: GivenPool;
  readonly target: Target | undefined;
  readonly listenHost: string;
  readonly listenPort: number;
  readonly origin: Origin;
}

export interface NewEndpoint extends EndpointSettings {
  readonly name: string;
  /** Undefined: it shares the proxy's. */
  readonly listenPort: number | undefined;
}

/** What may change of a proxy; what is undefined stays. */
export interface ProxyChanges {
  readonly name?: string | undefined;
  readonly settings?: ProxySettings | undefined;
  readonly listen?: { readonly host: string; readonly port: number } | undefined;
}

/**
 * DB proxies with their target groups and endpoints, and beside them databases, tags and events. It keeps them; what AWS allows is for
 * `src/api/rds` to say. Every change is a write of the store, which tells its listeners.
 */
export class ProxyStore {
  readonly place: Place;
  readonly databases: DatabaseStore;
  readonly tags: TagStore;
  readonly events: EventStore;
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #random: Random;

  constructor(
    store: Store,
    { region, account, clock, random }: Place & { readonly clock: Clock; readonly random: Random },
  ) {
    this.place = { region, account };
    this.databases = new DatabaseStore(store, this.place);
    this.tags = new TagStore(store);
    this.events = new EventStore(store);
    this.#store = store;
    this.#clock = clock;
    this.#random = random;
  }

  /** All or nothing: of work that throws, nothing is kept. */
  write<Result>(work: () => Result): Result {
    return this.#store.write(work);
  }

  /** Those that shall run, by name; their endpoints that shall end are not among them. */
  list(): readonly StoredProxy[] {
    return this.listAll().filter(shallRun).map(withoutEnding);
  }

  /** All, by name. */
  listAll(): readonly StoredProxy[] {
    const endpoints = Map.groupBy(this.listEndpoints(), ({ proxyId }) => proxyId);
    return this.#store
      .all(`${SELECT_PROXIES} ORDER BY p.name`)
      .map((row) => readProxy(row, endpoints.get(String(row['id'])) ?? []));
  }

  /** All, by name. */
  listEndpoints(): readonly StoredEndpoint[] {
    return this.#store.all('SELECT * FROM rds_endpoints ORDER BY name').map(readEndpoint);
  }

  find(name: string): StoredProxy | undefined {
    return this.#complete(this.#store.one(`${SELECT_PROXIES} WHERE p.name = ?`, name));
  }

  findById(id: string): StoredProxy | undefined {
    return this.#complete(this.#store.one(`${SELECT_PROXIES} WHERE p.id = ?`, id));
  }

  findByGroupId(id: string): StoredProxy | undefined {
    return this.#complete(this.#store.one(`${SELECT_PROXIES} WHERE g.id = ?`, id));
  }

  findEndpoint(name: string): StoredEndpoint | undefined {
    const row = this.#store.one('SELECT * FROM rds_endpoints WHERE name = ?', name);
    return row && readEndpoint(row);
  }

  findEndpointById(id: string): StoredEndpoint | undefined {
    const row = this.#store.one('SELECT * FROM rds_endpoints WHERE id = ?', id);
    return row && readEndpoint(row);
  }

  /** The ports that proxies and endpoints have, those that shall end included. */
  takenPorts(): ReadonlySet<number> {
    const rows = this.#store.all(
      'SELECT listen_port AS port FROM rds_proxies UNION SELECT listen_port FROM rds_endpoints WHERE listen_port IS NOT NULL',
    );
    return new Set(rows.map((row) => Number(row['port'])));
  }

  arn(kind: ResourceKind, key: string): string {
    return arnOf(this.place, kind, key);
  }

  /** Throws where the name or the id is taken. */
  create(proxy: NewProxy): StoredProxy {
    const id = proxy.id ?? newId('prx-', this.#random);
    const nowMs = this.#clock.wallMs();
    return this.#store.write(() => {
      this.#store.run(
        `INSERT INTO rds_proxies (id, name, settings, listen_host, listen_port, phase, revision, modified_in, origin, created_ms, updated_ms)
         VALUES (?, ?, ?, ?, ?, 'creating', 1, 1, ?, ?, ?)`,
        id,
        proxy.name,
        // What is no setting would come back with the settings, in the place of what it is called like.
        JSON.stringify(proxySettingsSchema.parse(proxy.settings)),
        proxy.listenHost,
        proxy.listenPort,
        proxy.origin,
        nowMs,
        nowMs,
      );
      this.#store.run(
        'INSERT INTO rds_target_groups (id, proxy, pool, target_kind, target, created_ms, updated_ms) VALUES (?, ?, ?, ?, ?, ?, ?)',
        newId('prx-tg-', this.#random),
        id,
        JSON.stringify(proxy.pool),
        proxy.target?.kind ?? null,
        proxy.target?.identifier ?? null,
        nowMs,
        nowMs,
      );
      const created = this.#mustFind(id);
      this.record(created, '0203', 'creation', `RDS created DB proxy ${created.name}.`);
      return created;
    });
  }

  modify(id: string, { name, settings, listen }: ProxyChanges): StoredProxy {
    return this.#store.write(() => {
      const before = this.#mustFind(id);
      this.#store.run(
        'UPDATE rds_proxies SET name = ?, settings = ?, listen_host = ?, listen_port = ? WHERE id = ?',
        name ?? before.name,
        JSON.stringify(proxySettingsSchema.parse(settings ?? before)),
        listen?.host ?? before.listenHost,
        listen?.port ?? before.listenPort,
        id,
      );
      return this.#modified(id);
    });
  }

  setPool(id: string, pool: GivenPool): StoredProxy {
    return this.#store.write(() => {
      this.#store.run(
        'UPDATE rds_target_groups SET pool = ?, updated_ms = ? WHERE proxy = ?',
        JSON.stringify(pool),
        this.#clock.wallMs(),
        id,
      );
      return this.#modified(id);
    });
  }

  /** Undefined for none. It makes no proxy `modifying`: the target's health tells how far it is. */
  setTarget(id: string, target: Target | undefined): StoredProxy {
    return this.#store.write(() => {
      this.#store.run(
        'UPDATE rds_target_groups SET target_kind = ?, target = ?, updated_ms = ? WHERE proxy = ?',
        target?.kind ?? null,
        target?.identifier ?? null,
        this.#clock.wallMs(),
        id,
      );
      this.touch(id);
      return this.#mustFind(id);
    });
  }

  /** A new revision, because something that it leads to has changed. */
  touch(id: string): void {
    this.#store.run('UPDATE rds_proxies SET revision = revision + 1 WHERE id = ?', id);
  }

  /** It is there until the data plane has let go of it (`settle`). */
  startDeleting(id: string): StoredProxy {
    return this.#store.write(() => {
      this.#store.run(
        "UPDATE rds_proxies SET phase = 'deleting', revision = revision + 1 WHERE id = ?",
        id,
      );
      this.#store.run("UPDATE rds_endpoints SET phase = 'deleting' WHERE proxy = ?", id);
      return this.#mustFind(id);
    });
  }

  /** At once, without waiting for anything. */
  remove(proxy: StoredProxy): void {
    this.#store.write(() => {
      for (const endpoint of proxy.endpoints) this.removeEndpoint(endpoint, proxy);
      this.tags.removeAll(this.arn('proxy', proxy.id));
      this.tags.removeAll(this.arn('group', proxy.group.id));
      this.#store.run('DELETE FROM rds_proxies WHERE id = ?', proxy.id);
      this.record(proxy, '0205', 'deletion', `RDS deleted DB proxy ${proxy.name}.`);
    });
  }

  /** Throws where the name is taken. */
  createEndpoint(
    proxy: StoredProxy,
    { name, listenPort, ...settings }: NewEndpoint,
  ): StoredEndpoint {
    return this.#store.write(() => {
      this.touch(proxy.id);
      const id = newId('prx-endpoint-', this.#random);
      this.#store.run(
        `INSERT INTO rds_endpoints (id, name, proxy, settings, listen_port, phase, changed_in, created_ms)
         VALUES (?, ?, ?, ?, ?, 'creating', ?, ?)`,
        id,
        name,
        proxy.id,
        JSON.stringify(endpointSettingsSchema.parse(settings)),
        listenPort ?? null,
        this.#mustFind(proxy.id).revision,
        this.#clock.wallMs(),
      );
      const message = `RDS created endpoint ${name} for DB proxy ${proxy.name}.`;
      this.record(proxy, '0206', 'creation', message);
      return this.#mustFindEndpoint(id);
    });
  }

  modifyEndpoint(
    proxy: StoredProxy,
    before: StoredEndpoint,
    changes: {
      readonly name?: string | undefined;
      readonly securityGroupIds?: readonly string[] | undefined;
    },
  ): StoredEndpoint {
    return this.#store.write(() => {
      this.touch(proxy.id);
      const { name = before.name, securityGroupIds = before.securityGroupIds } = changes;
      this.#store.run(
        'UPDATE rds_endpoints SET name = ?, settings = ?, changed_in = ? WHERE id = ?',
        name,
        JSON.stringify(endpointSettingsSchema.parse({ ...before, securityGroupIds })),
        this.#mustFind(proxy.id).revision,
        before.id,
      );
      const message = `RDS modified endpoint ${name} of DB Proxy ${proxy.name}.`;
      this.record(proxy, '0207', 'configuration change', message);
      return this.#mustFindEndpoint(before.id);
    });
  }

  /** It is there until the data plane has let go of it (`settle`). */
  startDeletingEndpoint({ id, proxyId }: StoredEndpoint): StoredEndpoint {
    return this.#store.write(() => {
      this.touch(proxyId);
      this.#store.run(
        "UPDATE rds_endpoints SET phase = 'deleting', changed_in = ? WHERE id = ?",
        this.#mustFind(proxyId).revision,
        id,
      );
      return this.#mustFindEndpoint(id);
    });
  }

  /**
   * Takes note of how far the data plane is: what it runs is no longer being created, and what shall end and that it no longer runs
   * is removed. Writes only if there is something to write.
   */
  settle(plane: DataPlane): void {
    if (this.#isSettled) return;
    const due = this.listAll().flatMap((proxy) => this.#dueOf(proxy, plane));
    if (due.length === 0) return;
    this.#store.write(() => {
      for (const work of due) work();
    });
  }

  /** It is asked several times a second, and hardly ever is anything on its way. */
  get #isSettled(): boolean {
    const onItsWay = this.#store.one(
      "SELECT 1 FROM rds_proxies WHERE phase <> 'live' UNION ALL SELECT 1 FROM rds_endpoints WHERE phase <> 'live' LIMIT 1",
    );
    return onItsWay === undefined;
  }

  #dueOf(proxy: StoredProxy, plane: DataPlane): readonly (() => void)[] {
    const { id, phase, modifiedIn } = proxy;
    const status = plane.statusOf(id);
    if (phase === 'deleting') return status.listening ? [] : [() => this.remove(proxy)];
    const due: (() => void)[] = [];
    if (phase === 'creating' && hasReached(status, modifiedIn))
      due.push(() => this.#store.run("UPDATE rds_proxies SET phase = 'live' WHERE id = ?", id));
    for (const endpoint of proxy.endpoints) {
      const isReached = hasReached(status, endpoint.changedIn);
      if (endpoint.phase === 'creating' && isReached)
        due.push(() =>
          this.#store.run("UPDATE rds_endpoints SET phase = 'live' WHERE id = ?", endpoint.id),
        );
      if (endpoint.phase === 'deleting' && (isReached || !status.listening))
        due.push(() => this.removeEndpoint(endpoint, proxy));
    }
    return due;
  }

  /** @param id the four digits of `RDS-EVENT-…` */
  record(
    proxy: { readonly id: string; readonly name: string },
    id: string,
    category: EventCategory,
    message: string,
  ): void {
    const sourceArn = this.arn('proxy', proxy.id);
    const eventId = `RDS-EVENT-${id}`;
    this.events.record(
      { eventId, category, source: proxy.name, sourceArn, message },
      this.#clock.wallMs(),
    );
  }

  nowMs(): number {
    return this.#clock.wallMs();
  }

  /** At once, without waiting for anything. */
  removeEndpoint(endpoint: StoredEndpoint, proxy: StoredProxy): void {
    this.tags.removeAll(this.arn('endpoint', endpoint.id));
    this.#store.run('DELETE FROM rds_endpoints WHERE id = ?', endpoint.id);
    const message = `RDS deleted endpoint ${endpoint.name} for DB proxy ${proxy.name}.`;
    this.record(proxy, '0208', 'deletion', message);
  }

  #modified(id: string): StoredProxy {
    this.#store.run(
      'UPDATE rds_proxies SET revision = revision + 1, modified_in = revision + 1, updated_ms = ? WHERE id = ?',
      this.#clock.wallMs(),
      id,
    );
    const proxy = this.#mustFind(id);
    this.record(proxy, '0204', 'configuration change', `RDS modified DB proxy ${proxy.name}.`);
    return proxy;
  }

  #complete(row: Row | undefined): StoredProxy | undefined {
    if (row === undefined) return;
    const endpoints = this.#store
      .all('SELECT * FROM rds_endpoints WHERE proxy = ? ORDER BY name', String(row['id']))
      .map(readEndpoint);
    return readProxy(row, endpoints);
  }

  #mustFind(id: string): StoredProxy {
    const proxy = this.findById(id);
    if (proxy === undefined) throw new Error(`there is no proxy ${id}`);
    return proxy;
  }

  #mustFindEndpoint(id: string): StoredEndpoint {
    const endpoint = this.findEndpointById(id);
    if (endpoint === undefined) throw new Error(`there is no endpoint ${id}`);
    return endpoint;
  }
}

function shallRun({ phase }: { readonly phase: Phase }): boolean {
  return phase !== 'deleting';
}

function withoutEnding(proxy: StoredProxy): StoredProxy {
  return { ...proxy, endpoints: proxy.endpoints.filter(shallRun) };
}
