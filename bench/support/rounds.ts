export interface Turns<Contender, T> {
  readonly rounds: number;
  measure(contender: Contender): Promise<T>;
  /** What the contenders that still take part came to in a round. */
  finished(round: number, figures: ReadonlyMap<Contender, T>): void;
  failed(contender: Contender, problem: unknown): void;
  readonly signal: AbortSignal;
}

/**
 * Measures the contenders in turn, A B, B A, A B, …: whatever changes while it lasts, the machine's heat for one, changes for all.
 * Who fails once takes no further part, and has no figures. Rejects only when aborted.
 */
export async function inTurn<Contender, T>(
  contenders: readonly Contender[],
  { rounds, measure, finished, failed, signal }: Turns<Contender, T>,
): Promise<ReadonlyMap<Contender, readonly T[]>> {
  const all = new Map<Contender, T[]>(contenders.map((one) => [one, []]));
  for (let round = 1; round <= rounds; round += 1) {
    const left = [...all].filter(([, figures]) => figures.length === round - 1);
    const measured = new Map<Contender, T>();
    for (const [contender, figures] of round % 2 === 1 ? left : left.toReversed()) {
      try {
        const one = await measure(contender);
        figures.push(one);
        measured.set(contender, one);
      } catch (problem) {
        signal.throwIfAborted();
        failed(contender, problem);
      }
    }
    if (measured.size > 0) finished(round, measured);
  }
  return new Map([...all].map(([one, figures]) => [one, figures.length === rounds ? figures : []]));
}
