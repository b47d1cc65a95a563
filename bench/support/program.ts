import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';

export interface ProgramOptions {
  /** For messages. */
  readonly name: string;
  readonly command: readonly string[];
  /** Where it runs; deleted when it has ended, however that went. */
  readonly directory: string;
  /** A file for all that it says. */
  readonly logPath: string;
  /** All that it sees of the environment. */
  readonly env: Readonly<Record<string, string>>;
}

/** As many open files as the system allows: a shell asks whatever limit we run under ourselves. */
const WITH_FILES = 'ulimit -n "$(ulimit -H -n)" && exec "$@"';

/** Outlives this process by a moment: ends the program and deletes its folder when our side of the pipe is gone. */
const KEEPER = 'read -r word; kill -s KILL -- "-$1" 2>/dev/null; exec rm -rf "$2"';

/** What is repeated of what a program said that failed. */
const LAST_LINES = 8;

/** A server that runs until it is stopped, and never longer than we do. */
export class Program {
  readonly name: string;
  readonly #child: ChildProcess;
  readonly #keeper: ChildProcess;
  readonly #logPath: string;
  readonly #gone = Promise.withResolvers<void>();
  #stopping = false;

  constructor({ name, command, directory, logPath, env }: ProgramOptions) {
    this.name = name;
    this.#logPath = logPath;
    const log = openSync(logPath, 'a');
    // Detached: a group of its own, so that the terminal's Ctrl-C is for us alone and its children end with it.
    this.#child = spawn('/bin/sh', ['-c', WITH_FILES, 'sh', ...command], {
      cwd: directory,
      env,
      stdio: ['ignore', log, log],
      detached: true,
    });
    closeSync(log);
    this.#child.once('error', () => this.#gone.resolve());
    this.#child.once('exit', () => this.#gone.resolve());
    this.#keeper = spawn('/bin/sh', ['-c', KEEPER, 'keeper', String(this.pid), directory], {
      stdio: ['pipe', 'ignore', 'ignore'],
      detached: true,
    });
    this.#keeper.unref();
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Throws, with its last words, where it has ended by itself. */
  expectAlive(): void {
    if (this.#stopping || (this.#child.exitCode === null && this.#child.signalCode === null))
      return;
    const said = readFileSync(this.#logPath, 'utf8').trimEnd().split('\n').slice(-LAST_LINES);
    const how = String(this.#child.signalCode ?? this.#child.exitCode);
    throw new Error([`${this.name} has ended (${how})`, ...said].join('\n'));
  }

  /** Ends it at once: there is nothing that it could lose. Its folder is gone afterwards. */
  async stop(): Promise<void> {
    if (this.#stopping) return;
    this.#stopping = true;
    const kept = new Promise((resolve) => this.#keeper.once('exit', resolve));
    this.#keeper.ref();
    this.#keeper.stdin?.end();
    await Promise.all([this.#gone.promise, kept]);
  }
}
