import type { Clock } from '../base/clock.ts';
import type { Random } from '../base/random.ts';
import type { Share } from './budget.ts';
import type { Engine, Principal } from './engine.ts';
import type { Entrance } from './entrance.ts';
import type { Network } from './network.ts';
import type { Counters, Observer } from './observer.ts';

/** How a pool behaves; may change while it works. */
export interface PoolSettings {
  readonly maxConnectionsPercent: number;
  readonly maxIdleConnectionsPercent: number;
  readonly borrowTimeoutMs: number;
  readonly idleTimeoutMs: number;
  readonly lifetimeMs: number;
  readonly pingIntervalMs: number;
  readonly connectTimeoutMs: number;
  readonly maxConnecting: number;
}

/** What a pool works with. */
export interface PoolParts<Memory, Who extends Principal> {
  readonly engine: Engine<Memory, Who>;
  readonly network: Network;
  readonly entrance: Entrance<Memory, Who>;
  readonly counters: Counters;
  readonly observer: Observer;
  readonly clock: Clock;
  readonly random: Random;
  /** Of several processes that share the budget, which this is; by default the only one. */
  readonly share?: Share;
}
