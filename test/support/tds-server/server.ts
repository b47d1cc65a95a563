import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { makeCertificate } from '../certificates.ts';
import { Connection } from './connection.ts';
import type { Host, Route, ServerOptions } from './host.ts';
import type { Wait } from './run/wait.ts';
import { promised } from './run/wait.ts';
import { Engine } from './session/engine.ts';
import type { Session } from './session/session.ts';

export type { ServerOptions } from './host.ts';

const RECORDED = 20_000;
const FIRST_SPID = 51;

export interface Offence {
  readonly spid: number;
  readonly what: string;
}

export interface Recorded {
  readonly spid: number;
  /** `batch`, `bulk`, `transaction`, or the name of a procedure. */
  readonly kind: string;
  readonly text: string;
  readonly isReset: boolean;
}

/** What a session looks like from outside. */
export interface SessionInfo {
  readonly spid: number;
  readonly userName: string;
  readonly database: string;
  readonly appName: string;
  readonly hostName: string;
  readonly language: string;
  readonly transactionCount: number;
  readonly temporaryTables: number;
  readonly cursors: number;
  readonly prepared: number;
  readonly applicationLocks: number;
  readonly isolation: number;
  readonly switches: readonly string[];
  readonly isEncrypted: boolean;
  readonly packetBytes: number;
  readonly tdsVersion: number;
  readonly isReadOnly: boolean;
  /** The feature extensions that were asked for. */
  readonly features: readonly number[];
}

/** Texts that wait until they are let go. */
export interface Hold {
  /** One more of them waits now. */
  readonly reached: Promise<void>;
  readonly count: number;
  release(): void;
}

