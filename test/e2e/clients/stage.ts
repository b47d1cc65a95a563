import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'bun:test';
import type { EmbeddedServer } from '../../../src/cli/embedded-server.ts';
import { generateCertificate } from '../../../src/net/certificate.ts';
import { passwordOf, settingsFor, startSluice, withPostgres } from '../../support/sluice.ts';
import type { Sluice } from '../../support/sluice.ts';
import { Script } from './script.ts';

const SETTLE_DEADLINE_MS = 10_000;
const POLL_MS = 20;
const PROGRAM_DEADLINE_MS = 55_000;

export interface StageOptions {
  /** The server's major version. Default 18. */
  readonly version?: 18 | 14;
  /** Database connections that all clients share. Default 3. */
  readonly connections?: number;
  readonly proxy?: object;
  /** More settings of the database. */
  readonly database?: object;
  readonly rest?: object;
  /** What the proxy shows. */
  readonly certificate?: Certificate;
}

interface Certificate {
  readonly keyPem: string;
  readonly certPem: string;
}

const CERTIFICATE = 'proxy.crt';
const KEY = 'proxy.key';
/** For a proxy's settings. */
export const proxyTls = { certFile: CERTIFICATE, keyFile: KEY };

export type Environment = Readonly<Record<string, string | undefined>>;

export interface Finished {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A database server, as far as clients care. */
type Server = Pick<EmbeddedServer, 'host' | 'port' | 'query' | 'certPem'>;

/** A real database, Sluice in front of it with a small pool, and whatever a client needs to find it. */
export class Stage {
  readonly server: Server;
  readonly sluice: Sluice;
  /** PEM file of the certificate that the proxy shows. */
  readonly caFile: string;
  readonly caPem: string;
  readonly #environment: (stage: Stage) => Environment;

  private constructor(
    server: Server,
    sluice: Sluice,
    caPem: string,
    environment: (stage: Stage) => Environment,
  ) {
    this.server = server;
    this.sluice = sluice;
    this.caPem = caPem;
    this.caFile = join(sluice.directory, CERTIFICATE);
    this.#environment = environment;
  }

  /** `settings` are of one proxy, which shows the certificate in `proxyTls`. */
  static async before(
    server: Server,
    settings: object,
    environment: (stage: Stage) => Environment,
    certificate: Certificate = generateCertificate(['localhost', '127.0.0.1']),
  ): Promise<Stage> {
    const { keyPem, certPem } = certificate;
    const files = { [CERTIFICATE]: certPem, [KEY]: keyPem };
    return new Stage(server, await startSluice(settings, { files }), certPem, environment);
  }

  /** The user `app` owns a schema of its name in the database `app`, and may use `public` and make others. */
  static async open(options: StageOptions = {}): Promise<Stage> {
    const { version = 18, connections = 3, proxy = {}, database = {}, rest = {} } = options;
    const server = await withPostgres(version);
    await server.query(
      'CREATE SCHEMA IF NOT EXISTS AUTHORIZATION app; GRANT CREATE ON SCHEMA public TO app; GRANT CREATE ON DATABASE app TO app',
      'app',
    );
    const settings = settingsFor(server, {
      // One more than clients get: the proxy watches the database on a connection of its own.
      database: { maxConnections: connections + 1, database: 'app', ...database },
      proxy: {
        tls: proxyTls,
        pool: { connectionBorrowTimeout: 20 },
        ...proxy,
      },
      admin: { listen: '127.0.0.1:0' },
      ...rest,
    });
    return await Stage.before(server, settings, libpq, options.certificate);
  }

  get port(): number {
    return this.sluice.port;
  }

  /** By what programs find the proxy. What is undefined is not set. */
  environment(more: Environment = {}): Environment {
    return { ...this.#environment(this), ...more };
  }

  /** For scripts under Node. */
  get address(): { host: string; port: number; user: string; password: string; database: string } {
    const { port } = this;
    return { host: 'localhost', port, user: 'app', password: passwordOf('app'), database: 'app' };
  }

  /** Runs a program that finds the proxy by its environment. */
  async run(
    command: readonly string[],
    options: { readonly env?: Environment; readonly stdin?: string } = {},
  ): Promise<Finished> {
    const child = Bun.spawn([...command], {
      ...this.#surroundings(options.env),
      stdin: options.stdin === undefined ? 'ignore' : Buffer.from(options.stdin),
      stdout: 'pipe',
      stderr: 'pipe',
      timeout: PROGRAM_DEADLINE_MS,
      killSignal: 'SIGKILL',
    });
    const [stdout, stderr, code] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
      child.exited,
    ]);
    return { code, stdout, stderr };
  }

