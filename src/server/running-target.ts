import type { TickingClock } from '../base/clock.ts';
import type { Engine, Principal } from '../core/engine.ts';
import { Entrance } from '../core/entrance.ts';
import type { Counters } from '../core/observer.ts';
import { Pool } from '../core/pool.ts';
import { Rotation } from '../core/rotation.ts';
import type { Target } from '../core/targets.ts';
import type { TargetHealth, WatcherSettings } from '../core/watcher.ts';
import { Watcher } from '../core/watcher.ts';
import type { MetricsSource } from '../metrics/render.ts';
import type { TlsClient } from '../net/tls.ts';
import type { TargetReadiness } from './admin.ts';
import type { CredentialBook } from './credentials.ts';
import { SocketNetwork } from './network.ts';
import type { ProxyPlan } from './plans.ts';
import type { Report } from './report.ts';
import type { Surroundings } from './running-proxy.ts';
import type { DatabaseSettings } from './settings/settings.ts';

const WATCH = { refreshMs: 30_000, retryMs: 1_000, timeoutMs: 5_000 } as const;

/** How a target is reached, all read and derived. */
export interface TargetPlan {
  readonly plan: ProxyPlan;
  /** Of the plan's databases, this one. */
  readonly database: DatabaseSettings;
  readonly credentials: CredentialBook;
  readonly tls: TlsClient | undefined;
}

interface Parts<Memory, Who extends Principal> {
  readonly engine: Engine<Memory, Who>;
  readonly around: Surroundings;
  readonly deadlines: TickingClock;
  readonly counters: Counters;
  readonly report: Report;
  /** It has come, or is gone, or its description has changed. */
  healthChanged(): void;
}

/** One database of a proxy at work: the pool of connections to it, and who watches it. */
export class RunningTarget<Memory, Who extends Principal> implements Target<Memory, Who> {
  readonly pool: Pool<Memory, Who>;
  readonly #parts: Parts<Memory, Who>;
  readonly #network: SocketNetwork;
  readonly #entrance: Entrance<Memory, Who>;
  readonly #watcher: Watcher<Memory, Who>;
  readonly #rotation: Rotation<Memory, Who>;
  #now: TargetPlan;