export class TdsServer implements Host {
  readonly engine: Engine;
  readonly options: Host['options'];
  /** What clients have done against the protocol. */
  readonly offences: Offence[] = [];
  /** What this server itself could not do: its own bugs. */
  readonly failures: unknown[] = [];
  readonly requests: Recorded[] = [];
  readonly counts = { attention: 0, login: 0, reset: 0, connections: 0 };
  readonly users: Map<string, string>;
  maxConnections: number;
  latencyMs: number;
  /** Replies are written in pieces of so many bytes, each in a turn of its own. */
  pieceBytes: number | undefined;
  route: Route | undefined;
  readonly #connections = new Set<Connection>();
  readonly #holds = new Set<{
    readonly pattern: RegExp;
    reached: () => void;
    count: number;
    readonly end: Promise<void>;
  }>();
  readonly #watching: (() => void)[] = [];
  #server: Server | undefined;
  #left: number | undefined;
  #port = 0;
  #nextSpid = FIRST_SPID;
  #certificate: { readonly key: string; readonly cert: string } | undefined;

  constructor(options: ServerOptions) {
    this.options = { encrypt: 'off', ...options };
    this.maxConnections = options.maxConnections ?? 32_767;
    this.latencyMs = options.latencyMs ?? 0;
    this.users = new Map(Object.entries(options.users ?? { sa: 'Secret-1' }));
    const hooks = {
      holding: (_: Session, text: string) => this.#holding(text),
      kill: (spid: number) => this.kill(spid),
      maxConnections: () => this.maxConnections,
      passwords: this.users,
    };
    const { databases = [], manner, resetsIsolation = false, serverName = 'TESTSERVER' } = options;
    this.engine = new Engine(hooks, databases, manner === 'babelfish', resetsIsolation, serverName);
  }

  get port(): number {
    return this.#port;
  }

  async listen(): Promise<void> {
    const server = createServer((socket) => this.#accept(socket));
    this.#server = server;
    const { host = '127.0.0.1', port = 0 } = this.options;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.#port === 0 ? port : this.#port, host, resolve);
    });
    const address = server.address();
    if (address !== null && typeof address === 'object') this.#port = address.port;
  }

  #accept(socket: Socket): void {
    this.counts.connections += 1;
    this.#connections.add(new Connection(this, socket));
  }

  /** Everybody is dropped, nobody can come. The databases stay. */
  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    for (const hold of this.#holds) hold.reached();
    for (const connection of this.#connections) connection.destroy();
    if (server !== undefined) await new Promise<void>((resolve) => server.close(() => resolve()));
  }

  /** As `stop`, and up again at the same port. */
  async restart(): Promise<void> {
    await this.stop();
    await this.listen();
  }

  /** Ends a session as KILL does: its connection closes without a word. False where there is none. */
  kill(spid: number): boolean {
    const connection = [...this.#connections].find((one) => one.spid === spid);
    connection?.destroy();
    return connection !== undefined;
  }

  sessions(): readonly SessionInfo[] {
    return [...this.engine.sessions.values()].map((session) => ({
      spid: session.spid,
      userName: session.userName,
      database: session.database.name,
      appName: session.login.appName,
      hostName: session.login.hostName,
      language: session.options.language.name,
      transactionCount: session.transactionCount,
      temporaryTables: session.temporaryCount,
      cursors: session.cursors.size + session.cursorHandles.size,
      prepared: session.prepared.size,
      applicationLocks: this.engine.applicationLocks.countOf(session),
      isolation: session.options.isolation,
      switches: [...session.options.switches],
      isEncrypted: session.isEncrypted,
      packetBytes: session.connection?.packetBytes ?? 0,
      tdsVersion: session.login.tdsVersion,
      isReadOnly: session.login.isReadOnly,
      features: session.login.features.map(({ id }) => id),
    }));
  }

  /** Requests with such a text wait before they run. */
  hold(pattern: RegExp): Hold {
    let release = (): void => {};
    const end = new Promise<void>((resolve) => (release = resolve));
    let next = Promise.withResolvers<void>();
    const hold = {
      ...{ pattern, count: 0, end },
      reached: () => {
        next.resolve();
        next = Promise.withResolvers<void>();
      },
    };
    this.#holds.add(hold);
    return {
      get reached() {
        return hold.count > 0 ? Promise.resolve() : next.promise;
      },
      get count() {
        return hold.count;
      },
      release: () => {
        this.#holds.delete(hold);
        release();
      },
    };
  }

  #holding(text: string): Wait | undefined {
    for (const hold of this.#holds)
      if (hold.pattern.test(text)) {
        hold.count += 1;
        hold.reached();
        return promised(hold.end, 'held');
      }
    return undefined;
  }

  /** The connection that writes the last of the next `bytes` bytes breaks there. */
  breakAfter(bytes: number): void {
    this.#left = bytes;
  }

  breakage(count: number): number | undefined {
    const left = this.#left;
    if (left === undefined) return undefined;
    this.#left = left > count ? left - count : undefined;
    return left > count ? undefined : left;
  }

  /** From now on logins are sent there, or those of readers only; undefined: no longer. */
  routeTo(host: string | undefined, port = 0, isOfReaders = false): void {
    this.route = host === undefined ? undefined : { host, port, isOfReaders };
  }

  certificate(): { readonly key: string; readonly cert: string } {
    if (this.#certificate === undefined) {
      const { keyPem, certPem } = this.options.certificate ?? makeCertificate('RSA with SHA-256');
      this.#certificate = { key: keyPem, cert: certPem };
    }
    return this.#certificate;
  }

  /** In PEM: what clients may trust. */
  get certificatePem(): string {
    return this.certificate().cert;
  }

  nextSpid(): number {
    const spid = this.#nextSpid;
    this.#nextSpid = spid >= 32_767 ? FIRST_SPID : spid + 1;
    return spid;
  }

  offence(spid: number, what: string): void {
    this.offences.push({ spid, what });
    this.#changed();
  }

  failed(error: unknown): void {
    this.failures.push(error);
  }

  counted(what: 'attention' | 'login' | 'reset'): void {
    this.counts[what] += 1;
    this.#changed();
  }

  /** Waits for something that sessions, requests or their counts tell: looked at whenever one of them changes. */
  async until(holds: () => boolean): Promise<void> {
    while (!holds()) await new Promise<void>((resolve) => this.#watching.push(resolve));
  }

  #changed(): void {
    if (this.#watching.length === 0) return;
    for (const look of this.#watching.splice(0)) queueMicrotask(look);
  }

  recorded(spid: number, kind: string, text: string, isReset: boolean): void {
    if (this.options.isRecording === false || this.requests.length >= RECORDED) return;
    this.requests.push({ spid, kind, text, isReset });
    this.#changed();
  }

  left(connection: Connection): void {
    this.#connections.delete(connection);
    if (connection.session !== undefined) this.engine.sessions.delete(connection.session.spid);
    this.#changed();
  }
}

/**
 * A server that speaks TDS as SQL Server does, over tables in memory, for tests and benchmarks. Users: `sa` with the password
 * `Secret-1`, if no others are named. Wire, types and SQL are its own: nothing of `src` is tested against itself.
 *
 * It is strict in what it reads (`offences`), and honest about sessions: options, databases, transactions and their
 * descriptors, handles from 1 on, temporary tables, cursors and locks are each session's own, and end when SQL Server's do.
 * Readers see what is committed and never wait, as with READ_COMMITTED_SNAPSHOT; writers wait for each other's rows.
 *
 * Who it begins with may do everything. Logins that CREATE LOGIN makes may enter the databases in which they are users, and change
 * their own passwords; what is granted to them is told, and of objects nothing is refused.
 *
 * Of T-SQL it knows what drivers, ORMs and tests say: queries with joins, groups, windows and CTEs, changes with OUTPUT,
 * MERGE, definitions, procedures, TRY, cursors, bulk loads, tables as parameters. It does not know FULL JOIN, functions and
 * triggers of users, XML, and readers that wait in SERIALIZABLE. `sluice_series(n)` is a table of 1 to n; `sluice_outputs`,
 * `sluice_begin`, `sluice_commit` and `sluice_rollback` are procedures that every database has.
 */
export async function startTdsServer(options: ServerOptions = {}): Promise<TdsServer> {
  const server = new TdsServer(options);
  await server.listen();
  return server;
}
