/** A transaction that a client has finished. */
export interface Finish {
  readonly client: number;
  readonly latencyMicros: number;
  /** Since 1970. */
  readonly atMicros: number;
}

/** Transactions that were finished in a span of time. */
export interface Finished {
  readonly count: number;
  /** How long they took, in microseconds, sorted. */
  readonly latencies: Float64Array;
}

/** With `sinceLast` a transaction takes the time since the same client's last one, whatever is said of its latency. */
export function finishedBetween(
  finishes: readonly Finish[],
  span: { readonly beganMicros: number; readonly endedMicros: number },
  sinceLast: boolean,
): Finished {
  const last = new Map<number, number>();
  const latencies: number[] = [];
  let count = 0;
  for (const { client, latencyMicros, atMicros } of finishes) {
    const sinceLastMicros = atMicros - (last.get(client) ?? Number.NaN);
    last.set(client, atMicros);
    if (atMicros < span.beganMicros || atMicros >= span.endedMicros) continue;
    count += 1;
    const latency = sinceLast ? sinceLastMicros : latencyMicros;
    if (!Number.isNaN(latency)) latencies.push(latency);
  }
  return { count, latencies: Float64Array.from(latencies).sort() };
}

/** A client that is let in only when another leaves finishes one transaction at the very end, or none. */
export function servedClients(finishes: readonly Finish[]): number {
  const counts = new Map<number, number>();
  for (const { client } of finishes) counts.set(client, (counts.get(client) ?? 0) + 1);
  return [...counts.values()].filter((count) => count > 1).length;
}
