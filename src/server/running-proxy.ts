import type { Clock } from '../base/clock.ts';
import { TickingClock } from '../base/clock.ts';
import type { Log, LogContext } from '../base/log.ts';
import type { Random } from '../base/random.ts';
import type { Share } from '../core/budget.ts';
import type { Engine, Principal } from '../core/engine.ts';
import { Counters } from '../core/observer.ts';
import { Targets } from '../core/targets.ts';
import type { MetricsSource } from '../metrics/render.ts';
import type { Listener } from '../net/listener.ts';
import type { TargetReadiness } from './admin.ts';
import type { Made } from './made.ts';
import type { ProxyPlan } from './plans.ts';
import { Report } from './report.ts';
import { Passwords } from './passwords.ts';
import { defaultEndpoint, endpointPlan, keyOf, prepare, targetPlan } from './prepared.ts';
import type { Prepared } from './prepared.ts';
import { DEFAULT, RunningEndpoint } from './running-endpoint.ts';
import type { EndpointPlan } from './running-endpoint.ts';
import { RunningTarget } from './running-target.ts';
import type { TargetPlan } from './running-target.ts';
import type { EndpointSettings } from './settings/settings.ts';
import type { CertificateSource } from './tls-material.ts';
import { loadServerTls } from './tls-material.ts';

/** What all proxies of a process share. */
export interface Surroundings {
  readonly log: Log;
  readonly clock: Clock;
  readonly random: Random;
  readonly certificates: CertificateSource;
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
export const SALT_KEY_BYTES = 32;

/** The words are RDS Proxy's, for a target group without a writer. */
const NO_READERS = "The target group doesn't have any associated read-only instances";
const NO_WRITER = "The target group doesn't have any associated read/write instances";

/** A proxy at work, as the rest of the server sees it. */
export interface RunningProxy {
  readonly plan: ProxyPlan;
  /** Of the endpoint that comes with the proxy. */
  readonly listening: Listener;
  readonly sources: readonly MetricsSource[];
  /** Of the writer first, then of the readers, where there are endpoints that lead to them. */
  readonly readiness: readonly TargetReadiness[];
  /** Takes over new settings without dropping a client. Rejects, and leaves everything as it was, where they cannot be used. */
  apply(plan: ProxyPlan): Promise<void>;
  /** Reads certificate and secret files again. Rejects where a certificate cannot be used; the old one stays. */
  renew(): Promise<void>;
  stopListening(): void;
  /** A client of another process asked for this. */
  cancel(number: number, secret: Uint8Array): void;
  drain(limitMs: number): Promise<void>;
}

/**
 * Starts a proxy. Rejects where it cannot listen, or a file of its settings cannot be read.
 * @param makeEngine what is learnt of the writer, and of the readers together, is learnt by an engine of its own
 */
export async function startProxy<Memory, Who extends Principal>(
  makeEngine: () => Engine<Memory, Who>,
  plan: ProxyPlan,
  around: Surroundings,
): Promise<RunningProxy> {
  const prepared = await prepare(plan, around);
  return new PlannedProxy(makeEngine, prepared, around);
}

class PlannedProxy<Memory, Who extends Principal> implements RunningProxy {
  readonly #around: Surroundings;
  readonly #deadlines: TickingClock;
  readonly #engine: Engine<Memory, Who>;
  readonly #readersEngine: Engine<Memory, Who>;
  readonly #writer: RunningTarget<Memory, Who>;
  /** By identifier: those that READ_ONLY endpoints lead to. */
  readonly #readers = new Map<string, RunningTarget<Memory, Who>>();
  readonly #toWriter: Targets<Memory, Who>;
  readonly #toReaders: Targets<Memory, Who>;
  readonly #default: RunningEndpoint<Memory, Who>;
  /** The others, by their keys. */
  readonly #endpoints = new Map<string, RunningEndpoint<Memory, Who>>();
  /** Readers that are none any more, and may still have sessions that cannot leave; and what calls their end off. */
  readonly #leaving = new Map<RunningTarget<Memory, Who>, () => void>();
  /** Endpoints that are gone, and let work under way end. */
  readonly #ending = new Set<RunningEndpoint<Memory, Who>>();
  readonly #passwords = new Passwords();
  readonly #stopTicking: () => void;
  #now: Prepared;

