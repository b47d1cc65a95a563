export interface Turns<Contender, T> {
  readonly rounds: number;
  /** Once for each before the rounds. */
  warmUp?(contender: Contender): Promise<unknown>;
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
  { rounds, warmUp, measure, finished, failed, signal }: Turns<Contender, T>,
): Promise<ReadonlyMap<Contender, readonly T[]>> {
  const all = new Map<Contender, readonly T[]>(contenders.map((one) => [one, []]));
  const left = new Set(contenders);
  const attempt = async <U>(one: Contender, work: () => Promise<U>): Promise<U | undefined> => {
    try {
      return await work();
    } catch (problem) {
      signal.throwIfAborted();
      left.delete(one);
      all.set(one, []);
      failed(one, problem);
      return undefined;
    }
  };
  for (const one of contenders) await attempt(one, async () => warmUp?.(one));
  for (let round = 1; round <= rounds && left.size > 0; round += 1) {
    const measured = new Map<Contender, T>();
    for (const one of round % 2 === 1 ? [...left] : [...left].toReversed()) {
      await attempt(one, async () => {
        const figures = await measure(one);
        measured.set(one, figures);
        all.set(one, [...(all.get(one) ?? []), figures]);
      });
    }
    if (measured.size > 0) finished(round, measured);
  }
  return all;
}
