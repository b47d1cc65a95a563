import { setTimeout as pause } from 'node:timers/promises';
import { forgetPeak, peakBytes, readUsage, residentBytes, usedBetween } from './processes.ts';

/** What one large result costs. */
export interface ResultFigures {
  readonly megabytesPerSecond: number;
  /** The pooler's processor time for each megabyte. */
  readonly cpuMicrosPerMegabyte: number;
  /** What the pooler had in memory before, and the most that it had. */
  readonly beforeBytes: number;
  readonly peakBytes: number;
}

/** Its rows, each of one text. */
export const RESULT_ROWS = 100_000;
export const RESULT_ROW_BYTES = 1_000;

/** A large result for a client that has signed in, and has run a statement. */
export interface Download {
  /** How much there is to be read. */
  readonly bytes: number;
  start(): void;
  /** Waits for so much more of it. */
  read(count: number): Promise<unknown>;
  pause(): void;
  resume(): void;
  /** What follows when all has been read; rejects where that is not what should. */
  finish(): Promise<void>;
  destroy(): void;
}

/** A slow reader takes so much, and then this long nothing: 40 MB in a second. */
const SIP_BYTES = 1_000_000;
const SIP_MS = 25;
const MEGABYTE = 1_000_000;

/** Reads a large result through the pooler with this process id, as fast as it comes or slowly. */
export async function measureResult(
  reader: 'fast' | 'slow',
  enter: () => Promise<Download>,
  { pid, signal }: { readonly pid: number; readonly signal: AbortSignal },
): Promise<ResultFigures> {
  const download = await enter();
  try {
    forgetPeak(pid);
    const beforeBytes = residentBytes(pid);
    const before = readUsage(pid);
    const began = performance.now();
    download.start();
    for (let left = download.bytes; left > 0; left -= SIP_BYTES) {
      await download.read(Math.min(left, SIP_BYTES));
      signal.throwIfAborted();
      if (reader === 'fast') continue;
      download.pause();
      await pause(SIP_MS, undefined, { signal });
      download.resume();
    }
    await download.finish();
    const seconds = (performance.now() - began) / 1000;
    const { micros } = usedBetween(before, readUsage(pid));
    const megabytes = download.bytes / MEGABYTE;
    return {
      megabytesPerSecond: megabytes / seconds,
      cpuMicrosPerMegabyte: micros / megabytes,
      beforeBytes,
      peakBytes: peakBytes(pid),
    };
  } finally {
    download.destroy();
  }
}
