import type { Clock } from '../base/clock.ts';
import type { Engine, Principal } from './engine.ts';
import type { Entered, Entrance } from './entrance.ts';
import type { Fault } from './fault.ts';
import { FaultError } from './fault.ts';
import type { Network } from './network.ts';

/** RDS's TargetHealth. */
export interface TargetHealth {
  readonly state: 'REGISTERING' | 'AVAILABLE' | 'UNAVAILABLE';
  readonly reason?: 'UNREACHABLE' | 'CONNECTION_FAILED' | 'AUTH_FAILURE';
  readonly description?: string;
}

export interface WatcherSettings {
  /** As whom to watch; undefined where the proxy has no credentials. */
  readonly user: string | undefined;
  /** Why it has none, or not all, as a sentence; undefined where nothing is amiss. */
  readonly trouble: string | undefined;
  /** The database to be connected to; undefined where the engine needs none. */
  readonly database: string | undefined;
  readonly refreshMs: number;
  readonly retryMs: number;
  readonly timeoutMs: number;
}

interface WatcherParts<Memory, Who extends Principal> {
  readonly engine: Engine<Memory, Who>;
  readonly network: Network;
  readonly entrance: Entrance<Memory, Who>;
  readonly clock: Clock;
  measured(connections: number): void;
  changed(health: TargetHealth): void;
}

/** Keeps one connection of its own to the target: knows whether it is there, and how many connections it grants. */
export class Watcher<Memory, Who extends Principal> {
  readonly #parts: WatcherParts<Memory, Who>;
  settings: WatcherSettings;
  #health: TargetHealth = { state: 'REGISTERING' };
  #entered: Entered<Memory> | undefined;
  #busy = false;
  #nextAtMs = 0;
  /** Another connection is wanted in the place of the one that there is. */
  #isStale = false;
  #stopped = false;
  /** Who wants to know whether the target is there at all. */
  #curious: { readonly resolve: () => void; readonly reject: (error: FaultError) => void }[] = [];
  /** Counts restarts: what a look finds out that began before one is of no interest any more. */
  #round = 0;

  constructor(parts: WatcherParts<Memory, Who>, settings: WatcherSettings) {
    this.#parts = parts;
    this.settings = settings;
  }

  get health(): TargetHealth {
    return this.#health;
  }

  tick(): void {
    if (this.#busy || this.#stopped || this.#parts.clock.nowMs() < this.#nextAtMs) return;
    this.#busy = true;
    void this.#look(this.#round);
  }

  /** Resolves when the target is known to be there. Rejects with a `FaultError` that says why it is not. */
  met(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#curious.push({ resolve, reject });
      this.#tellTheCurious();
    });
  }

  /** Looks again at the next tick, on a new connection: the target or the credentials have changed. */
  restart(settings: WatcherSettings): void {
    this.settings = settings;
    this.#forget();
    this.#busy = false;
    this.#nextAtMs = 0;
  }

  /** Looks again at the next tick, on a new connection if it can have one: the one that it has was made with an old password. */
  renew(): void {
    this.#isStale = true;
    this.#nextAtMs = 0;
  }

  stop(): void {
    this.#stopped = true;
    this.#forget();
  }

  async #look(round: number): Promise<void> {
    const { clock, measured } = this.#parts;
    const { refreshMs, retryMs } = this.settings;
    try {
      const connections = await this.#measure(round);
      if (round !== this.#round) return;
      measured(connections);
      this.#become({ state: 'AVAILABLE' });
      this.#nextAtMs = clock.nowMs() + refreshMs;
    } catch (error) {
      if (round !== this.#round) return;
      this.#entered?.link.destroy();
      this.#entered = undefined;
      this.#become(healthOf(error));
      this.#nextAtMs = clock.nowMs() + retryMs;
    }
    this.#busy = false;
  }

  async #measure(round: number): Promise<number> {
    const { engine, network } = this.#parts;
    const { timeoutMs } = this.settings;
    const entered = await this.#enterOrStay();
    if (round !== this.#round) {
      this.#leave(entered);
      return 0;
    }
    this.#entered = entered;
    const { result } = await network.talk(entered.link, engine.measure(entered.memory), {
      timeoutMs,
    });
    entered.link.handler = { data: () => {}, drained: () => {}, closed: () => this.#lost(entered) };
    return result.connections;
  }

  async #enterOrStay(): Promise<Entered<Memory>> {
    const before = this.#entered;
    if (before === undefined) return await this.#enter();
    if (!this.#isStale) return before;
    this.#isStale = false;
    const entered = await this.#enter().catch(() => undefined);
    if (entered === undefined) return before;
    if (this.#entered === before) {
      this.#entered = undefined;
      this.#leave(before);
    }
    return entered;
  }

  #enter(): Promise<Entered<Memory>> {
    const { user, trouble, database, timeoutMs } = this.settings;
    if (user === undefined) {
      return Promise.reject(
        new FaultError({
          name: 'databaseRefused',
          refusal: 'credentials',
          detail: `Proxy does not have any registered credentials${trouble === undefined ? '' : `. ${trouble}`}`,
        }),
      );
    }
    // Without the init query: it is for the clients' databases, and this may be another one.
    return this.#parts.entrance.enter(this.#parts.engine.watcher(user, database), timeoutMs, '');
  }

  #forget(): void {
    this.#round += 1;
    if (this.#entered !== undefined) this.#leave(this.#entered);
    this.#entered = undefined;
  }

  #leave({ link }: Entered<Memory>): void {
    link.write(this.#parts.engine.goodbye());
    link.end();
  }

  /** The target closed the connection while nothing was asked of it. */
  #lost(entered: Entered<Memory>): void {
    if (this.#entered !== entered) return;
    this.#entered = undefined;
    this.#nextAtMs = 0; // find out at once
  }

  #tellTheCurious(): void {
    const { state, reason, description: detail = '' } = this.#health;
    if (state === 'REGISTERING') return;
    const refusal = reason === 'AUTH_FAILURE' ? 'credentials' : 'later';
    const fault: Fault = { name: 'databaseRefused', refusal, detail };
    for (const { resolve, reject } of this.#curious) {
      if (state === 'AVAILABLE') resolve();
      else reject(new FaultError(fault));
    }
    this.#curious = [];
  }

  #become(health: TargetHealth): void {
    const before = this.#health;
    this.#health = health;
    this.#tellTheCurious();
    if (before.state !== health.state || before.description !== health.description)
      this.#parts.changed(health);
  }
}

function healthOf(error: unknown): TargetHealth {
  const description = error instanceof Error ? error.message : String(error);
  if (!(error instanceof FaultError))
    return { state: 'UNAVAILABLE', reason: 'UNREACHABLE', description };
  const reason = error.fault.refusal === 'credentials' ? 'AUTH_FAILURE' : 'CONNECTION_FAILED';
  return { state: 'UNAVAILABLE', reason, description };
}
