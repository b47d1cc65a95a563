import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { SecretText } from '../../src/base/secret-text.ts';
import { startEmbeddedPostgres } from '../../src/cli/embedded-postgres.ts';
import type { EmbeddedServer } from '../../src/cli/embedded-server.ts';

const DEADLINE_MS = 15_000;
const root = fileURLToPath(new URL('../..', import.meta.url));

/** A line of Sluice's log. */
export type LogLine = Readonly<Record<string, unknown>> & { readonly event?: unknown };

export interface SluiceOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Files that the settings refer to, by their names beside the settings file. */
  readonly files?: Readonly<Record<string, string>>;
  /** Further arguments of `sluice serve`. */
  readonly args?: readonly string[];
  /** A program that starts the program, and its arguments: `prlimit --nofile=100:100`. */
  readonly within?: readonly string[];
  /** Default `src/main.ts`. */
  readonly program?: string;
}

export interface Endpoint {
  readonly proxy: string;
  readonly host: string;
  readonly port: number;
}

/**
 * Runs the real program on these settings and waits until it says that it is ready; rejects with what it said where it
 * ends before. Stop it in `afterAll`; it ends with the test process in any case.
 */
export async function startSluice(
  settings: string | object,
  options: SluiceOptions = {},
): Promise<Sluice> {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-settings-'));
  const path = join(directory, 'sluice.yaml');
  await writeFile(path, typeof settings === 'string' ? settings : stringify(settings));
  for (const [name, content] of Object.entries(options.files ?? {})) {
    await writeFile(join(directory, name), content, { mode: 0o600 });
  }
  const sluice = new Sluice(directory, path, options);
  try {
    await sluice.waitForLog((line) => line.event === 'ready');
    return sluice;
  } catch (problem) {
    await sluice.stop('SIGKILL');
    throw problem;
  }
}

interface Watcher {
  readonly wants: (line: LogLine) => boolean;
  readonly resolve: (line: LogLine) => void;
  readonly reject: (problem: Error) => void;
}

export class Sluice {
  readonly directory: string;
  readonly settingsPath: string;
  readonly #process: Bun.Subprocess<'ignore', 'pipe', 'pipe'>;
  readonly #keeper: Bun.Subprocess<'pipe', 'ignore', 'ignore'>;
  readonly #logs: LogLine[] = [];
  readonly #errors: string[] = [];
  readonly #watchers = new Set<Watcher>();
  /** Resolves with the exit code, or the signal's name, when the program has ended and all its output was read. */
  readonly ended: Promise<number | string>;

