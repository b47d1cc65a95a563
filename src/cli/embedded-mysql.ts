import { constants, cp, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { SQL } from 'bun';
import { must } from '../base/assert.ts';
import { systemRandom } from '../base/random.ts';
import type { Random } from '../base/random.ts';
import { SecretText } from '../base/secret-text.ts';
import { generateCertificate } from '../net/certificate.ts';
import { installMysql } from './embedded-mysql-install.ts';
import type { MysqlProgram, MysqlRelease } from './embedded-mysql-install.ts';
import { EmbeddedProcess, HOST, makeFolder } from './embedded-process.ts';
import type { StopMode } from './embedded-process.ts';
import { lastTable } from './embedded-rows.ts';
import type { Row } from './embedded-rows.ts';
import type { EmbeddedServer } from './embedded-server.ts';

export interface MysqlUser {
  readonly name: string;
  /** Undefined for none. */
  readonly password?: SecretText;
  /** How it signs in, by the server's own name, such as `ed25519`; otherwise the server's default. */
  readonly plugin?: string;
  /** More words for CREATE USER, such as `REQUIRE SSL` or `WITH MAX_USER_CONNECTIONS 3`. */
  readonly attributes?: string;
}

export interface MysqlServerOptions {
  /** Default 100. */
  readonly maxConnections?: number;
  /** Offer TLS with a certificate made for this server. Default false. */
  readonly tls?: boolean;
  readonly users?: readonly MysqlUser[];
  /** Every user may do everything in them. */
  readonly databases?: readonly string[];
  /** Further options of the server; they come last. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Destroys the server when aborted. */
  readonly signal?: AbortSignal;
  readonly random?: Random;
}

export interface EmbeddedMysqlOptions extends MysqlServerOptions {
  readonly release: MysqlRelease;
  /** The folder of the user's cache where programs are kept; see `cacheFolder`. */
  readonly cache: string;
}

/** MySQL or MariaDB. */
export interface MysqlServer extends EmbeddedServer {
  readonly isMariadb: boolean;
}

/** One of those that can be unpacked. */
export interface EmbeddedMysql extends MysqlServer {
  readonly release: MysqlRelease;
}

const SUPERUSER = 'root';
const SIGNALS = { fast: 'SIGTERM', immediate: 'SIGKILL' } as const;
/** Said once clients are let in, by both. */
const READY_WORDS = "Version: '";

/**
 * Starts a server of this release: half a second, and some seconds where its programs have to be fetched first. Rejects with the
 * server's own words where it does not start.
 */
export async function startEmbeddedMysql({
  release,
  cache,
  ...options
}: EmbeddedMysqlOptions): Promise<EmbeddedMysql> {
  const { signal } = options;
  signal?.throwIfAborted();
  const program = await installMysql(release, {
    cache,
    ...(signal === undefined ? {} : { signal }),
  });
  return Object.assign(await startMysqlServer(program, options), { release });
}

/** Copies a data directory and starts a server on it. */
export async function startMysqlServer(
  installed: MysqlProgram,
  options: MysqlServerOptions,
): Promise<MysqlServer> {
  const { signal, databases = [], users = [] } = options;
  const program = {
    title: installed.isMariadb ? 'MariaDB' : 'MySQL',
    account: undefined,
    signals: SIGNALS,
    readyWords: READY_WORDS,
  };
  const directory = await makeFolder(`sluice-${program.title.toLowerCase()}-`, program);
  const server = new Server(installed, new EmbeddedProcess(program, directory), options);
  try {
    await server.start();
    for (const name of databases) await server.query(`CREATE DATABASE ${identifier(name)}`);
    for (const user of users) {
      const grants = databases.map((name) => grantAll(name, user));
      await server.query([createUser(user, installed), ...grants].join(';'));
    }
    signal?.throwIfAborted();
  } catch (problem) {
    await server.destroy();
    throw problem;
  }
  signal?.addEventListener('abort', () => void server.destroy(), { once: true });
  return server;
}

class Server implements MysqlServer {
  readonly isMariadb: boolean;
  readonly host = HOST;
  readonly superuser = SUPERUSER;
  readonly superuserPassword: SecretText;
  readonly dataDir: string;
  readonly #program: MysqlProgram;
  readonly #process: EmbeddedProcess;
  readonly #options: MysqlServerOptions;
  readonly #random: Random;
  #certPem: string | undefined;
  #version: string | undefined;

  constructor(program: MysqlProgram, process: EmbeddedProcess, options: MysqlServerOptions) {
    this.isMariadb = program.isMariadb;
    this.#program = program;
    this.#process = process;
    this.#options = options;
    this.#random = options.random ?? systemRandom;
    this.dataDir = join(process.directory, 'data');
    this.superuserPassword = new SecretText(
      Buffer.from(this.#random.bytes(18)).toString('base64url'),
    );
  }

  get port(): number {
    return this.#process.port;
  }

  get pid(): number {
    return this.#process.pid;
  }

  get version(): string {
    return must(this.#version, 'the server has told no version');
  }

  get certPem(): string | undefined {
    return this.#certPem;
  }

  log(): readonly string[] {
    return this.#process.log();
  }

  async query(sql: string, database = 'mysql'): Promise<readonly Row[]> {
    const client = new SQL({
      adapter: 'mysql',
      // Bun takes what is not said here from DATABASE_URL and its like.
      url: `mysql://${HOST}:${this.port}`,
      username: SUPERUSER,
      password: this.superuserPassword.reveal(),
      database,
      tls: false,
      allowPublicKeyRetrieval: true,
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

  async start(): Promise<void> {
    const { directory } = this.#process;
    await cp(this.#program.template, this.dataDir, {
      recursive: true,
      mode: constants.COPYFILE_FICLONE,
    });
    await mkdir(join(directory, 'files'));
    const password = literal(this.superuserPassword.reveal());
    const script = `ALTER USER ${SUPERUSER}@'%' IDENTIFIED BY ${password};\n`;
    const options = [
      `--init-file=${await this.#process.write('init.sql', script)}`,
      `--pid-file=${join(directory, 'pid')}`,
      `--secure-file-priv=${join(directory, 'files')}`,
      `--max-connections=${this.#options.maxConnections ?? 100}`,
      ...commonOptions,
      ...(this.isMariadb ? mariadbOptions : mysqlOptions),
      ...(await this.#tlsOptions()),
      ...this.#pluginOptions(),
      ...Object.entries(this.#options.settings ?? {}).map(([name, value]) => `--${name}=${value}`),
    ];
    const command = [...this.#program.server(this.dataDir), ...options];
    await this.#process.startSomewhere((port) => [...command, `--port=${port}`], this.#random);
    // While it is there: many warnings later the log has lost it.
    const told = this.log().findLast((line) => line.includes(READY_WORDS));
    this.#version = /Version: '([^']+)'/.exec(told ?? '')?.[1];
  }

  async #tlsOptions(): Promise<readonly string[]> {
    if (this.#options.tls !== true) return [this.isMariadb ? '--skip-ssl' : '--tls-version='];
    const { keyPem, certPem } = generateCertificate([HOST, 'localhost']);
    this.#certPem = certPem;
    return [
      `--ssl-key=${await this.#process.write('server.key', keyPem)}`,
      `--ssl-cert=${await this.#process.write('server.crt', certPem)}`,
    ];
  }

  /** The ways of signing in that are there, but not unless one asks for them. */
  #pluginOptions(): readonly string[] {
    return this.#program.serverPlugins.map((name) => `--plugin-load-add=${name}`);
  }
}

/** Sizes for little memory; what is committed survives the server, but not the machine. */
const commonOptions = [
  `--bind-address=${HOST}`,
  '--socket=',
  '--skip-name-resolve',
  '--local-infile=ON',
  '--performance-schema=OFF',
  '--max-allowed-packet=64M',
  '--table-open-cache=400',
  '--open-files-limit=2048',
  '--key-buffer-size=1M',
  '--innodb-buffer-pool-size=32M',
  '--innodb-log-buffer-size=2M',
  '--innodb-doublewrite=OFF',
  '--innodb-flush-log-at-trx-commit=2',
  '--innodb-flush-method=nosync',
  '--innodb-use-native-aio=OFF',
] as const;

const mysqlOptions = [
  '--mysqlx=OFF',
  '--skip-log-bin',
  '--auto-generate-certs=OFF',
  '--innodb-redo-log-capacity=32M',
] as const;

const mariadbOptions = ['--innodb-log-file-size=8M', '--aria-pagecache-buffer-size=8M'] as const;

function createUser(
  { name, password, plugin, attributes = '' }: MysqlUser,
  { isMariadb }: MysqlProgram,
): string {
  const secret = password === undefined ? undefined : literal(password.reveal());
  const by = isMariadb ? `USING PASSWORD(${secret})` : `BY ${secret}`;
  const [way, proof] =
    plugin === undefined ? ['', `BY ${secret}`] : [`${isMariadb ? 'VIA' : 'WITH'} ${plugin}`, by];
  const parts = [way, secret === undefined ? '' : proof].filter((part) => part !== '');
  const identified = parts.length === 0 ? '' : `IDENTIFIED ${parts.join(' ')}`;
  return `CREATE USER ${literal(name)} ${identified} ${attributes}`;
}

function grantAll(database: string, user: MysqlUser): string {
  return `GRANT ALL ON ${identifier(database)}.* TO ${literal(user.name)}`;
}

function identifier(name: string): string {
  return `\`${name.replaceAll('`', '``')}\``;
}

function literal(value: string): string {
  return `'${value.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
}