  constructor(makeEngine: () => Engine<Memory, Who>, first: Prepared, around: Surroundings) {
    const { clock } = around;
    this.#now = first;
    this.#around = around;
    this.#deadlines = new TickingClock(clock);
    this.#engine = makeEngine();
    this.#readersEngine = makeEngine();
    const shared = { counters: new Counters(), report: this.#report({ endpoint: DEFAULT }) };
    const { plan } = first;
    this.#writer = this.#target(this.#engine, shared, targetPlan(first, plan.database));
    this.#toWriter = new Targets([this.#writer], NO_WRITER);
    this.#toReaders = new Targets<Memory, Who>([], NO_READERS);
    this.#default = new RunningEndpoint(
      { ...this.#tools(this.#engine), ...shared, targets: this.#toWriter },
      endpointPlan(first, defaultEndpoint(plan)),
    );
    try {
      this.#openEndpoints(first);
    } catch (error) {
      this.#abandon();
      throw error;
    }
    this.#passwords.changedIn(first.credentials.passwords);
    this.#followReaders();
    this.#stopTicking = clock.every(TICK_MS, () => this.#tick());
  }

  get plan(): ProxyPlan {
    return this.#now.plan;
  }

  get listening(): Listener {
    return this.#default.listening;
  }

  get sources(): readonly MetricsSource[] {
    const [own, writer] = [this.#default.source, this.#writer.source];
    return [
      { ...own, ...writer, gauges: () => ({ ...own.gauges(), ...writer.gauges() }) },
      ...[...this.#endpoints.values()].map(({ source }) => source),
      ...[...this.#readers.values()].map(({ source }) => source),
    ];
  }

  get readiness(): readonly TargetReadiness[] {
    const readers = [...this.#readers.values()].map(({ readiness }): TargetReadiness =>
      Object.assign(readiness, { role: 'READ_ONLY' as const }),
    );
    return [this.#writer.readiness, ...readers];
  }

  async apply(plan: ProxyPlan): Promise<void> {
    const next = await prepare(plan, this.#around);
    this.#listen(next);
    this.#now = next;
    this.#writer.apply(targetPlan(next, plan.database));
    this.#followReaders();
    this.#default.apply(endpointPlan(next, defaultEndpoint(plan)));
    for (const settings of plan.proxy.endpoints)
      this.#endpoints.get(keyOf(settings))?.apply(endpointPlan(next, settings));
    this.#rotate();
  }

  async renew(): Promise<void> {
    const now = this.#now;
    await now.credentials.renew();
    if (this.#now !== now) return; // `apply` has read later than we did
    for (const target of this.#targets) target.renew();
    this.#rotate();
    if (now.plan.proxy.tls === undefined) return;
    const tls = await loadServerTls(now.plan.proxy, this.#around.certificates);
    if (this.#now !== now) return;
    this.#now = { ...now, tlsServer: tls };
    for (const endpoint of this.#all) endpoint.show(tls);
  }

  stopListening(): void {
    for (const endpoint of this.#all) endpoint.stopListening();
  }

  cancel(number: number, secret: Uint8Array): void {
    for (const endpoint of this.#all) endpoint.cancel(number, secret);
  }

  async drain(limitMs: number): Promise<void> {
    for (const target of this.#targets) target.drain();
    await Promise.all(this.#all.map((endpoint) => endpoint.drain(limitMs)));
    this.#stopTicking();
    this.#abandon();
  }

  #abandon(): void {
    this.stopListening();
    for (const stop of this.#leaving.values()) stop();
    for (const target of [...this.#targets, ...this.#leaving.keys()]) target.stop();
  }

  get #all(): readonly RunningEndpoint<Memory, Who>[] {
    return [this.#default, ...this.#endpoints.values()];
  }

  get #targets(): readonly RunningTarget<Memory, Who>[] {
    return [this.#writer, ...this.#readers.values()];
  }

  #tick(): void {
    this.#deadlines.tick();
    for (const endpoint of [...this.#all, ...this.#ending]) endpoint.tick();
    for (const target of [...this.#targets, ...this.#leaving.keys()]) target.tick();
  }

  /** Connections that were made with passwords that are others by now make room. */
  #rotate(): void {
    const users = this.#passwords.changedIn(this.#now.credentials.passwords);
    for (const target of this.#targets) target.rotate(users);
  }

  // ---- endpoints --------------------------------------------------------------------------------------------------

  /** Listens where it shall; where one address cannot be had, nothing has changed afterwards. */
  #listen(next: Prepared): void {
    const { plan } = next;
    const undo: (() => void)[] = [];
    const move = (endpoint: RunningEndpoint<Memory, Who>, to: EndpointSettings): void => {
      const { listen } = endpoint.settings;
      endpoint.move(to);
      undo.push(() => endpoint.move({ listen }));
    };
    const wanted = new Set(plan.proxy.endpoints.map(keyOf));
    const gone = [...this.#endpoints].filter(([key]) => !wanted.has(key));
    try {
      for (const [, endpoint] of gone) {
        endpoint.stopListening();
        undo.push(() => endpoint.listenAgain());
      }
      move(this.#default, defaultEndpoint(plan));
      for (const settings of plan.proxy.endpoints) {
        const endpoint = this.#endpoints.get(keyOf(settings));
        if (endpoint !== undefined) move(endpoint, settings);
      }
      undo.push(...this.#openEndpoints(next));
    } catch (error) {
      for (const step of undo.toReversed()) step();
      throw error;
    }
    for (const [key, endpoint] of gone) {
      this.#endpoints.delete(key);
      void this.#end(endpoint, plan.settings.drainTimeoutMs);
    }
  }

  /** Those that are not there yet. Where one cannot listen, none of them does afterwards. */
  #openEndpoints(next: Prepared): readonly (() => void)[] {
    const undo: (() => void)[] = [];
    try {
      for (const settings of next.plan.proxy.endpoints) {
        const key = keyOf(settings);
        if (this.#endpoints.has(key)) continue;
        const endpoint = this.#endpoint(endpointPlan(next, settings));
        this.#endpoints.set(key, endpoint);
        undo.push(() => {
          endpoint.stopListening();
          this.#endpoints.delete(key);
        });
      }
    } catch (error) {
      for (const step of undo) step();
      throw error;
    }
    return undo;
  }

  #endpoint(first: EndpointPlan): RunningEndpoint<Memory, Who> {
    const isForReaders = first.endpoint.role === 'READ_ONLY';
    return new RunningEndpoint(
      {
        ...this.#tools(isForReaders ? this.#readersEngine : this.#engine),
        counters: new Counters(),
        report: this.#report({ endpoint: first.endpoint.name }),
        targets: isForReaders ? this.#toReaders : this.#toWriter,
      },
      first,
    );
  }

  async #end(endpoint: RunningEndpoint<Memory, Who>, limitMs: number): Promise<void> {
    this.#ending.add(endpoint);
    await endpoint.drain(limitMs);
    this.#ending.delete(endpoint);
  }

  // ---- readers ----------------------------------------------------------------------------------------------------

  /** Connects to the readers that there are now, if any endpoint leads to them, and leaves those that are none any more. */
  #followReaders(): void {
    const { plan } = this.#now;
    const isRead = plan.proxy.endpoints.some(({ role }) => role === 'READ_ONLY');
    const wanted = isRead ? plan.readers : [];
    const gone = [...this.#readers].filter(
      ([id]) => !wanted.some(({ identifier }) => identifier === id),
    );
    for (const database of wanted) this.#follow(targetPlan(this.#now, database));
    for (const [id] of gone) this.#readers.delete(id);
    this.#toReaders.replace([...this.#readers.values()]);
    if (gone.length === 0) return;
    for (const endpoint of this.#endpoints.values()) endpoint.moveOn();
    for (const [, target] of gone) this.#leave(target);
  }

  #follow(next: TargetPlan): void {
    const { identifier } = next.database;
    const known = this.#readers.get(identifier);
    if (known !== undefined) {
      known.apply(next);
      return;
    }
    const shared = { counters: new Counters(), report: this.#report({ target: identifier }) };
    this.#readers.set(identifier, this.#target(this.#readersEngine, shared, next));
  }

  /** Sessions have gone on; what is tied to it may end there. */
  #leave(target: RunningTarget<Memory, Who>): void {
    target.drain();
    const stop = this.#around.clock.after(this.plan.settings.drainTimeoutMs, () => {
      this.#leaving.delete(target);
      target.stop();
    });
    this.#leaving.set(target, stop);
  }

  #target(
    engine: Engine<Memory, Who>,
    shared: { readonly counters: Counters; readonly report: Report },
    first: TargetPlan,
  ): RunningTarget<Memory, Who> {
    const healthChanged = (): void => {
      for (const endpoint of this.#endpoints.values()) endpoint.moveOn();
    };
    return new RunningTarget({ ...this.#tools(engine), ...shared, healthChanged }, first);
  }

  #tools(engine: Engine<Memory, Who>) {
    return { engine, around: this.#around, deadlines: this.#deadlines };
  }

  #report(about: LogContext): Report {
    const { log, clock } = this.#around;
    return new Report({
      log,
      clock,
      about: { proxy: this.plan.proxy.name, ...about },
      debugLogging: () => this.plan.proxy.debugLogging,
      pinning: () => this.plan.proxy.relay.pinning,
    });
  }
}
