import type { Spread } from './statistics.ts';
import { median, ratios, spreadOf } from './statistics.ts';
import type { Figures } from './span.ts';

/** What one pooler came to in one case. */
export interface Standing extends Figures {
  readonly rounds: readonly Figures[];
}

/** How ours stands to a rival: above 1 ours is more. */
export interface Comparison {
  /** Of transactions in a second: the more the better. */
  readonly throughput: number;
  /** Of processor time for each transaction: the less the better. */
  readonly cpu: number;
  readonly spread: { readonly throughput: Spread; readonly cpu: Spread };
}

/** Each figure is the median of the rounds; undefined where there are none. */
export function standingOf(rounds: readonly Figures[]): Standing | undefined {
  if (rounds.length === 0) return undefined;
  const middle = (figure: (round: Figures) => number): number => median(rounds.map(figure));
  return {
    perSecond: middle((round) => round.perSecond),
    p50Ms: middle((round) => round.p50Ms),
    p99Ms: middle((round) => round.p99Ms),
    cpuMicros: middle((round) => round.cpuMicros),
    cpuUserMicros: middle((round) => round.cpuUserMicros),
    cpuSystemMicros: middle((round) => round.cpuSystemMicros),
    clientsServed: Math.min(...rounds.map((round) => round.clientsServed)),
    disturbancePercent: Math.max(...rounds.map((round) => round.disturbancePercent)),
    rounds,
  };
}

/** By how many milliseconds the median latency of ours is greater, round by round; the median of that. */
export function added(ours: readonly Figures[], direct: readonly Figures[]): number {
  const rounds = Math.min(ours.length, direct.length);
  return median(
    ours.slice(0, rounds).map((our, round) => our.p50Ms - (direct[round]?.p50Ms ?? Number.NaN)),
  );
}

/** The median of the ratios of each round, not the ratio of the medians. Undefined where there is nothing to compare. */
export function compare(
  ours: readonly Figures[],
  theirs: readonly Figures[],
): Comparison | undefined {
  if (ours.length === 0 || theirs.length === 0) return undefined;
  const spread = (figure: (round: Figures) => number): Spread =>
    spreadOf(ratios(ours.map(figure), theirs.map(figure)));
  const throughput = spread((round) => round.perSecond);
  const cpu = spread((round) => round.cpuMicros);
  return { throughput: throughput.median, cpu: cpu.median, spread: { throughput, cpu } };
}
