import { RawClient } from '../../test/support/raw-client.ts';
import type { Line } from './line.ts';
import { DATABASE, USER } from './line.ts';

/** So many sign in at the same time. */
const AT_ONCE = 32;

/** A client that has signed in. */
export function signIn({ host, port, password, tls }: Line): Promise<RawClient> {
  return RawClient.signIn({
    ...{ host, port, database: DATABASE, user: USER },
    password: password.reveal(),
    tls: tls ? 'startTls' : 'none',
  });
}

/**
 * Lets `count` clients sign in, much faster than pgbench could: they derive their key only once. Each runs one statement and is
 * then given to `keep`.
 */
export async function signInMany(
  count: number,
  line: Line,
  { keep, signal }: { readonly keep: (client: RawClient) => void; readonly signal: AbortSignal },
): Promise<void> {
  let left = count;
  const enter = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      signal.throwIfAborted();
      const client = await signIn(line);
      keep(client);
      await client.query('SELECT 1');
    }
  };
  try {
    await Promise.all(Array.from({ length: AT_ONCE }, enter));
  } finally {
    // One has failed: the others stop, too.
    left = 0;
  }
}