  /** As `run`, for a program that must succeed; what it wrote to standard output. */
  async succeed(...parameters: Parameters<Stage['run']>): Promise<string> {
    const { code, stdout, stderr } = await this.run(...parameters);
    expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
    return stdout;
  }

  /** Starts a driver's script, as `run` does. To be ended. */
  start(command: readonly string[], env: Environment): Script {
    const streams = { stdin: 'pipe', stdout: 'pipe', stderr: 'pipe' } as const;
    const child = Bun.spawn([...command], { ...this.#surroundings(env), ...streams });
    return new Script(child, PROGRAM_DEADLINE_MS);
  }

  #surroundings(more: Environment | undefined): { cwd: string; env: Environment } {
    const { PATH = '', HOME = '' } = process.env;
    const always = { PATH, HOME, LC_ALL: 'C.UTF-8', PSQLRC: '/dev/null' };
    return { cwd: this.sluice.directory, env: { ...always, ...this.environment(more) } };
  }

  async writeFile(name: string, content: string): Promise<string> {
    const path = join(this.sluice.directory, name);
    await writeFile(path, content);
    return path;
  }

  /** The sum of a metric over its labels. */
  async metric(name: string): Promise<number> {
    let sum = 0;
    for (const [key, value] of await this.sluice.metrics()) {
      if (key === name || key.startsWith(`${name}{`)) sum += value;
    }
    return sum;
  }

  /** No client is left, no connection is lent, and nothing was logged that must never be. */
  async expectClean(): Promise<void> {
    const left = async (): Promise<object> => ({
      clients: await this.metric('sluice_client_connections'),
      waiting: await this.metric('sluice_clients_waiting'),
      borrowed: await this.metric('sluice_database_connections_currently_borrowed'),
      inTransaction: await this.metric('sluice_database_connections_currently_in_transaction'),
      pinned: await this.metric('sluice_database_connections_currently_session_pinned'),
    });
    const nothing = { clients: 0, waiting: 0, borrowed: 0, inTransaction: 0, pinned: 0 };
    await eventually(left, (found) => Bun.deepEquals(found, nothing));
    const bad = this.sluice
      .logs()
      .filter(({ level, event }) => level === 'error' || event === 'bug');
    expect(bad).toEqual([]);
    expect(this.sluice.stderr).toEqual([]);
    expect(await this.metric('sluice_client_connections_received_total')).toBeGreaterThan(0);
  }

  /** What must not happen with clients and a database that keep to the protocol. */
  discards(...reasons: readonly string[]): readonly unknown[] {
    const lines = this.sluice.logs('serverDiscarded');
    return lines.filter(({ reason }) => reasons.includes(String(reason)));
  }

  async close(): Promise<void> {
    expect(await this.sluice.stop()).toBe(0);
  }
}

/** For libpq (psql, pgbench) and whoever goes by its environment. */
function libpq({ port, caFile }: Stage): Environment {
  return {
    PGHOST: 'localhost',
    PGPORT: String(port),
    PGUSER: 'app',
    PGDATABASE: 'app',
    PGPASSWORD: passwordOf('app'),
    PGSSLMODE: 'disable',
    PGSSLROOTCERT: caFile,
    PGCONNECT_TIMEOUT: '10',
  };
}

/** Asks until the answer pleases; fails with the last one where none does in time. */
export async function eventually<T>(
  ask: () => Promise<T>,
  pleases: (answer: T) => boolean,
): Promise<T> {
  const deadline = performance.now() + SETTLE_DEADLINE_MS;
  for (;;) {
    const answer = await ask();
    if (pleases(answer)) return answer;
    if (performance.now() > deadline)
      throw new Error(`still ${JSON.stringify(answer)} after ${SETTLE_DEADLINE_MS} ms`);
    await Bun.sleep(POLL_MS);
  }
}