  constructor(directory: string, settingsPath: string, options: SluiceOptions) {
    this.directory = directory;
    this.settingsPath = settingsPath;
    const { PATH = '', HOME = '' } = process.env;
    this.#process = Bun.spawn(
      [
        ...(options.within ?? []),
        process.execPath,
        options.program ?? 'src/main.ts',
        'serve',
        '--config',
        settingsPath,
        ...(options.args ?? []),
      ],
      {
        cwd: root,
        env: { PATH, HOME, ...options.env },
        stdin: 'ignore',
        stdout: 'pipe',
        stderr: 'pipe',
      },
    );
    const heard = [
      eachLine(this.#process.stdout, (line) => this.#hear(line)),
      eachLine(this.#process.stderr, (line) => this.#errors.push(line)),
    ];
    this.#keeper = Bun.spawn(
      ['/bin/sh', '-c', KEEPER, 'keeper', String(this.#process.pid), directory],
      { stdin: 'pipe', stdout: 'ignore', stderr: 'ignore', detached: true },
    );
    this.#keeper.unref();
    this.ended = this.#end(heard);
  }

  get pid(): number {
    return this.#process.pid;
  }

  get stderr(): readonly string[] {
    return this.#errors;
  }

  /** Where the proxy listens; the only one, where no name is given. */
  endpoint(proxy?: string): Endpoint {
    const found = this.#logs.find(
      (line) => line.event === 'listening' && (proxy === undefined || line['proxy'] === proxy),
    );
    if (found === undefined) throw new Error(`no listener of ${proxy ?? 'any proxy'} in the log`);
    return {
      proxy: String(found['proxy']),
      host: String(found['host']),
      port: Number(found['port']),
    };
  }

  get port(): number {
    return this.endpoint().port;
  }

  logs(event?: string): readonly LogLine[] {
    return event === undefined ? this.#logs : this.#logs.filter((line) => line.event === event);
  }

  /** The first line, past or future, that the predicate likes. */
  async waitForLog(wants: (line: LogLine) => boolean, deadlineMs = DEADLINE_MS): Promise<LogLine> {
    const past = this.#logs.find(wants);
    if (past !== undefined) return past;
    const { promise, resolve, reject } = Promise.withResolvers<LogLine>();
    const watcher = { wants, resolve, reject };
    const timer = setTimeout(() => reject(this.#complaint('no such line')), deadlineMs);
    this.#watchers.add(watcher);
    return await promise.finally(() => {
      clearTimeout(timer);
      this.#watchers.delete(watcher);
    });
  }

  /** The numbers of the admin port's `/metrics` by name and labels, as in `sluice_client_connections{proxy="app"}`. */
  async metrics(): Promise<ReadonlyMap<string, number>> {
    const response = await this.admin('/metrics');
    return parseMetrics(await response.text());
  }

  /** Asks the admin port. */
  async admin(path: string): Promise<Response> {
    const line = await this.waitForLog(({ event }) => event === 'adminListening');
    return await fetch(`http://${String(line['host'])}:${String(line['port'])}${path}`);
  }

  signal(signal: NodeJS.Signals): void {
    this.#process.kill(signal);
  }

  /** Sends SIGTERM, or what is given, and waits for the end. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | string> {
    this.signal(signal);
    return await this.ended;
  }

  async #end(heard: readonly Promise<void>[]): Promise<number | string> {
    const code = await this.#process.exited;
    await this.#keeper.stdin.write('ended\n');
    await this.#keeper.stdin.end();
    await this.#keeper.exited;
    await Promise.all(heard);
    const result = this.#process.signalCode ?? code;
    for (const watcher of this.#watchers) watcher.reject(this.#complaint(`ended (${result})`));
    return result;
  }

  #hear(text: string): void {
    const line = parseLine(text);
    this.#logs.push(line);
    for (const watcher of this.#watchers) if (watcher.wants(line)) watcher.resolve(line);
  }

  #complaint(what: string): Error {
    const last = this.#logs.slice(-20).map((line) => JSON.stringify(line));
    return new Error([`Sluice: ${what}`, ...last, ...this.#errors.slice(-20)].join('\n'));
  }
}

/**
 * Waits until it is told that the program has ended, or until the test process is gone, however that went; then it
 * deletes the settings, and ends the program in the second case. (`bun test` runs no exit handlers.)
 */
const KEEPER = 'read -r word; [ "$word" = ended ] || kill -KILL "$1"; exec rm -rf "$2"';

async function eachLine(
  stream: ReadableStream<Uint8Array>,
  work: (line: string) => void,
): Promise<void> {
  for await (const line of createInterface({ input: Readable.fromWeb(stream) })) work(line);
}

/** Lines that are no JSON, as in the `rds` format, are kept as text. */
function parseLine(text: string): LogLine {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? { ...value } : { text };
  } catch {
    return { text };
  }
}

/** Prometheus text exposition: one number a line, comments aside. */
export function parseMetrics(text: string): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  for (const line of text.split('\n')) {
    const space = line.lastIndexOf(' ');
    if (space > 0 && !line.startsWith('#'))
      found.set(line.slice(0, space), Number(line.slice(space + 1)));
  }
  return found;
}

/** The npm package of each PostgreSQL version that tests run against. */
const packages = { 18: undefined, 14: 'postgres14' } as const;

/** Users of the servers that tests share. Every password is `<name>'s password`. */
export const sharedUsers = ['app', 'reader', 'old'] as const;

export function passwordOf(user: string): string {
  return `${user}'s password`;
}

const shared = new Map<keyof typeof packages, Promise<EmbeddedServer>>();

/**
 * A real server of this major version, shared by all tests of the process: TLS, 100 connections, the database `app`, and
 * the users `app`, `reader` (SCRAM) and `old` (MD5). A test that needs to change it starts its own.
 */
export function withPostgres(version: keyof typeof packages = 18): Promise<EmbeddedServer> {
  const known = shared.get(version);
  if (known !== undefined) return known;
  const packageName = packages[version];
  const server = startEmbeddedPostgres({
    ...(packageName === undefined ? {} : { packageName }),
    tls: true,
    users: sharedUsers.map((name) => ({
      name,
      password: new SecretText(passwordOf(name)),
      passwordEncryption: name === 'old' ? 'md5' : 'scram-sha-256',
    })),
    databases: ['app'],
  });
  shared.set(version, server);
  return server;
}

/** Settings of one proxy, `app`, on any free port, in front of this server; `proxy` and `rest` add to it or replace. */
export function settingsFor(
  server: Pick<EmbeddedServer, 'host' | 'port'>,
  { proxy = {}, database = {}, ...rest }: SettingsParts = {},
): object {
  return {
    region: 'eu-central-1',
    account: '123456789012',
    secrets: sharedUsers.map((username) => ({
      name: username,
      value: { username, password: passwordOf(username) },
    })),
    databases: [
      { identifier: 'db', engine: 'postgres', host: server.host, port: server.port, ...database },
    ],
    proxies: [
      {
        name: 'app',
        engineFamily: 'POSTGRESQL',
        listen: '127.0.0.1:0',
        target: 'db',
        auth: sharedUsers.map((secret) => ({ secret, iamAuth: 'DISABLED' })),
        ...proxy,
      },
    ],
    ...rest,
  };
}

export interface SettingsParts {
  readonly proxy?: object;
  readonly database?: object;
  readonly [key: string]: unknown;
}
