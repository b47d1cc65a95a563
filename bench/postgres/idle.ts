import { setTimeout as pause } from 'node:timers/promises';
import type { RawClient } from '../../test/support/raw-client.ts';
import { residentBytes } from '../support/processes.ts';
import { signInMany } from './client.ts';
import type { Line } from './line.ts';

/** What idle clients cost in memory. */
export interface IdleFigures {
  readonly bytesPerClient: number;
  /** In memory before the clients came, and while they were there. */
  readonly beforeBytes: number;
  readonly afterBytes: number;
}

/** Memory that is only waiting to be given back is given back in this time, or counts. */
const SETTLING_MS = 3_000;
const POLL_MS = 250;

/**
 * Lets clients sign in, run one statement each and do nothing more, and measures by how much the memory of the pooler with
 * this process id has grown.
 */
export async function measureIdle(
  clients: number,
  line: Line,
  { pid, signal }: { readonly pid: number; readonly signal: AbortSignal },
): Promise<IdleFigures> {
  const beforeBytes = await settled(pid, signal);
  const open: RawClient[] = [];
  try {
    await signInMany(clients, line, { keep: (client) => open.push(client), signal });
    const afterBytes = await settled(pid, signal);
    return { bytesPerClient: (afterBytes - beforeBytes) / clients, beforeBytes, afterBytes };
  } finally {
    for (const client of open) client.destroy();
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
