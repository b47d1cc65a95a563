import { utf8 } from './bytes.ts';
import type { Clock } from './clock.ts';
import { standStill } from './clock.ts';

/** What may wait for a slow reader, in bytes. */
export const LINE_BACKLOG_BYTES = 1_048_576;
const RETRY_MS = 20;
/** At exit a slow reader gets a second in all. */
const FLUSH_TRIES = 50;

export interface LineWriterOptions {
  readonly clock: Clock;
  /** Takes some of the bytes and returns how many. Throws EAGAIN where it can take none now. */
  write(bytes: Uint8Array): number;
  /** There is room again after `lines` had to be dropped. */
  leftOut(lines: number): void;
}

/**
 * Writes each line at once, so that none is lost when the process ends. Where standard output is a pipe that does not
 * block (Bun's own `process.stdout` makes it so), what it does not take waits in a bounded backlog and stops nobody.
 */
export class LineWriter {
  readonly #options: LineWriterOptions;
  readonly #backlog: Uint8Array[] = [];
  #backlogBytes = 0;
  #lost = 0;
  #broken = false;
  #cancelRetry: (() => void) | undefined;

  constructor(options: LineWriterOptions) {
    this.#options = options;
  }

  line(text: string): void {
    const bytes = utf8(`${text}\n`);
    if (this.#backlogBytes + bytes.length > LINE_BACKLOG_BYTES) {
      this.#lost += 1;
      return;
    }
    this.#backlog.push(bytes);
    this.#backlogBytes += bytes.length;
    if (this.#cancelRetry === undefined) this.#drain();
  }

  /** Writes what waits, and waits for a slow reader itself. For the end of the process only. */
  flush(): void {
    for (let tries = 0; this.#backlog.length > 0 && tries < FLUSH_TRIES; tries += 1) {
      if (tries > 0) standStill(RETRY_MS);
      this.#drain();
    }
    this.#cancelRetry?.();
    this.#cancelRetry = undefined;
  }

  #drain(): void {
    this.#cancelRetry?.();
    this.#cancelRetry = undefined;
    for (let head = this.#backlog[0]; head !== undefined; head = this.#backlog[0]) {
      const taken = this.#attempt(head);
      if (taken === undefined) {
        this.#cancelRetry = this.#options.clock.after(RETRY_MS, () => this.#drain());
        return;
      }
      this.#backlogBytes -= taken;
      if (taken === head.length) this.#backlog.shift();
      else this.#backlog[0] = head.subarray(taken);
    }
    this.#reportLost();
  }

  /** How many bytes are dealt with, or undefined where the reader must catch up first. */
  #attempt(bytes: Uint8Array): number | undefined {
    try {
      const taken = this.#options.write(bytes);
      this.#broken = false;
      return taken;
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      if (code === 'EAGAIN') return undefined;
      // The reader is gone or the disk is full: there is nobody to tell, and no reason to stop serving.
      this.#broken = true;
      this.#lost += 1;
      return bytes.length;
    }
  }

  #reportLost(): void {
    const lines = this.#lost;
    if (lines === 0 || this.#broken) return;
    this.#lost = 0;
    this.#options.leftOut(lines);
  }
}
