import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { must } from '../base/assert.ts';
import type { Random } from '../base/random.ts';

/** An account for the server where ours will not do. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
}

/** `fast` ends sessions with a message; `immediate` drops connections without a word, as a crash does. */
export type StopMode = 'fast' | 'immediate';

/** What is to be known of a server's program. */
export interface ServerProgram {
  /** For messages, such as `PostgreSQL`. */
  readonly title: string;
  /** Who must run it; undefined for ourselves. */
  readonly account: Account | undefined;
  readonly signals: Readonly<Record<StopMode, NodeJS.Signals>>;
  /** In the line by which it says that it accepts connections. */
  readonly readyWords: string;
}

export const HOST = '127.0.0.1';

/** Nothing of ours: no PGDATA, no locale, no time zone leaks into the server. */
export const environment = { PATH: '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' };

/** Below Linux's ephemeral ports (32768 and up), which any outgoing connection may hold at any moment. */
const PORTS = { from: 20_000, count: 12_768 } as const;
const PORT_ATTEMPTS = 20;
const LOG_LINES = 2_000;

/**
 * Outlives this process by a moment: when its standard input ends, it stops the server whose id it heard last and
 * deletes the data. So nothing is left behind, even after SIGKILL.
 */
const KEEPER = `
pid=0
while read -r line; do pid=$line; done
if [ "$pid" -gt 0 ] && kill -s "$2" "$pid" 2>/dev/null; then
  tries=100
  while [ $tries -gt 0 ] && kill -0 "$pid" 2>/dev/null; do sleep 0.1; tries=$((tries - 1)); done
fi
exec rm -rf "$1"
`;

/** A folder for a server's files, which the account that runs it may enter. */
export async function makeFolder(
  prefix: string,
  { account }: Pick<ServerProgram, 'account'>,
): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), prefix));
  if (account !== undefined) await chown(directory, account.uid, account.gid);
  return directory;
}

/** A server's process on a port of this machine. It and its folder are gone when we are, however that went. */
export class EmbeddedProcess {
  readonly directory: string;
  readonly #program: ServerProgram;
  readonly #keeper: ChildProcess;
  readonly #log: string[] = [];
  #command: ((port: number) => readonly string[]) | undefined;
  #port = 0;
  #process: ChildProcess | undefined;

  constructor(program: ServerProgram, directory: string) {
    this.directory = directory;
    this.#program = program;
    const signal = program.signals.immediate.replace('SIG', '');
    this.#keeper = spawn('/bin/sh', ['-c', KEEPER, 'keeper', directory, signal], {
      ...program.account,
      stdio: ['pipe', 'ignore', 'ignore'],
      detached: true,
    });
    this.#keeper.unref();
    // Were it killed, there would be nobody to tell.
    this.#keeper.stdin?.on('error', () => {});
  }

  get port(): number {
    return this.#port;
  }

  /** Throws where it does not run. */
  get pid(): number {
    return must(this.#process?.pid, 'the server does not run');
  }

  /** The last lines of what it has said. */
  log(): readonly string[] {
    return this.#log;
  }

  /** By this command, on a free port: servers cannot choose one themselves, so they try one after another. */
  async startSomewhere(
    command: (port: number) => readonly string[],
    random: Random,
  ): Promise<void> {
    this.#command = command;
    for (let attempt = 1; ; attempt += 1) {
      this.#port = PORTS.from + Math.floor(random.fraction() * PORTS.count);
      try {
        await this.#start();
        return;
      } catch (problem) {
        const taken = this.#log.some((line) => line.includes('Address already in use'));
        if (!taken || attempt === PORT_ATTEMPTS) throw problem;
        this.#log.length = 0;
      }
    }
  }

  /** The data stays for `restart`. */
  async stop(mode: StopMode = 'fast'): Promise<void> {
    const running = this.#process;
    if (running === undefined) return;
    const gone = once(running, 'exit');
    running.kill(this.#program.signals[mode]);
    await gone;
  }

  /** Starts it again with the same data and port, after stopping it where it runs. */
  async restart(mode: StopMode = 'fast'): Promise<void> {
    await this.stop(mode);
    await this.#start();
  }

  /** Stops it at once and deletes its folder. */
  async destroy(): Promise<void> {
    await this.stop('immediate');
    if (this.#keeper.exitCode !== null || this.#keeper.signalCode !== null) return;
    const gone = once(this.#keeper, 'exit');
    this.#keeper.ref();
    this.#keeper.stdin?.end();
    await gone;
  }

  /** A file in its folder that the server's account alone may read. */
  async write(name: string, content: string): Promise<string> {
    const path = join(this.directory, name);
    await writeFile(path, content, { mode: 0o600 });
    await chmod(path, 0o600);
    const { account } = this.#program;
    if (account !== undefined) await chown(path, account.uid, account.gid);
    return path;
  }

  /** Resolves when the server accepts connections; rejects with its last words where it ends before. */
  async #start(): Promise<void> {
    const [file = '', ...args] = must(this.#command, 'the server was not started')(this.#port);
    const child = spawn(file, args, {
      ...this.#program.account,
      env: environment,
      cwd: this.directory,
      stdio: ['ignore', 'ignore', 'pipe'],
      detached: true,
    });
    this.#process = child;
    this.#keeper.stdin?.write(`${child.pid ?? 0}\n`);
    await new Promise<void>((resolve, reject) => {
      createInterface({ input: child.stderr }).on('line', (line) => {
        this.#log.push(line);
        if (this.#log.length > LOG_LINES) this.#log.shift();
        if (line.includes(this.#program.readyWords)) resolve();
      });
      child.once('error', (problem) => {
        this.#process = undefined;
        reject(problem);
      });
      child.once('exit', (code) => {
        if (this.#process === child) this.#process = undefined;
        this.#keeper.stdin?.write('0\n');
        const said = this.#log.slice(-5).join(' | ');
        reject(new Error(`${this.#program.title} ended (${String(code)}): ${said}`));
      });
    });
  }
}
