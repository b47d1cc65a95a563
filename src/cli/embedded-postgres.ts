import { execFile, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, chmod, chown, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { SQL } from 'bun';
import { must } from '../base/assert.ts';
import { systemRandom } from '../base/random.ts';
import type { Random } from '../base/random.ts';
import { SecretText } from '../base/secret-text.ts';
import { generateCertificate } from '../net/certificate.ts';
import { installPostgres } from './embedded-postgres-install.ts';
import type { Installation } from './embedded-postgres-install.ts';

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

export type Row = Readonly<Record<string, unknown>>;

/**
 * A throw-away PostgreSQL server, for the demonstration and for tests: it trades durability for speed, and it and its
 * data are gone when the process that started it is, however that ended.
 */
export interface EmbeddedPostgres {
  readonly host: string;
  readonly port: number;
  readonly superuser: string;
  readonly superuserPassword: SecretText;
  readonly dataDir: string;
  /** The server's own process id; another one after `restart`. */
  readonly pid: number;
  /** Such as `18.4`. */
  readonly version: string;
  /** What a client trusts to verify the server in full; undefined without TLS. */
  readonly certPem: string | undefined;
  /** The last lines of the server's log. */
  log(): readonly string[];
  /** Runs one or more statements as the superuser on a connection of its own; the rows of the last one. */
  query(sql: string, database?: string): Promise<readonly Row[]>;
  /** `fast` (the default) ends sessions with a message; `immediate` drops connections without a word, as a crash does. The data stays for `restart`. */
  stop(mode?: 'fast' | 'immediate'): Promise<void>;
  /** Starts it again with the same data and port, after stopping it where it runs. */
  restart(mode?: 'fast' | 'immediate'): Promise<void>;
  /** Stops it at once and deletes its data. */
  destroy(): Promise<void>;
}

const HOST = '127.0.0.1';
const SUPERUSER = 'postgres';
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
if [ "$pid" -gt 0 ] && kill -QUIT "$pid" 2>/dev/null; then
  tries=100
  while [ $tries -gt 0 ] && kill -0 "$pid" 2>/dev/null; do sleep 0.1; tries=$((tries - 1)); done
fi
exec rm -rf "$1"
`;

/**
 * Makes a data directory and starts a server on it; about two seconds. As root the server runs as `nobody`, since
 * PostgreSQL refuses to be root. Rejects with the server's own words where it does not start.
 */
export async function startEmbeddedPostgres(
  options: EmbeddedPostgresOptions = {},
): Promise<EmbeddedPostgres> {
  options.signal?.throwIfAborted();
  const installation = await installPostgres(options.packageName);
  const directory = await mkdtemp(join(tmpdir(), 'sluice-postgres-'));
  if (installation.account !== undefined) {
    await chown(directory, installation.account.uid, installation.account.gid);
  }
  const server = new Server(installation, directory, options.random ?? systemRandom);
  try {
    await server.initialise(options);
    await server.startSomewhere();
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

class Server implements EmbeddedPostgres {
  readonly host = HOST;
  readonly superuser = SUPERUSER;
  readonly superuserPassword: SecretText;
  readonly dataDir: string;
  readonly version: string;
  readonly #installation: Installation;
  readonly #directory: string;
  readonly #random: Random;
  readonly #keeper: ChildProcess;
  readonly #log: string[] = [];
  #certPem: string | undefined;
  #port = 0;
  #process: ChildProcess | undefined;

  constructor(installation: Installation, directory: string, random: Random) {
    this.#installation = installation;
    this.#directory = directory;
    this.#random = random;
    this.version = installation.version;
    this.dataDir = join(directory, 'data');
    this.superuserPassword = new SecretText(Buffer.from(random.bytes(18)).toString('base64url'));
    this.#keeper = spawn('/bin/sh', ['-c', KEEPER, 'keeper', directory], {
      ...installation.account,
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

  get pid(): number {
    return must(this.#process?.pid, 'the server does not run');
  }

  get certPem(): string | undefined {
    return this.#certPem;
  }

  log(): readonly string[] {
    return this.#log;
  }

  async query(sql: string, database = 'postgres'): Promise<readonly Row[]> {
    const client = new SQL({
      adapter: 'postgres',
      // Bun takes what is not said here from DATABASE_URL, PGOPTIONS and their like.
      url: `postgres://${HOST}:${this.#port}`,
      username: SUPERUSER,
      password: this.superuserPassword.reveal(),
      database,
      tls: false,
      channelBinding: 'disable',
      connection: { options: '' },
      max: 1,
    });
    try {
      const answer = await client.unsafe<readonly (Row | readonly Row[])[]>(sql).simple();
      // Several statements have several answers: arrays in an array.
      const last = answer.at(-1);
      if (last !== undefined && isTable(last)) return last;
      return answer.flatMap((row) => row);
    } finally {
      await client.close();
    }
  }

  async stop(mode: 'fast' | 'immediate' = 'fast'): Promise<void> {
    const running = this.#process;
    if (running === undefined) return;
    const gone = once(running, 'exit');
    running.kill(mode === 'fast' ? 'SIGINT' : 'SIGQUIT');
    await gone;
  }

  async restart(mode: 'fast' | 'immediate' = 'fast'): Promise<void> {
    await this.stop(mode);
    await this.#start(this.#port);
  }

  async destroy(): Promise<void> {
    await this.stop('immediate');
    if (this.#keeper.exitCode !== null || this.#keeper.signalCode !== null) return;
    const gone = once(this.#keeper, 'exit');
    this.#keeper.ref();
    this.#keeper.stdin?.end();
    await gone;
  }

  async initialise(options: EmbeddedPostgresOptions): Promise<void> {
    const passwordFile = await this.#write('superuser-password', this.superuserPassword.reveal());
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
      { ...this.#installation.account, env: environment, cwd: this.#directory },
    );
    await rm(passwordFile);
    if (options.tls === true) {
      const { keyPem, certPem } = generateCertificate([HOST, 'localhost']);
      await this.#write('data/server.key', keyPem);
      await this.#write('data/server.crt', certPem);
      this.#certPem = certPem;
    }
    await appendFile(join(this.dataDir, 'postgresql.conf'), configuration(options));
    await writeFile(join(this.dataDir, 'pg_hba.conf'), accessRules(options));
  }

  /** On a free port: PostgreSQL cannot choose one itself, so it tries one after another. */
  async startSomewhere(): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      const port = PORTS.from + Math.floor(this.#random.fraction() * PORTS.count);
      try {
        await this.#start(port);
        this.#port = port;
        return;
      } catch (problem) {
        const taken = this.#log.some((line) => line.includes('Address already in use'));
        if (!taken || attempt === PORT_ATTEMPTS) throw problem;
        this.#log.length = 0;
      }
    }
  }

  /** Resolves when the server accepts connections. */
  async #start(port: number): Promise<void> {
    const child = spawn(
      this.#installation.program('postgres'),
      ['-D', this.dataDir, '-p', String(port)],
      {
        ...this.#installation.account,
        env: environment,
        cwd: this.#directory,
        stdio: ['ignore', 'ignore', 'pipe'],
        detached: true,
      },
    );
    this.#process = child;
    this.#keeper.stdin?.write(`${child.pid ?? 0}\n`);
    await new Promise<void>((resolve, reject) => {
      createInterface({ input: child.stderr }).on('line', (line) => {
        this.#log.push(line);
        if (this.#log.length > LOG_LINES) this.#log.shift();
        if (line.includes('database system is ready to accept connections')) resolve();
      });
      child.once('error', (problem) => {
        this.#process = undefined;
        reject(problem);
      });
      child.once('exit', (code) => {
        if (this.#process === child) this.#process = undefined;
        this.#keeper.stdin?.write('0\n');
        reject(new Error(`PostgreSQL ended (${String(code)}): ${this.#log.slice(-5).join(' | ')}`));
      });
    });
  }

  /** A file that the server's account alone may read. */
  async #write(name: string, content: string): Promise<string> {
    const path = join(this.#directory, name);
    await writeFile(path, content, { mode: 0o600 });
    await chmod(path, 0o600);
    const { account } = this.#installation;
    if (account !== undefined) await chown(path, account.uid, account.gid);
    return path;
  }
}

/** Nothing of ours: no PGDATA, no locale, no time zone leaks into the server. */
const environment = { PATH: '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' };

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

function isTable(answer: Row | readonly Row[]): answer is readonly Row[] {
  return Array.isArray(answer);
}

function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

function literal(value: string): string {
  return `'${value.replaceAll("'", "''")}'`;
}