  constructor(parts: Parts<Memory, Who>, first: TargetPlan) {
    const { engine, around, deadlines, counters, report: observer } = parts;
    const { clock, random, share } = around;
    const { plan, database, credentials } = first;
    this.#parts = parts;
    this.#now = first;
    this.#network = new SocketNetwork(deadlines, database);
    this.#network.tlsClient = first.tls;
    const tools = { engine, network: this.#network, random, clock };
    this.#entrance = new Entrance({
      ...tools,
      credentials: credentials.at(database),
      settings: entranceSettings(first),
    });
    const entrance = this.#entrance;
    this.pool = new Pool({ ...tools, entrance, counters, observer, share }, plan.proxy.pool);
    this.#watcher = new Watcher(
      {
        ...tools,
        entrance,
        // Each process keeps one of them for watching.
        measured: (connections) =>
          this.pool.resize((this.#now.database.maxConnections ?? connections) - share.count),
        changed: (health) => this.#healthChanged(health),
      },
      watcherSettings(first),
    );
    this.#rotation = new Rotation({
      entrance,
      pool: this.pool,
      clock,
      random,
      proven: (user) => this.#signInAnew(user),
      troubled: (_user, why) => this.#secretTrouble(why),
    });
    this.#watcher.tick();
  }

  get database(): DatabaseSettings {
    return this.#now.database;
  }

  get isUp(): boolean {
    return this.#watcher.health.state === 'AVAILABLE';
  }

  /** Also of one that is available it may tell what keeps a new password from being used. */
  get health(): TargetHealth {
    const { health } = this.#watcher;
    const { trouble } = this.#rotation;
    return this.isUp && trouble !== undefined ? { ...health, description: trouble } : health;
  }

  get source(): MetricsSource {
    const { plan, database } = this.#now;
    return {
      proxy: plan.proxy.name,
      target: database.identifier,
      counters: this.#parts.counters,
      targetUp: this.isUp,
      gauges: () => this.pool.gauges(),
    };
  }

  get readiness(): TargetReadiness {
    const { plan, database } = this.#now;
    return { proxy: plan.proxy.name, target: database.identifier, ...this.health };
  }

  async met(): Promise<void> {
    await this.#watcher.met();
  }

  tick(): void {
    this.pool.tick();
    this.#watcher.tick();
    this.#rotation.tick();
  }

  apply(next: TargetPlan): void {
    const before = this.#now;
    this.#now = next;
    this.#network.target = next.database;
    this.#network.tlsClient = next.tls;
    this.#entrance.credentials = next.credentials.at(next.database);
    this.#entrance.settings = entranceSettings(next);
    this.pool.reconfigure(next.plan.proxy.pool);
    // Healthy connections stay unless they lead elsewhere or were prepared otherwise (trap PG-109).
    if (way(before) !== way(next)) this.pool.retire(undefined);
    this.#watch(JSON.stringify(before.database) !== JSON.stringify(next.database));
  }

  /** The credentials were read again. */
  renew(): void {
    this.#watch(false);
  }

  /** The passwords of these users are others now. */
  rotate(users: readonly string[]): void {
    for (const user of users) this.#rotation.begin(user);
  }

  /** From here on connections close as they are given back. */
  drain(): void {
    this.pool.drain();
  }

  stop(): void {
    this.pool.destroy();
    this.#watcher.stop();
    this.#parts.report.stop();
  }

  /** Watches as whom it can be watched now. */
  #watch(isElsewhere: boolean): void {
    const before = this.#watcher.settings;
    const settings = watcherSettings(this.#now);
    const isBlind = settings.user === undefined && before.trouble !== settings.trouble;
    if (isElsewhere || before.user !== settings.user || isBlind) this.#watcher.restart(settings);
    else this.#watcher.settings = settings;
  }

  /** Who watches does so with the new password, too. */
  #signInAnew(user: string): void {
    if (this.#watcher.settings.user === user) this.#watcher.renew();
  }

  #healthChanged({ state, reason, description }: TargetHealth): void {
    const { plan, database } = this.#now;
    const isUp = state === 'AVAILABLE';
    this.#parts.around.log.event(isUp ? 'info' : 'warn', 'targetHealth', {
      message: `The target ${database.identifier} is ${state}.${description === undefined ? '' : ` ${description}`}`,
      proxy: plan.proxy.name,
      target: database.identifier,
      state,
      reason,
      detail: description,
      allowed: isUp ? this.pool.allowed : undefined,
    });
    this.#parts.healthChanged();
  }

  #secretTrouble(message: string): void {
    const { plan, database } = this.#now;
    this.#parts.around.log.event('warn', 'secretTrouble', {
      message,
      proxy: plan.proxy.name,
      target: database.identifier,
    });
  }
}

function entranceSettings({
  plan: { proxy },
  database,
}: TargetPlan): Entrance<unknown, Principal>['settings'] {
  return {
    tlsMode: database.tlsMode,
    tlsFirst: database.tlsFirst,
    channelBinding: database.channelBinding,
    allowCleartext: database.allowCleartextPassword,
    initQuery: proxy.initQuery,
  };
}

function watcherSettings({ database, credentials }: TargetPlan): WatcherSettings {
  const { someUser: user, trouble } = credentials;
  return { user, trouble, database: database.database, ...WATCH };
}

/** All that makes a database connection what it is, beside its user: not how many there may be, nor who watches. */
function way({ plan: { proxy }, database }: TargetPlan): string {
  const { maxConnections: _1, database: _2, role: _3, cluster: _4, ...more } = database;
  const { aws: _5, resourceId: _6, trouble: _7, ...rest } = more;
  return JSON.stringify([rest, proxy.initQuery]);
}
