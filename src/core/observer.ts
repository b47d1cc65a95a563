import type { DiscardReason } from './discard.ts';
import type { Fault } from './fault.ts';
import type { Link } from './link.ts';
import type { PinReason } from './pin.ts';

/** Where the core reports what happens. Implemented by `server/` for logs; tests listen in. Numbers are counted in `Counters`. */
export interface Observer {
  /**
   * `via` is the peer that has passed the connection on and told whose it is. Whose it is costs a system call: only who wants to
   * know need ask the link.
   */
  clientConnected(client: number, link: Pick<Link, 'peer'>, via?: string): void;
  /** The peer did not tell, as it should, whose connection this is. `why` is undefined where time ran out. */
  introductionRefused(client: number, peer: string, why: string | undefined): void;
  clientSignedIn(client: number, user: string, method: string): void;
  clientRefused(client: number, peer: string, user: string, why: string): void;
  clientClosed(client: number, why: string): void;
  serverConnected(server: number, user: string, detail: string): void;
  serverFailed(user: string, why: string): void;
  serverDiscarded(server: number, reason: DiscardReason, detail: string): void;
  pinned(client: number, server: number, reason: PinReason, digest: string): void;
  unpinned(client: number, server: number, reason: PinReason): void;
  fault(client: number, fault: Fault): void;
  cancelled(client: number, server: number | undefined): void;
  bug(where: string, error: unknown): void;
}

/** Distribution of durations: powers of two of a microsecond, so that counting one costs a few nanoseconds. */
export class Latency {
  static readonly bucketCount = 33;
  count = 0;
  sumMicros = 0;
  /** `buckets[i]` counts durations below 2^i µs and at least 2^(i-1) µs; the last also counts all that is longer. */
  readonly buckets = new Float64Array(Latency.bucketCount);

  observeMs(durationMs: number): void {
    const micros = Math.max(0, durationMs * 1000);
    const bucket =
      micros < 1
        ? 0
        : Math.min(Latency.bucketCount - 1, 32 - Math.clz32(Math.min(micros, 4294967295)));
    this.count += 1;
    this.sumMicros += micros;
    this.buckets[bucket] = (this.buckets[bucket] ?? 0) + 1;
  }
}

/** One proxy's counters since it started. Named after CloudWatch's metrics of RDS Proxy. */
export class Counters {
  clientConnectionsReceived = 0;
  clientConnectionsClosed = 0;
  clientConnectionsSetupSucceeded = 0;
  clientConnectionsSetupFailedAuth = 0;
  databaseConnectionRequests = 0;
  databaseConnectionRequestsWithTls = 0;
  databaseConnectionsSetupSucceeded = 0;
  databaseConnectionsSetupFailed = 0;
  queryRequestsTls = 0;
  queryRequestsNoTls = 0;
  bytesFromClients = 0;
  bytesToClients = 0;
  cancelRequests = 0;
  borrowTimeouts = 0;
  readonly borrowLatency = new Latency();
  readonly queryResponseLatency = new Latency();
  readonly queryDatabaseResponseLatency = new Latency();
  readonly pins = new Map<PinReason, number>();
  readonly discards = new Map<DiscardReason, number>();

  /** A client was told of this. */
  countFault({ name }: Fault): void {
    if (name === 'borrowTimeout') this.borrowTimeouts += 1;
  }
}

/** What is true at this moment; asked for by metrics. */
export interface Gauges extends ClientGauges, TargetGauges {}

/** Of one endpoint. */
export interface ClientGauges {
  clientConnections: number;
  clientConnectionsInSetup: number;
  clientConnectionsTls: number;
  clientConnectionsNoTls: number;
  clientsWaiting: number;
  longestWaitMs: number;
}

/** Of one target. */
export interface TargetGauges {
  databaseConnections: number;
  databaseConnectionsWithTls: number;
  databaseConnectionsIdle: number;
  databaseConnectionsCurrentlyBorrowed: number;
  databaseConnectionsCurrentlyInTransaction: number;
  databaseConnectionsCurrentlySessionPinned: number;
  maxDatabaseConnectionsAllowed: number;
}
