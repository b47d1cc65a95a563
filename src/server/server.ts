import type { AwsAccount } from '../aws/account.ts';
import { SaltedPasswords } from '../auth/salted-passwords.ts';
import { must } from '../base/assert.ts';
import type { Log } from '../base/log.ts';
import type { EngineFamily } from '../core/engine.ts';
import { mysqlEngine } from '../engine/mysql/engine.ts';
import { postgresEngine } from '../engine/postgres/engine.ts';
import { sqlServerEngine } from '../engine/sqlserver/engine.ts';
import type { Readiness, TargetReadiness } from './admin.ts';
import type { ProxyFacts } from './control/facts.ts';
import type { ProxyPlan } from './plans.ts';
import { collect, plansOf, tlsTrouble } from './plans.ts';
import type { RunningProxy, Surroundings } from './running-proxy.ts';
import { startProxy } from './running-proxy.ts';
import { clash } from './settings/cross-checks.ts';
import { listensOf } from './settings/settings.ts';
import type { Settings } from './settings/settings.ts';
import { sayAddress } from '../net/wording.ts';
import type { MetricsSource } from '../metrics/render.ts';
import { Tidying } from './tidying.ts';

const RENEW_FILES_EVERY_MS = 60_000;
const TIDY_EVERY_MS = 1_000;

interface Trouble {
  readonly plan: ProxyPlan;
  /** A sentence. */
  readonly why: string;
}

/** All proxies of one process. */
export class Server {
  readonly #around: Surroundings;
  /** By their ids, which stay when a name changes. */
  readonly #proxies = new Map<string, RunningProxy>();
  /** What the API has made and that cannot be as it shall be. */
  readonly #troubles = new Map<string, Trouble>();
  /** Those that let work under way end. */
  readonly #ending = new Set<RunningProxy>();
  /** Costly to derive, and the same at all proxies. */
  readonly #saltedPasswords = new SaltedPasswords();
  readonly #tidying = new Tidying(() => Bun.gc(true));
  #settings: Settings | undefined;
  readonly #stopRenewing: () => void;
  readonly #stopTidying: () => void;

