/** What a benchmark runs on. */
export interface Stage {
  /** Aborted when the process is told to stop. */
  readonly signal: AbortSignal;
  /** How many characters fit in one line. */
  readonly columns: number;
  /** What was asked for, to standard output. */
  out(text: string): void;
  /** How far it has come, to standard error. */
  say(text: string): void;
}

export interface Benchmark {
  readonly name: string;
  /** A sentence for the list. */
  readonly summary: string;
  readonly help: string;
  /** Returns the exit code. Throws a `UsageError` where it does not understand the arguments. */
  run(args: readonly string[], stage: Stage): Promise<number>;
}

/** The command line cannot be understood: exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
