import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import type { Clock } from '../../base/clock.ts';

const main = fileURLToPath(new URL('../../main.ts', import.meta.url));
const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 5_000;
/** What is kept of the log, to say why the program ended. */
const LAST_LINES = 5;

/** The two lines of the log that matter here; all others are read and forgotten. */
const news = z.discriminatedUnion('event', [
  z.object({ event: z.literal('listening'), port: z.int() }),
  z.object({ event: z.literal('targetHealth'), state: z.string() }),
]);

/** `sluice serve` with one proxy, as a process of its own that does not outlive this one. */
export class Program {
  readonly #child: ChildProcess;
  readonly #clock: Clock;
  readonly #ready = Promise.withResolvers<number>();
  readonly #ended = Promise.withResolvers<never>();
  readonly #lastLines: string[] = [];
  #port = 0;

  /** Runs in `directory`, where it finds `settings` and no `.env` of the user's; `env` is all it sees of the environment. */
  constructor(
    parts: { directory: string; settings: string; env: Readonly<Record<string, string>> },
    clock: Clock,
  ) {
    const { directory, settings, env } = parts;
    this.#clock = clock;
    this.#child = spawn(
      process.execPath,
      ['--no-orphans', main, 'serve', '--config', settings],
      // Detached: the terminal's Ctrl-C is for us, and we stop the program in good order.
      { cwd: directory, env, stdio: ['ignore', 'pipe', 'pipe'], detached: true },
    );
    this.#ready.promise.catch(() => {});
    this.#ended.promise.catch(() => {});
    this.#follow();
  }

  /** Resolves with the port when the proxy has reached its database; rejects where it does not come to that. */
  async ready(): Promise<number> {
    const cancel = this.#clock.after(START_TIMEOUT_MS, () =>
      this.#ready.reject(this.#complaint('did not reach its database')),
    );
    return await this.#ready.promise.finally(cancel);
  }

  /** Rejects when the program has ended, and says how. */
  get ended(): Promise<never> {
    return this.#ended.promise;
  }

  /** Has it end, by force where it takes too long. */
  async stop(): Promise<void> {
    const child = this.#child;
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGTERM');
    const cancel = this.#clock.after(STOP_TIMEOUT_MS, () => void child.kill('SIGKILL'));
    await gone.finally(cancel);
  }

  #follow(): void {
    const child = this.#child;
    for (const stream of [child.stdout, child.stderr]) {
      if (stream !== null)
        createInterface({ input: stream }).on('line', (line) => this.#hear(line));
    }
    child.once('error', (problem) => this.#end(problem.message));
    // Not `exit`: the last lines may still be on their way then.
    child.once('close', (code, signal) => this.#end(`ended (${String(signal ?? code)})`));
  }

  #end(what: string): void {
    const problem = this.#complaint(what);
    this.#ready.reject(problem);
    this.#ended.reject(problem);
  }

  #hear(line: string): void {
    this.#lastLines.push(line);
    if (this.#lastLines.length > LAST_LINES) this.#lastLines.shift();
    const told = news.safeParse(parse(line));
    if (!told.success) return;
    if (told.data.event === 'listening') this.#port = told.data.port;
    else if (told.data.state === 'AVAILABLE') this.#ready.resolve(this.#port);
  }

  #complaint(what: string): Error {
    return new Error([`the proxy ${what}`, ...this.#lastLines].join('\n'));
  }
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
