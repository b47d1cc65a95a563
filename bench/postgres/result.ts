import { setTimeout as pause } from 'node:timers/promises';
import { frontend } from '../../test/support/messages.ts';
import {
  forgetPeak,
  peakBytes,
  readUsage,
  residentBytes,
  usedBetween,
} from '../support/processes.ts';
import { signIn } from './client.ts';
import type { Line } from './line.ts';

/** What one large result costs. */
export interface ResultFigures {
  readonly megabytesPerSecond: number;
  /** The pooler's processor time for each megabyte. */
  readonly cpuMicrosPerMegabyte: number;
  /** What the pooler had in memory before, and the most that it had. */
  readonly beforeBytes: number;
  readonly peakBytes: number;
}

const ROWS = 100_000;
const ROW_BYTES = 1_000;
/** Their description, each with its head, how many they were: all but the ReadyForQuery at the end. */
const RESULT_BYTES = 32 + ROWS * (11 + ROW_BYTES) + `12345SELECT ${ROWS}\0`.length;
/** A slow reader takes so much, and then this long nothing: 40 MB in a second. */
const SIP_BYTES = 1_000_000;
const SIP_MS = 25;
const MEGABYTE = 1_000_000;

/** Reads a result of about 100 MB through the pooler with this process id, as fast as it comes or slowly. */
export async function measureResult(
  reader: 'fast' | 'slow',
  line: Line,
  { pid, signal }: { readonly pid: number; readonly signal: AbortSignal },
): Promise<ResultFigures> {
  const client = await signIn(line);
  try {
    await client.query('SELECT 1');
    forgetPeak(pid);
    const beforeBytes = residentBytes(pid);
    const before = readUsage(pid);
    const began = performance.now();
    client.send(
      frontend.query(`SELECT repeat('x', ${ROW_BYTES}) FROM generate_series(1, ${ROWS})`),
    );
    for (let left = RESULT_BYTES; left > 0; left -= SIP_BYTES) {
      await client.socket.read(Math.min(left, SIP_BYTES));
      signal.throwIfAborted();
      if (reader === 'fast') continue;
      client.socket.pause();
      await pause(SIP_MS, undefined, { signal });
      client.socket.resume();
    }
    const { type } = await client.read();
    if (type !== 'Z') throw new Error(`the result was followed by a message ${type}`);
    const seconds = (performance.now() - began) / 1000;
    const { micros } = usedBetween(before, readUsage(pid));
    const megabytes = RESULT_BYTES / MEGABYTE;
    return {
      megabytesPerSecond: megabytes / seconds,
      cpuMicrosPerMegabyte: micros / megabytes,
      beforeBytes,
      peakBytes: peakBytes(pid),
    };
  } finally {
    client.destroy();
  }
}
