/** How the invocations of one route ended. */
export interface Outcome {
  /** Of those that succeeded, from invocation to answer. */
  readonly latenciesMs: readonly number[];
  /** What those that failed were told. */
  readonly errors: readonly string[];
}

/** As `sluice demo --json` prints them. */
export interface Figures {
  readonly invocations: number;
  readonly failed: number;
  /** Of the invocations that succeeded; null where none did. */
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
  readonly p99Ms: number | null;
  /** Null where the database does not let them be counted. */
  readonly peakDatabaseConnections: number | null;
}

export function figuresOf({ latenciesMs, errors }: Outcome, peak: number | undefined): Figures {
  const sorted = latenciesMs.toSorted((a, b) => a - b);
  return {
    invocations: latenciesMs.length + errors.length,
    failed: errors.length,
    p50Ms: percentile(sorted, 50),
    p95Ms: percentile(sorted, 95),
    p99Ms: percentile(sorted, 99),
    peakDatabaseConnections: peak ?? null,
  };
}

/** The smallest value that `percent` of all do not exceed (nearest rank), to a tenth; null where there are none. */
export function percentile(sorted: readonly number[], percent: number): number | null {
  const value = sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)];
  return value === undefined ? null : Math.round(value * 10) / 10;
}

/** What was said most often, and how often; undefined where nothing was said. */
export function mostFrequent(
  texts: readonly string[],
): { readonly text: string; readonly count: number } | undefined {
  const counts = new Map<string, number>();
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1);
  const [first] = [...counts].sort(([, a], [, b]) => b - a);
  return first === undefined ? undefined : { text: first[0], count: first[1] };
}