  constructor(around: Surroundings) {
    this.#around = around;
    this.#stopRenewing = around.clock.every(RENEW_FILES_EVERY_MS, () => void this.renew());
    this.#stopTidying = around.clock.every(TIDY_EVERY_MS, () =>
      this.#tidying.tick(this.sources().map(({ counters }) => counters)),
    );
  }

  /**
   * Makes what runs what the settings say: starts, changes and ends proxies, and drops no client of those that stay. Where
   * a file that they name cannot be used, nothing changes. What cannot be done is returned as sentences, but for what the API has
   * made, which keeps nothing else from being done: that is in `troubles`.
   * @param aws where AWS may be asked
   */
  async apply(settings: Settings, aws?: AwsAccount): Promise<readonly string[]> {
    const plans = plansOf(settings, this.#around.made, aws);
    const declared = plans.filter(({ proxy }) => proxy.revision === undefined);
    const problems = await tlsTrouble(declared, this.#around.certificates);
    if (problems.length > 0) return problems;
    // One after the other, they would wait long for what is far away.
    if (aws !== undefined) await readAhead(plans);
    this.#settings = settings;
    const wanted = new Set(settings.proxies.map((proxy) => proxy.id));
    for (const [id, running] of this.#proxies) {
      if (wanted.has(id)) continue;
      this.#proxies.delete(id);
      void this.#end(running, settings.drainTimeoutMs);
    }
    const trouble = await collect(declared, (plan) => this.#applyOne(plan));
    await this.#applyMade(plans.filter(({ proxy }) => proxy.revision !== undefined));
    return trouble;
  }

  async #applyMade(plans: readonly ProxyPlan[]): Promise<void> {
    const troubles = new Map<string, Trouble>();
    for (const plan of plans) {
      const [why] = await collect([plan], () => this.#applyOne(plan));
      if (why !== undefined) troubles.set(plan.proxy.id, { plan, why });
    }
    this.#troubles.clear();
    for (const [id, trouble] of troubles) this.#troubles.set(id, trouble);
  }

  /** What the API has made and that cannot be as it shall be, as sentences. */
  get troubles(): readonly string[] {
    return [...this.#troubles.values()].map(({ why }) => why);
  }

  /** What was applied last. */
  get settings(): Settings | undefined {
    return this.#settings;
  }

  /** A cancel request that arrived at another process. `proxy` is the proxy's id. */
  cancel(proxy: string, number: number, secret: Uint8Array): void {
    this.#proxies.get(proxy)?.cancel(number, secret);
  }

  get proxies(): readonly RunningProxy[] {
    return [...this.#proxies.values()];
  }

  sources(): MetricsSource[] {
    return this.proxies.flatMap((proxy) => proxy.sources);
  }

  readiness(): Readiness {
    const targets = [
      ...this.proxies.flatMap((proxy) => proxy.readiness),
      ...this.#failed().map(readinessOf),
    ];
    return { ready: areReady(targets), targets };
  }

  /** What runs, for the API to tell of. */
  facts(): readonly ProxyFacts[] {
    const running = this.proxies.map((proxy) => {
      const fact = factOf(proxy, 'running');
      const trouble = this.#troubles.get(fact.id)?.why;
      return trouble === undefined ? fact : { ...fact, trouble };
    });
    const failed = this.#failed().map(failedFactOf);
    const known = new Set([...running, ...failed].map(({ id }) => id));
    const ending = [...this.#ending].map((proxy) => factOf(proxy, 'ending'));
    return [...running, ...failed, ...ending.filter(({ id }) => !known.has(id))];
  }

  /** Of the troubles those of what does not run at all. */
  #failed(): readonly Trouble[] {
    return [...this.#troubles.values()].filter(({ plan }) => !this.#proxies.has(plan.proxy.id));
  }

  async drain(limitMs: number): Promise<void> {
    this.#stopRenewing();
    this.#stopTidying();
    await Promise.all(this.proxies.map((proxy) => this.#end(proxy, limitMs)));
  }

  async #end(proxy: RunningProxy, limitMs: number): Promise<void> {
    this.#ending.add(proxy);
    await proxy.drain(limitMs);
    this.#ending.delete(proxy);
  }

  async #applyOne(plan: ProxyPlan): Promise<void> {
    const { id, engineFamily } = plan.proxy;
    this.#refuseClash(plan);
    const running = this.#proxies.get(id);
    if (running === undefined) this.#proxies.set(id, await this.#start(engineFamily, plan));
    else await running.apply(plan);
  }

  /** Processes that share their ports are not told by the system that one of their own proxies is there. */
  #refuseClash({ proxy }: ProxyPlan): void {
    for (const { plan } of this.proxies) {
      if (plan.proxy.id === proxy.id) continue;
      const taken = listensOf(plan.proxy);
      const clashing = listensOf(proxy).find((one) => taken.some((other) => clash(one, other)));
      if (clashing !== undefined)
        throw new Error(
          `cannot listen on ${sayAddress(clashing.host, clashing.port)}: the proxy ${plan.proxy.name} listens there`,
        );
    }
  }

  #start(family: EngineFamily, plan: ProxyPlan): Promise<RunningProxy> {
    switch (family) {
      case 'POSTGRESQL':
        return startProxy(() => postgresEngine(this.#saltedPasswords), plan, this.#around);
      case 'MYSQL':
        return startProxy(mysqlEngine, plan, this.#around);
      case 'SQLSERVER':
        return startProxy(sqlServerEngine, plan, this.#around);
    }
  }

  /** Reads certificates and secrets again: those of files once a minute, those that the API keeps when it has changed them. */
  async renew(): Promise<void> {
    for (const proxy of this.proxies) {
      await proxy.renew().catch((error: unknown) => logTrouble(this.#around.log, proxy, error));
    }
  }
}

/** Never rejects: what cannot be read is told by whoever needs it. */
async function readAhead(plans: readonly ProxyPlan[]): Promise<void> {
  await Promise.allSettled(
    plans.flatMap(({ proxy, secrets }) => proxy.auth.map(({ secret }) => secrets.current(secret))),
  );
}

function isUp({ state }: TargetReadiness): boolean {
  return state === 'AVAILABLE';
}

/** All are there; of a proxy's readers, one is enough. */
function areReady(targets: readonly TargetReadiness[]): boolean {
  const readers = Map.groupBy(
    targets.filter(({ role }) => role === 'READ_ONLY'),
    ({ proxy }) => proxy,
  );
  const others = targets.filter(({ role }) => role === undefined);
  return others.every(isUp) && [...readers.values()].every((some) => some.some(isUp));
}

function factOf(
  { plan: { proxy }, listening, readiness }: RunningProxy,
  stage: ProxyFacts['stage'],
): ProxyFacts {
  const revision = proxy.revision === undefined ? {} : { revision: proxy.revision };
  const [writer, ...readers] = readiness.map(({ proxy: _name, role: _role, ...health }) => health);
  const own = must(writer, 'a proxy without its target');
  return { id: proxy.id, stage, port: listening.port, ...revision, ...own, readers };
}

function readinessOf({ plan: { proxy }, why }: Trouble): TargetReadiness {
  return { proxy: proxy.name, target: proxy.target, state: 'UNAVAILABLE', description: why };
}

function failedFactOf(trouble: Trouble): ProxyFacts {
  const { proxy: _name, ...health } = readinessOf(trouble);
  const { id } = trouble.plan.proxy;
  return { id, stage: 'failed', trouble: trouble.why, ...health, readers: [] };
}

function logTrouble(log: Log, proxy: RunningProxy, error: unknown): void {
  const { name } = proxy.plan.proxy;
  const why = error instanceof Error ? error.message : String(error);
  log.event('warn', 'certificateTrouble', {
    message: `The certificate of proxy ${name} could not be read again; the old one stays: ${why}`,
    proxy: name,
  });
}
