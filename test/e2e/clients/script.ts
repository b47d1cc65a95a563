import { expect } from 'bun:test';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import type { Subprocess } from 'bun';

/** A driver's script that runs: it takes scenarios one after another, since starting one takes longer than most of them. */
export class Script {
  readonly #child: Subprocess<'pipe', 'pipe', 'pipe'>;
  readonly #deadlineMs: number;
  readonly #lines: AsyncIterator<string>;
  readonly #stderr: Promise<string>;

  /** One that is told names by standard input, a line each, and prints each when it has played it; else it ends. */
  constructor(child: Subprocess<'pipe', 'pipe', 'pipe'>, deadlineMs: number) {
    this.#child = child;
    this.#deadlineMs = deadlineMs;
    const input = Readable.fromWeb(child.stdout);
    this.#lines = createInterface({ input })[Symbol.asyncIterator]();
    this.#stderr = new Response(child.stderr).text();
  }

  get ended(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** Resolves with what it printed before when it has played the scenario; rejects with what it complained of, where it has not. */
  async play(scenario: string): Promise<readonly string[]> {
    return await this.#inTime(async () => {
      await this.#tell(`${scenario}\n`);
      const said: string[] = [];
      for (;;) {
        const { value, done } = await this.#lines.next();
        if (done === true) return await this.#endedIn(scenario);
        if (value === scenario) return said;
        said.push(value);
      }
    });
  }

  /** Has it end, which it must without a complaint. */
  async end(): Promise<void> {
    await this.#child.stdin.end();
    const [code, stderr] = await this.#inTime(() =>
      Promise.all([this.#child.exited, this.#stderr]),
    );
    expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
  }

  async #endedIn(scenario: string): Promise<never> {
    const [code, stderr] = await Promise.all([this.#child.exited, this.#stderr]);
    throw new Error(`the script ended (${code}) in ${scenario}: ${stderr}`);
  }

  /** Whether it can still be told anything is seen by what it says. */
  async #tell(line: string): Promise<void> {
    try {
      await this.#child.stdin.write(line);
      await this.#child.stdin.flush();
    } catch {}
  }

  async #inTime<T>(work: () => Promise<T>): Promise<T> {
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), this.#deadlineMs);
    try {
      return await work();
    } finally {
      clearTimeout(timer);
    }
  }
}
