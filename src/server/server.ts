import { SaltedPasswords } from '../auth/scram.ts';
import type { Log } from '../base/log.ts';
import type { EngineFamily } from '../core/engine.ts';
import { mysqlEngine } from '../engine/mysql/engine.ts';
import { postgresEngine } from '../engine/postgres/engine.ts';
import type { Readiness } from './admin.ts';
import type { ProxyPlan } from './plans.ts';
import { collect, plansOf, tlsTrouble } from './plans.ts';
import type { RunningProxy, Surroundings } from './running-proxy.ts';
import { startProxy } from './running-proxy.ts';
import type { Settings } from './settings/settings.ts';
import type { MetricsSource } from '../metrics/render.ts';
import { Tidying } from './tidying.ts';

const RENEW_FILES_EVERY_MS = 60_000;
const TIDY_EVERY_MS = 1_000;

/** All proxies of one process. */
export class Server {
  readonly #around: Surroundings;
  readonly #proxies = new Map<string, RunningProxy>();
  /** Costly to derive, and the same at all proxies. */
  readonly #saltedPasswords = new SaltedPasswords();
  readonly #tidying = new Tidying(() => Bun.gc(true));
  readonly #stopRenewing: () => void;
  readonly #stopTidying: () => void;

  constructor(around: Surroundings) {
    this.#around = around;
    this.#stopRenewing = around.clock.every(RENEW_FILES_EVERY_MS, () => void this.#renewFiles());
    this.#stopTidying = around.clock.every(TIDY_EVERY_MS, () =>
      this.#tidying.tick(this.sources().map(({ counters }) => counters)),
    );
  }

  /**
   * Makes what runs what the settings say: starts, changes and ends proxies, and drops no client of those that stay. Where
   * a file that they name cannot be used, nothing changes. What cannot be done is returned as sentences.
   */
  async apply(settings: Settings): Promise<readonly string[]> {
    const plans = plansOf(settings);
    const problems = await tlsTrouble(plans, this.#around.certificates);
    if (problems.length > 0) return problems;
    const wanted = new Set(settings.proxies.map((proxy) => proxy.name));
    for (const [name, running] of this.#proxies) {
      if (wanted.has(name)) continue;
      this.#proxies.delete(name);
      void running.drain(settings.drainTimeoutMs);
    }
    return collect(plans, (plan) => this.#applyOne(plan));
  }

  /** A cancel request that arrived at another process. */
  cancel(proxy: string, number: number, secret: Uint8Array): void {
    this.#proxies.get(proxy)?.cancel(number, secret);
  }

  get proxies(): readonly RunningProxy[] {
    return [...this.#proxies.values()];
  }

  sources(): MetricsSource[] {
    return this.proxies.map((proxy) => proxy.source);
  }

  readiness(): Readiness {
    const targets = this.proxies.map((proxy) => proxy.readiness);
    return { ready: targets.every(({ state }) => state === 'AVAILABLE'), targets };
  }

  async drain(limitMs: number): Promise<void> {
    this.#stopRenewing();
    this.#stopTidying();
    await Promise.all(this.proxies.map((proxy) => proxy.drain(limitMs)));
  }

  async #applyOne(plan: ProxyPlan): Promise<void> {
    const { name } = plan.proxy;
    const running = this.#proxies.get(name);
    if (running === undefined)
      this.#proxies.set(name, await this.#start(plan.proxy.engineFamily, plan));
    else await running.apply(plan);
  }

  #start(family: EngineFamily, plan: ProxyPlan): Promise<RunningProxy> {
    switch (family) {
      case 'POSTGRESQL':
        return startProxy(postgresEngine(this.#saltedPasswords), plan, this.#around);
      case 'MYSQL':
        return startProxy(mysqlEngine(), plan, this.#around);
      case 'SQLSERVER':
        return Promise.reject(new Error(`engine family ${family} is not supported yet`));
    }
  }

  async #renewFiles(): Promise<void> {
    for (const proxy of this.proxies) {
      await proxy.renew().catch((error: unknown) => logTrouble(this.#around.log, proxy, error));
    }
  }
}

function logTrouble(log: Log, proxy: RunningProxy, error: unknown): void {
  const { name } = proxy.plan.proxy;
  const why = error instanceof Error ? error.message : String(error);
  log.event('warn', 'certificateTrouble', {
    message: `The certificate of proxy ${name} could not be read again; the old one stays: ${why}`,
    proxy: name,
  });
}
