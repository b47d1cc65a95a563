/** How far apart the rounds of one measurement are. */
export interface Spread {
  readonly min: number;
  readonly median: number;
  readonly max: number;
}

/** The smallest value that `percent` of all do not exceed (nearest rank); undefined where there are none. */
export function percentile(sorted: ArrayLike<number>, percent: number): number | undefined {
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)];
}

/** The middle value, or the mean of the two in the middle; NaN where there are none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
  const lower = sorted[Math.ceil(sorted.length / 2) - 1] ?? Number.NaN;
  return (lower + upper) / 2;
}

export function spreadOf(values: readonly number[]): Spread {
  return { min: Math.min(...values), median: median(values), max: Math.max(...values) };
}

/**
 * Ours to theirs, round by round: what slows the machine down for a while slows down both halves of a round. Rounds that only
 * one of them has are left out.
 */
export function ratios(ours: readonly number[], theirs: readonly number[]): readonly number[] {
  const rounds = Math.min(ours.length, theirs.length);
  return ours.slice(0, rounds).map((our, round) => our / (theirs[round] ?? Number.NaN));
}
