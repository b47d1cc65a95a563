import { execFile } from 'node:child_process';
import { appendFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { SQL } from 'bun';
import { systemRandom } from '../base/random.ts';
import type { Random } from '../base/random.ts';
import { SecretText } from '../base/secret-text.ts';
import { generateCertificate } from '../net/certificate.ts';
import { installPostgres } from './embedded-postgres-install.ts';
import type { Installation } from './embedded-postgres-install.ts';
import { EmbeddedProcess, environment, HOST, makeFolder } from './embedded-process.ts';
import type { StopMode } from './embedded-process.ts';
import { lastTable } from './embedded-rows.ts';
import type { Row } from './embedded-rows.ts';
import type { EmbeddedServer } from './embedded-server.ts';

export interface EmbeddedUser {
  readonly name: string;
  readonly password: SecretText;
  /** More words for CREATE ROLE, such as `CREATEDB` or `CONNECTION LIMIT 3`. */
  readonly attributes?: string;
  /** How the server keeps the password; an `md5` user signs in by MD5. Default `scram-sha-256`. */
  readonly passwordEncryption?: 'scram-sha-256' | 'md5';
}

export interface EmbeddedPostgresOptions {
  /** The npm package with the programs; by default the newest one for this platform. */
  readonly packageName?: string;
  /** Default 100. */
  readonly maxConnections?: number;
  /** Offer TLS with a certificate made for this server. Default false. */
  readonly tls?: boolean;
  /** Lines of pg_hba.conf that come before the default ones (a password by SCRAM for everybody). */
  readonly hba?: string;
  readonly users?: readonly EmbeddedUser[];
  readonly databases?: readonly string[];
  /** Further lines for postgresql.conf. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Destroys the server when aborted. */
  readonly signal?: AbortSignal;
  readonly random?: Random;
}

const SUPERUSER = 'postgres';
const PROGRAM = {
  title: 'PostgreSQL',
  signals: { fast: 'SIGINT', immediate: 'SIGQUIT' },
  readyWords: 'database system is ready to accept connections',
} as const;

/**
 * Makes a data directory and starts a server on it; about two seconds. As root the server runs as `nobody`, since
 * PostgreSQL refuses to be root. Rejects with the server's own words where it does not start.
 */
export async function startEmbeddedPostgres(
  options: EmbeddedPostgresOptions = {},
): Promise<EmbeddedServer> {
  options.signal?.throwIfAborted();
  const installation = await installPostgres(options.packageName);
  const program = { ...PROGRAM, account: installation.account };
  const directory = await makeFolder('sluice-postgres-', program);
  const server = new Server(
    installation,
    new EmbeddedProcess(program, directory),
    options.random ?? systemRandom,
  );
  try {
    await server.initialise(options);
    await server.start();
    for (const user of options.users ?? []) await server.query(createRole(user));
    for (const name of options.databases ?? []) {
      await server.query(`CREATE DATABASE ${identifier(name)}`);
    }
    options.signal?.throwIfAborted();
  } catch (problem) {
    await server.destroy();
    throw problem;
  }
  options.signal?.addEventListener('abort', () => void server.destroy(), { once: true });
  return server;
}

class Server implements EmbeddedServer {
  readonly host = HOST;
  readonly superuser = SUPERUSER;
  readonly superuserPassword: SecretText;
  readonly dataDir: string;
  readonly version: string;
  readonly #installation: Installation;
  readonly #process: EmbeddedProcess;
  readonly #random: Random;
  #certPem: string | undefined;

  constructor(installation: Installation, process: EmbeddedProcess, random: Random) {
    this.#installation = installation;
    this.#process = process;
    this.#random = random;
    this.version = installation.version;
    this.dataDir = join(process.directory, 'data');
    this.superuserPassword = new SecretText(Buffer.from(random.bytes(18)).toString('base64url'));
  }

  get port(): number {
    return this.#process.port;
  }

  get pid(): number {
    return this.#process.pid;
  }

  get certPem(): string | undefined {
    return this.#certPem;
  }

  log(): readonly string[] {
    return this.#process.log();
  }

  async query(sql: string, database = 'postgres'): Promise<readonly Row[]> {
    const client = new SQL({
      adapter: 'postgres',
      // Bun takes what is not said here from DATABASE_URL, PGOPTIONS and their like.
      url: `postgres://${HOST}:${this.port}`,
      username: SUPERUSER,
      password: this.superuserPassword.reveal(),
      database,
      tls: false,
      channelBinding: 'disable',
      connection: { options: '' },
      max: 1,
    });
    try {
      return lastTable(await client.unsafe<readonly (Row | readonly Row[])[]>(sql).simple());
    } finally {
      await client.close();
    }
  }

  stop(mode?: StopMode): Promise<void> {
    return this.#process.stop(mode);
  }

  restart(mode?: StopMode): Promise<void> {
    return this.#process.restart(mode);
  }

  destroy(): Promise<void> {
    return this.#process.destroy();
  }

  async initialise(options: EmbeddedPostgresOptions): Promise<void> {
    const passwordFile = await this.#process.write(
      'superuser-password',
      this.superuserPassword.reveal(),
    );
    await promisify(execFile)(
      this.#installation.program('initdb'),
      [
        `--pgdata=${this.dataDir}`,
        `--username=${SUPERUSER}`,
        `--pwfile=${passwordFile}`,
        '--auth=scram-sha-256',
        '--encoding=UTF8',
        '--locale=C',
        '--no-sync',
      ],
      { ...this.#installation.account, env: environment, cwd: this.#process.directory },
    );
    await rm(passwordFile);
    if (options.tls === true) {
      const { keyPem, certPem } = generateCertificate([HOST, 'localhost']);
      await this.#process.write('data/server.key', keyPem);
      await this.#process.write('data/server.crt', certPem);
      this.#certPem = certPem;
    }
    await appendFile(join(this.dataDir, 'postgresql.conf'), configuration(options));
    await writeFile(join(this.dataDir, 'pg_hba.conf'), accessRules(options));
  }

  async start(): Promise<void> {
    await this.#process.startSomewhere(
      (port) => [this.#installation.program('postgres'), '-D', this.dataDir, '-p', String(port)],
      this.#random,
    );
  }
}

function configuration(options: EmbeddedPostgresOptions): string {
  const settings = {
    listen_addresses: HOST,
    unix_socket_directories: '',
    max_connections: String(options.maxConnections ?? 100),
    ssl: options.tls === true ? 'on' : 'off',
    shared_buffers: '32MB',
    fsync: 'off',
    full_page_writes: 'off',
    ...options.settings,
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name} = ${literal(value)}\n`);
  return `\n${lines.join('')}`;
}

function accessRules(options: EmbeddedPostgresOptions): string {
  // A password stored by MD5 cannot be used for SCRAM, so these users need a rule of their own.
  const md5 = (options.users ?? []).filter((user) => user.passwordEncryption === 'md5');
  return [
    `host all ${SUPERUSER} ${HOST}/32 scram-sha-256`,
    options.hba ?? '',
    ...md5.map((user) => `host all ${identifier(user.name)} all md5`),
    'host all all all scram-sha-256',
    '',
  ].join('\n');
}

function createRole(user: EmbeddedUser): string {
  const { name, password, attributes = '', passwordEncryption = 'scram-sha-256' } = user;
  return `SET password_encryption = ${literal(passwordEncryption)};
    CREATE ROLE ${identifier(name)} LOGIN ${attributes} PASSWORD ${literal(password.reveal())}`;
}

function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

function literal(value: string): string {
  return `'${value.replaceAll("'", "''")}'`;
}
