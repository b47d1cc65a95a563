/** A transaction that pgbench has finished. */
export interface Finish {
  readonly client: number;
  readonly latencyMicros: number;
  /** Since 1970. */
  readonly atMicros: number;
}

/**
 * What `pgbench --log` writes: `client transaction latency script seconds microseconds`, and more with some flags that are not
 * used here. In the order of time, whichever of pgbench's threads wrote it. Throws on a line of another form.
 */
export function parseLog(text: string): readonly Finish[] {
  const finishes = text
    .trimEnd()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [
        client = Number.NaN,
        ,
        latencyMicros = Number.NaN,
        ,
        seconds = 0,
        micros = Number.NaN,
      ] = line.split(' ').map(Number);
      if (Number.isNaN(client + latencyMicros + micros))
        throw new Error(`not a line of pgbench's log: ${line}`);
      return { client, latencyMicros, atMicros: seconds * 1e6 + micros };
    });
  return finishes.sort((a, b) => a.atMicros - b.atMicros);
}

/** Transactions that were finished in a span of time. */
export interface Finished {
  readonly count: number;
  /** How long they took, in microseconds, sorted. */
  readonly latencies: Float64Array;
}

/**
 * pgbench does not count the time that it takes to connect; with `reconnect`, where each transaction has a connection of its
 * own, a transaction takes the time since the same client's last one.
 */
export function finishedBetween(
  finishes: readonly Finish[],
  span: { readonly beganMicros: number; readonly endedMicros: number },
  reconnect: boolean,
): Finished {
  const last = new Map<number, number>();
  const latencies: number[] = [];
  let count = 0;
  for (const { client, latencyMicros, atMicros } of finishes) {
    const sinceLast = atMicros - (last.get(client) ?? Number.NaN);
    last.set(client, atMicros);
    if (atMicros < span.beganMicros || atMicros >= span.endedMicros) continue;
    count += 1;
    const latency = reconnect ? sinceLast : latencyMicros;
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
