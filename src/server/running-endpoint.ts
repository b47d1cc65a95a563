import type { TickingClock } from '../base/clock.ts';
import type { Engine, Principal } from '../core/engine.ts';
import type { Counters } from '../core/observer.ts';
import { Proxy } from '../core/proxy.ts';
import type { Targets } from '../core/targets.ts';
import type { MetricsSource } from '../metrics/render.ts';
import type { Listener } from '../net/listener.ts';
import { listen } from '../net/listener.ts';
import type { TlsServer } from '../net/tls.ts';
import type { CredentialBook } from './credentials.ts';
import { introduction } from './introduction.ts';
import { Keeper } from './keeper.ts';
import { SocketNetwork } from './network.ts';
import { withinOpenFiles } from './open-files.ts';
import type { ProxyPlan } from './plans.ts';
import type { Report } from './report.ts';
import type { Surroundings } from './running-proxy.ts';
import { listensOf } from './settings/settings.ts';
import type { EndpointSettings, ProxySettings } from './settings/settings.ts';

/** Metrics and logs call the endpoint that comes with the proxy so. */
export const DEFAULT = 'default';

/** What an endpoint is to be, all read and derived. */
export interface EndpointPlan {
  readonly plan: ProxyPlan;
  readonly endpoint: EndpointSettings;
  readonly credentials: CredentialBook;
  readonly tls: TlsServer;
}

interface Parts<Memory, Who extends Principal> {
  readonly engine: Engine<Memory, Who>;
  readonly around: Surroundings;
  readonly deadlines: TickingClock;
  readonly counters: Counters;
  readonly report: Report;
  readonly targets: Targets<Memory, Who>;
}

/** One address of a proxy at work, and the clients that came by it. */
export class RunningEndpoint<Memory, Who extends Principal> {
  readonly #parts: Parts<Memory, Who>;
  readonly #network: SocketNetwork;
  readonly #proxy: Proxy<Memory, Who>;
  #listening: Listener;
  #now: EndpointPlan;

  /** Throws where it cannot listen. */
  constructor(parts: Parts<Memory, Who>, first: EndpointPlan) {
    const { engine, around, deadlines, counters, report: observer, targets } = parts;
    const { clock, random, share } = around;
    this.#parts = parts;
    this.#now = first;
    this.#network = new SocketNetwork(deadlines, first.plan.database);
    this.#network.tlsServer = first.tls;
    this.#listening = this.#listen(first.endpoint);
    this.#proxy = new Proxy(
      {
        engine,
        network: this.#network,
        clock,
        random,
        share,
        counters,
        observer,
        targets,
        introduce: (link) => {
          const { proxy } = this.#now.plan;
          return proxy.proxyProtocol === 'disabled' ? undefined : introduction(link, proxy);
        },
        forwardCancel: (worker, number, secret) =>
          around.forwardCancel?.(this.#now.plan.proxy.id, worker, number, secret),
      },
      { clients: this.#clients(), keeper: this.#keeper() },
    );
  }

  get settings(): EndpointSettings {
    return this.#now.endpoint;
  }

  get listening(): Listener {
    return this.#listening;
  }

  get source(): MetricsSource {
    const { plan, endpoint } = this.#now;
    return {
      proxy: plan.proxy.name,
      endpoint: endpoint.name,
      counters: this.#parts.counters,
      targetUp: false,
      gauges: () => this.#proxy.gauges(),
    };
  }

  tick(): void {
    this.#proxy.tick();
  }

  /**
   * Listens elsewhere. On the same port of another host we would stand in our own way: there is a moment without a listener. Throws, and
   * stays where it is, where it cannot.
   */
  move({ listen: to }: Pick<EndpointSettings, 'listen'>): void {
    const from = this.#now.endpoint;
    if (from.listen.host === to.host && from.listen.port === to.port) return;
    if (from.listen.port !== to.port) {
      const listening = this.#listen({ listen: to });
      this.#listening.stop();
      this.#listening = listening;
    } else {
      this.#listening.stop();
      try {
        this.#listening = this.#listen({ listen: to });
      } catch (error) {
        this.#listening = this.#listen(from);
        throw error;
      }
    }
    this.#now = { ...this.#now, endpoint: { ...from, listen: to } };
  }

  /** It must have moved before. */
  apply(next: EndpointPlan): void {
    this.#now = next;
    this.#network.tlsServer = next.tls;
    this.#proxy.reconfigure({ clients: this.#clients(), keeper: this.#keeper() });
    this.#proxy.moveAllOn();
  }

  /** Another certificate is shown from here on. */
  show(tls: TlsServer): void {
    this.#now = { ...this.#now, tls };
    this.#network.tlsServer = tls;
  }

  /** Targets have come or gone. */
  moveOn(): void {
    this.#proxy.moveAllOn();
  }

  cancel(number: number, secret: Uint8Array): void {
    this.#proxy.cancel(number, secret);
  }

  stopListening(): void {
    this.#listening.stop();
  }

  /** Takes it back. */
  listenAgain(): void {
    this.#listening = this.#listen(this.#now.endpoint);
  }

  async drain(limitMs: number): Promise<void> {
    this.stopListening();
    await this.#proxy.drain(limitMs);
    this.#parts.report.stop();
  }

  #listen({ listen: address }: Pick<EndpointSettings, 'listen'>): Listener {
    const { plan, endpoint } = this.#now;
    const { log, share } = this.#parts.around;
    const listening = listen(address, share.count > 1, (link) => this.#proxy.accept(link));
    const what = endpoint.id === DEFAULT ? '' : `, endpoint ${endpoint.name},`;
    log.event('info', 'listening', {
      message: `Proxy ${plan.proxy.name}${what} listens on ${listening.host}, port ${listening.port}.`,
      proxy: plan.proxy.name,
      ...(endpoint.id !== DEFAULT && { endpoint: endpoint.name }),
      host: listening.host,
      port: listening.port,
    });
    return listening;
  }

  #keeper(): Keeper {
    const { plan, endpoint, credentials } = this.#now;
    const { settings, proxy } = plan;
    return new Keeper({
      credentials,
      keys: plan.keys,
      region: settings.region,
      account: settings.account,
      proxyId: proxy.id,
      hostnames: endpoint.hostnames,
      port: this.#listening.port,
      requiresTls: proxy.requireTls,
      saltKey: this.#parts.around.saltKey,
      clock: this.#parts.around.clock,
    });
  }

  #clients(): ProxySettings {
    const { settings, proxy } = this.#now.plan;
    const { log, share } = this.#parts.around;
    const listeners = settings.proxies.flatMap(listensOf).length;
    return withinOpenFiles(proxy, { proxies: listeners, processes: share.count }, log);
  }
}
