import type { Clock } from '../base/clock.ts';
import { TickingClock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { Random } from '../base/random.ts';
import { SecretText } from '../base/secret-text.ts';
import type { Share } from '../core/budget.ts';
import type { Engine, Principal } from '../core/engine.ts';
import { Entrance } from '../core/entrance.ts';
import { Counters } from '../core/observer.ts';
import { Proxy } from '../core/proxy.ts';
import type { TargetHealth, WatcherSettings } from '../core/watcher.ts';
import { Watcher } from '../core/watcher.ts';
import type { MetricsSource } from '../metrics/render.ts';
import type { Listener } from '../net/listener.ts';
import { listen } from '../net/listener.ts';
import type { TargetReadiness } from './admin.ts';
import { CredentialBook } from './credentials.ts';
import { introduction } from './introduction.ts';
import { Keeper } from './keeper.ts';
import type { Made } from './made.ts';
import { SocketNetwork } from './network.ts';
import { withinOpenFiles } from './open-files.ts';
import type { ProxyPlan } from './plans.ts';
import { Report } from './report.ts';
import type { ProxySettings } from './settings/settings.ts';
import type { GeneratedCertificates } from './tls-material.ts';
import { loadClientTls, loadServerTls } from './tls-material.ts';

/** What all proxies of a process share. */
export interface Surroundings {
  readonly log: Log;
  readonly clock: Clock;
  readonly random: Random;
  readonly certificates: GeneratedCertificates;
  /** Of several processes that listen on the same ports, which this is. */
  readonly share: Share;
  /** Behind every user's salt: the same in all processes, known to nobody else. */
  readonly saltKey: Uint8Array;
  /** What the API has made; undefined without one. */
  readonly made?: Made;
  /** Passes a cancel request on to the process that has the session. */
  forwardCancel?(proxy: string, worker: number, number: number, secret: Uint8Array): void;
}

const TICK_MS = 100;
const WATCH = { refreshMs: 30_000, retryMs: 1_000, timeoutMs: 5_000 } as const;
export const SALT_KEY_BYTES = 32;

/** A proxy at work, as the rest of the server sees it. */
export interface RunningProxy {
  readonly plan: ProxyPlan;
  readonly listening: Listener;
  readonly source: MetricsSource;
  readonly readiness: TargetReadiness;
  /** Takes over new settings without dropping a client. Rejects, and leaves everything as it was, where they cannot be used. */
  apply(plan: ProxyPlan): Promise<void>;
  /** Reads certificate and secret files again. Rejects where a certificate cannot be used; the old one stays. */
  renew(): Promise<void>;
  stopListening(): void;
  /** A client of another process asked for this. */
  cancel(number: number, secret: Uint8Array): void;
  drain(limitMs: number): Promise<void>;
}

/** Starts a proxy. Rejects where it cannot listen, or a file of its settings cannot be read. */
export async function startProxy<Memory, Who extends Principal>(
  engine: Engine<Memory, Who>,
  plan: ProxyPlan,
  around: Surroundings,
): Promise<RunningProxy> {
  const prepared = await prepare(plan, around);
  return new PlannedProxy(engine, plan, prepared, around);
}

/** What must be read or derived before settings can be applied: whatever can fail, fails here. */
interface Prepared {
  readonly credentials: CredentialBook;
  readonly tlsServer: Awaited<ReturnType<typeof loadServerTls>>;
  readonly tlsClient: Awaited<ReturnType<typeof loadClientTls>>;
}

async function prepare(plan: ProxyPlan, around: Surroundings): Promise<Prepared> {
  const { proxy, database, secrets } = plan;
  const credentials = new CredentialBook({
    source: secrets,
    auth: proxy.auth,
    unknowable: new SecretText(Buffer.from(around.random.bytes(24)).toString('base64')),
    troubled: (problem) =>
      around.log.event('warn', 'secretTrouble', {
        message: `Credentials couldn't be retrieved. ${problem}`,
        proxy: proxy.name,
      }),
  });
  await credentials.load();
  return {
    credentials,
    tlsServer: await loadServerTls(proxy, around.certificates),
    tlsClient: await loadClientTls(database),
  };
}

class PlannedProxy<Memory, Who extends Principal> implements RunningProxy {
  plan: ProxyPlan;
  listening: Listener;
  readonly #around: Surroundings;
  #credentials: CredentialBook;
  readonly #network: SocketNetwork;
  readonly #entrance: Entrance<Memory, Who>;
  readonly #proxy: Proxy<Memory, Who>;
  readonly #watcher: Watcher<Memory, Who>;
  readonly #report: Report;
  readonly #stopTicking: () => void;

  constructor(
    engine: Engine<Memory, Who>,
    plan: ProxyPlan,
    prepared: Prepared,
    around: Surroundings,
  ) {
    const { proxy, database } = plan;
    const { clock, random, log } = around;
    this.plan = plan;
    this.#around = around;
    this.#credentials = prepared.credentials;
    this.#report = new Report({
      log,
      clock,
      proxy: proxy.name,
      debugLogging: () => this.plan.proxy.debugLogging,
      pinning: () => this.plan.proxy.relay.pinning,
    });
    const deadlines = new TickingClock(clock);
    this.#network = new SocketNetwork(deadlines, database);
    this.#network.tlsServer = prepared.tlsServer;
    this.#network.tlsClient = prepared.tlsClient;
    const parts = { engine, network: this.#network, random, clock };
    this.#entrance = new Entrance({
      ...parts,
      credentials: prepared.credentials,
      settings: entranceSettings(plan),
    });
    this.listening = this.#listen(proxy);
    this.#proxy = new Proxy(
      {
        ...parts,
        entrance: this.#entrance,
        counters: new Counters(),
        observer: this.#report,
        share: around.share,
        meet: () => this.#watcher.met(),
        introduce: (link) =>
          this.plan.proxy.proxyProtocol === 'disabled'
            ? undefined
            : introduction(link, this.plan.proxy),
        forwardCancel: (worker, number, secret) =>
          around.forwardCancel?.(proxy.id, worker, number, secret),
      },
      { pool: proxy.pool, clients: this.#clients(plan), keeper: this.#keeper(plan, prepared) },
    );
    this.#watcher = new Watcher(
      {
        ...parts,
        entrance: this.#entrance,
        // Each process keeps one of them for watching.
        measured: (connections) =>
          this.#proxy.pool.resize(
            (this.plan.database.maxConnections ?? connections) - around.share.count,
          ),
        changed: (health) => this.#healthChanged(health),
      },
      watcherSettings(plan, prepared.credentials),
    );
    this.#stopTicking = clock.every(TICK_MS, () => {
      deadlines.tick();
      this.#proxy.tick();
      this.#watcher.tick();
    });
    this.#watcher.tick();
  }

  get source(): MetricsSource {
    const { proxy, database } = this.plan;
    return {
      proxy: proxy.name,
      target: database.identifier,
      counters: this.#proxy.counters,
      targetUp: this.#watcher.health.state === 'AVAILABLE',
      gauges: () => this.#proxy.gauges(),
    };
  }

  get readiness(): TargetReadiness {
    return {
      proxy: this.plan.proxy.name,
      target: this.plan.database.identifier,
      ...this.#watcher.health,
    };
  }

  async apply(plan: ProxyPlan): Promise<void> {
    const prepared = await prepare(plan, this.#around);
    const before = this.plan;
    if (!sameAddress(before.proxy.listen, plan.proxy.listen)) this.#move(before.proxy, plan.proxy);
    this.plan = plan;
    this.#network.target = plan.database;
    this.#network.tlsServer = prepared.tlsServer;
    this.#network.tlsClient = prepared.tlsClient;
    this.#credentials = prepared.credentials;
    this.#entrance.credentials = prepared.credentials;
    this.#entrance.settings = entranceSettings(plan);
    this.#proxy.reconfigure({
      pool: plan.proxy.pool,
      clients: this.#clients(plan),
      keeper: this.#keeper(plan, prepared),
    });
    // Healthy connections stay unless they lead elsewhere or were prepared otherwise (trap PG-109).
    if (way(before) !== way(plan)) this.#proxy.pool.retire(undefined);
    this.#watch(JSON.stringify(before.database) !== JSON.stringify(plan.database));
  }

  /** Watches as whom it can be watched now. */
  #watch(isElsewhere: boolean): void {
    const before = this.#watcher.settings;
    const settings = watcherSettings(this.plan, this.#credentials);
    const isBlind = settings.user === undefined && before.trouble !== settings.trouble;
    if (isElsewhere || before.user !== settings.user || isBlind) this.#watcher.restart(settings);
    else this.#watcher.settings = settings;
  }

  async renew(): Promise<void> {
    const { plan } = this;
    await this.#credentials.renew();
    if (this.plan === plan) this.#watch(false);
    if (plan.proxy.tls === undefined) return;
    const renewed = await loadServerTls(plan.proxy, this.#around.certificates);
    if (this.plan === plan) this.#network.tlsServer = renewed; // else `apply` has read later than we did
  }

  stopListening(): void {
    this.listening.stop();
  }

  cancel(number: number, secret: Uint8Array): void {
    this.#proxy.cancel(number, secret);
  }

  async drain(limitMs: number): Promise<void> {
    this.stopListening();
    await this.#proxy.drain(limitMs);
    this.#watcher.stop();
    this.#stopTicking();
    this.#report.stop();
  }

  #listen(proxy: ProxySettings): Listener {
    const listening = listen(proxy.listen, this.#around.share.count > 1, (link) =>
      this.#proxy.accept(link),
    );
    this.#around.log.event('info', 'listening', {
      message: `Proxy ${proxy.name} listens on ${listening.host}, port ${listening.port}.`,
      proxy: proxy.name,
      host: listening.host,
      port: listening.port,
    });
    return listening;
  }

  /** Listens elsewhere. On the same port of another host we would stand in our own way: there is a moment without a listener. */
  #move(from: ProxySettings, to: ProxySettings): void {
    if (from.listen.port !== to.listen.port) {
      const listening = this.#listen(to);
      this.listening.stop();
      this.listening = listening;
      return;
    }
    this.listening.stop();
    try {
      this.listening = this.#listen(to);
    } catch (error) {
      this.listening = this.#listen(from);
      throw error;
    }
  }

  #keeper(plan: ProxyPlan, prepared: Prepared): Keeper {
    const { settings, proxy } = plan;
    return new Keeper({
      credentials: prepared.credentials,
      keys: plan.keys,
      region: settings.region,
      account: settings.account,
      proxyId: proxy.id,
      hostnames: proxy.hostnames,
      port: this.listening.port,
      requiresTls: proxy.requireTls,
      saltKey: this.#around.saltKey,
      clock: this.#around.clock,
    });
  }

  #clients({ settings, proxy }: ProxyPlan): ProxySettings {
    const { log, share } = this.#around;
    return withinOpenFiles(
      proxy,
      { proxies: settings.proxies.length, processes: share.count },
      log,
    );
  }

  #healthChanged(health: TargetHealth): void {
    const { proxy, database } = this.plan;
    const isUp = health.state === 'AVAILABLE';
    this.#around.log.event(isUp ? 'info' : 'warn', 'targetHealth', {
      message: `The target ${database.identifier} is ${health.state}.${health.description === undefined ? '' : ` ${health.description}`}`,
      proxy: proxy.name,
      target: database.identifier,
      state: health.state,
      reason: health.reason,
      detail: health.description,
      allowed: isUp ? this.#proxy.pool.allowed : undefined,
    });
  }
}

function entranceSettings({
  proxy,
  database,
}: ProxyPlan): Entrance<unknown, Principal>['settings'] {
  return {
    tlsMode: database.tlsMode,
    channelBinding: database.channelBinding,
    allowCleartext: database.allowCleartextPassword,
    initQuery: proxy.initQuery,
  };
}

function watcherSettings({ database }: ProxyPlan, credentials: CredentialBook): WatcherSettings {
  const { someUser: user, trouble } = credentials;
  return { user, trouble, database: database.database, ...WATCH };
}

/** All that makes a database connection what it is, beside its user: not how many there may be, nor who watches. */
function way({ proxy, database }: ProxyPlan): string {
  const { maxConnections: _many, database: _watched, ...rest } = database;
  return JSON.stringify([rest, proxy.initQuery]);
}

function sameAddress(a: ProxySettings['listen'], b: ProxySettings['listen']): boolean {
  return a.host === b.host && a.port === b.port;
}
