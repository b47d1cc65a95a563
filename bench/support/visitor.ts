import type { Line } from './line.ts';

/** A client that has signed in, by whichever protocol. */
export interface Visitor {
  readonly tlsVersion: string | undefined;
  /** Runs one statement. */
  ask(): Promise<void>;
  /** Cuts the connection. */
  destroy(): void;
}

export type SignIn = (line: Line) => Promise<Visitor>;

/** So many sign in at the same time. */
const AT_ONCE = 32;

/** Lets `count` clients sign in. Each runs one statement and is then given to `keep`. */
export async function signInMany(
  count: number,
  enter: () => Promise<Visitor>,
  { keep, signal }: { readonly keep: (visitor: Visitor) => void; readonly signal: AbortSignal },
): Promise<void> {
  let left = count;
  const come = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      signal.throwIfAborted();
      const visitor = await enter();
      keep(visitor);
      await visitor.ask();
    }
  };
  try {
    await Promise.all(Array.from({ length: AT_ONCE }, come));
  } finally {
    // One has failed: the others stop, too.
    left = 0;
  }
}
