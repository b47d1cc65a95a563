import { setTimeout as pause } from 'node:timers/promises';
import { residentBytes } from './processes.ts';
import type { Visitor } from './visitor.ts';
import { signInMany } from './visitor.ts';

/** What idle clients cost in memory. */
export interface IdleFigures {
  readonly bytesPerClient: number;
  /** In memory with the first of them, and with all. */
  readonly beforeBytes: number;
  readonly afterBytes: number;
}

/** So many of all clients come first: what is needed once, such as code that is compiled, is no client's. */
const FIRST = 0.2;
/** Memory that is only waiting to be given back is given back in this time, or counts. */
const SETTLING_MS = 3_000;
const POLL_MS = 250;

/**
 * Lets clients sign in, run one statement each and do nothing more. Measures by how much the memory of the pooler with this
 * process id has grown for each of those that came after the first ones.
 */
export async function measureIdle(
  clients: number,
  enter: () => Promise<Visitor>,
  { pid, signal }: { readonly pid: number; readonly signal: AbortSignal },
): Promise<IdleFigures> {
  const open: Visitor[] = [];
  const come = (count: number): Promise<void> =>
    signInMany(count, enter, { keep: (visitor) => open.push(visitor), signal });
  const first = Math.floor(clients * FIRST);
  try {
    await come(first);
    const beforeBytes = await settled(pid, signal);
    await come(clients - first);
    const afterBytes = await settled(pid, signal);
    const bytesPerClient = (afterBytes - beforeBytes) / (clients - first);
    return { bytesPerClient, beforeBytes, afterBytes };
  } finally {
    for (const visitor of open) visitor.destroy();
  }
}

/** The least that was in memory over a while. */
async function settled(pid: number, signal: AbortSignal): Promise<number> {
  let least = residentBytes(pid);
  const until = performance.now() + SETTLING_MS;
  while (performance.now() < until) {
    await pause(POLL_MS, undefined, { signal });
    least = Math.min(least, residentBytes(pid));
  }
  return least;
}
