import { packetType } from '../../../src/wire/tds/packets.ts';
import { sqlBatch } from '../../../src/wire/tds/sql-batch.ts';
import { tdsVersion } from '../../../src/wire/tds/versions.ts';
import { sqlServerSettingsFor } from '../../support/sqlserver.ts';
import { passwordOf } from '../../support/sluice.ts';
import type { SettingsParts } from '../../support/sluice.ts';
import { startTdsServer } from '../../support/tds-server/server.ts';
import type { TdsServer } from '../../support/tds-server/server.ts';
import { SESSION_DEADLINE_MS } from '../proxy.ts';
import type { Front, Proxy } from '../proxy.ts';
import type { Stage as AnyStage } from '../stage.ts';
import { Refused, TdsTalker } from './client.ts';
import type { TdsLoginParts } from './client.ts';
import { databaseOf, databases, homeOf, proceduresOf, sharedTables, tablesOf } from './home.ts';
import { literal } from './scope.ts';
import type { SideName } from './side.ts';
import type { Life, Login, User } from './steps.ts';

export type Stage = AnyStage<World>;

/** A server that is there already, and a login of it that may do everything. */
export interface ServerAddress {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
}

export type Manner = 'sqlserver' | 'babelfish';

const users = ['app', 'reader'] as const satisfies User[];
/** Who comes directly says so: all others come through Sluice. */
const DIRECT = 'direct';

/** What a session may have left on a connection and the server tells of; those that it knows are asked for. */
const wonders = [
  '@@OPTIONS',
  'DB_NAME()',
  '@@LANGUAGE',
  '@@DATEFIRST',
  '@@LOCK_TIMEOUT',
  '@@TRANCOUNT',
  'XACT_STATE()',
  'CONTEXT_INFO()',
  'SUSER_SNAME()',
  "CONVERT(nvarchar(100), SESSION_CONTEXT(N'key'))",
  "CONVERT(nvarchar(100), SESSION_CONTEXT(N'other key'))",
  "OBJECT_ID('tempdb..#tmp1')",
  "OBJECT_ID('tempdb..#tmp2')",
  "CURSOR_STATUS('global', 'c1')",
  "CURSOR_STATUS('global', 'c2')",
  '(SELECT COUNT(*) FROM many)',
  '(SELECT transaction_isolation_level FROM sys.dm_exec_sessions WHERE session_id = @@SPID)',
  '(SELECT date_format FROM sys.dm_exec_sessions WHERE session_id = @@SPID)',
  '(SELECT deadlock_priority FROM sys.dm_exec_sessions WHERE session_id = @@SPID)',
  '(SELECT text_size FROM sys.dm_exec_sessions WHERE session_id = @@SPID)',
] as const;

/** A server that sessions reach through Sluice and directly, each way with databases of its own. */
export class World implements Front {
  readonly users = users;
  readonly title: string;
  /** CONTEXT_INFO is never NULL again there, once somebody on the connection has set it. */
  readonly isBabelfish: boolean;
  /** Lists what a session may have left behind. */
  readonly pristine: string;
  readonly #address: ServerAddress;
  readonly #own: TdsServer | undefined;
  readonly #admin: Admin;
  readonly #cleaner: Admin;

  private constructor(parts: {
    title: string;
    pristine: string;
    address: ServerAddress;
    own: TdsServer | undefined;
    admins: readonly [Admin, Admin];
  }) {
    this.title = parts.title;
    this.isBabelfish = /babelfish/i.test(parts.title);
    this.pristine = parts.pristine;
    this.#address = parts.address;
    this.#own = parts.own;
    [this.#admin, this.#cleaner] = parts.admins;
  }

  /** A server that is given, or one of the project's own. */
  static async open(given: ServerAddress | undefined, manner: Manner): Promise<World> {
    const own = given === undefined ? await start(manner) : undefined;
    const address = given ?? { host: '127.0.0.1', port: own?.port ?? 0, ...SUPERUSER };
    const admins = [await Admin.signIn(address), await Admin.signIn(address)] as const;
    const [admin] = admins;
    if (own === undefined) await furnish(admin);
    for (const database of databases) {
      await admin.run(sharedTables(database));
      for (const sql of proceduresOf(database)) await admin.run(`USE ${database}`, sql);
    }
    await admin.run(`USE ${databases[0]}`);
    const known: string[] = [];
    for (const wonder of wonders) if (await admin.knows(`SELECT ${wonder}`)) known.push(wonder);
    const title =
      own === undefined ? await admin.value('SELECT @@VERSION') : `the test server (${manner})`;
    return new World({
      title: title.split('\n')[0] ?? title,
      pristine: `SELECT ${known.join(', ')}`,
      address,
      own,
      admins,
    });
  }

  settings(parts: SettingsParts): object {
    return sqlServerSettingsFor({ ...this.#address, tls: false }, parts);
  }

  direct(proxy: Proxy, login: Login): TdsLoginParts {
    const { host, port } = this.#address;
    return { ...parts(proxy, login, 'sided'), host, port, hostName: DIRECT };
  }

  proxied(proxy: Proxy, login: Login): TdsLoginParts {
    const { port } = proxy.sluice;
    return { ...parts(proxy, login, 'sidep'), host: '127.0.0.1', port, hostName: 'proxied' };
  }

  async prepare(life: Life): Promise<void> {
    for (const database of databases) await this.#admin.run(...homeOf(database, life));
  }

  /** For which nobody may hold on to it any more. */
  async clean({ name }: Life): Promise<void> {
    for (const database of databases)
      await this.#cleaner.run(`USE ${database}; DROP TABLE ${tablesOf(name).join()}`);
  }

  async terminate(which: number): Promise<boolean> {
    const names = users.map((user) => `'${user}'`).join();
    const rows = await this.#cleaner.column(
      `SELECT session_id FROM sys.dm_exec_sessions WHERE login_name IN (${names}) AND host_name <> '${DIRECT}' ORDER BY session_id`,
    );
    const id = rows[which % Math.max(1, rows.length)];
    if (id === undefined) return false;
    // It may have gone by itself.
    return await this.#cleaner.knows(`KILL ${id}`);
  }

  async changePassword(user: string, password: string): Promise<void> {
    if (this.#own !== undefined) this.#own.users.set(user, password);
    else await this.#admin.run(`ALTER LOGIN ${user} WITH PASSWORD = ${literal(password)}`);
  }

  /** What the server itself says against its clients, since this was last asked. */
  complaints(): readonly string[] {
    const { offences = [], failures = [] } = this.#own ?? {};
    return [
      ...offences.splice(0).map(({ spid, what }) => `session ${spid}: ${what}`),
      ...failures.splice(0).map(String),
    ];
  }

  async close(): Promise<void> {
    this.#admin.close();
    this.#cleaner.close();
    await this.#own?.stop();
  }
}

const SUPERUSER = { user: 'sa', password: 'Secret-1' } as const;

async function start(manner: Manner): Promise<TdsServer> {
  return await startTdsServer({
    users: {
      [SUPERUSER.user]: SUPERUSER.password,
      ...Object.fromEntries(users.map((user) => [user, passwordOf(user)])),
    },
    databases,
    manner,
    isRecording: false,
  });
}

/** The users and databases that the server does not have yet. Not every server knows roles of databases. */
async function furnish(admin: Admin): Promise<void> {
  for (const database of databases)
    if (!(await admin.knows(`USE ${database}`))) await admin.run(`CREATE DATABASE ${database}`);
  for (const user of users) {
    const password = literal(passwordOf(user));
    if (!(await admin.knows(`CREATE LOGIN ${user} WITH PASSWORD = ${password}`)))
      await admin.run(`ALTER LOGIN ${user} WITH PASSWORD = ${password}`);
    await admin.run(`ALTER SERVER ROLE sysadmin ADD MEMBER ${user}`);
  }
}

function parts(
  proxy: Proxy,
  { user, database, ...rest }: Login,
  side: SideName,
): Omit<TdsLoginParts, 'host' | 'port' | 'hostName'> {
  return {
    ...rest,
    user,
    password: proxy.passwordOf(user),
    database: database === 'none' ? '' : databaseOf(database, side),
    deadlineMs: SESSION_DEADLINE_MS,
  };
}

/** One who may do everything, and does one thing after the other, whoever asks. */
class Admin {
  readonly #client: TdsTalker;
  #last: Promise<unknown> = Promise.resolve();

  private constructor(client: TdsTalker) {
    this.#client = client;
  }

  static async signIn(address: ServerAddress): Promise<Admin> {
    const client = await TdsTalker.signIn({
      ...address,
      database: 'master',
      language: '',
      appName: 'test',
      hostName: DIRECT,
      packetBytes: 4_096,
      version: tdsVersion.v74,
      isOdbc: true,
      deadlineMs: 120_000,
    });
    return new Admin(client);
  }

  /** Batches, one after the other, none of which may fail. */
  async run(...texts: readonly string[]): Promise<void> {
    await this.#next(async () => {
      for (const sql of texts) await this.#ask(sql);
    });
  }

  /** Whether it runs without an error. */
  async knows(sql: string): Promise<boolean> {
    try {
      await this.run(sql);
      return true;
    } catch (problem) {
      if (problem instanceof Refused) return false;
      throw problem;
    }
  }

  async value(sql: string): Promise<string> {
    return (await this.#next(() => this.#ask(sql))).value ?? '';
  }

  /** The one column of a result. */
  async column(sql: string): Promise<readonly string[]> {
    const { lines } = await this.#next(() => this.#ask(sql));
    return lines.flatMap((line) => (line.startsWith('row ') ? [line.slice('row '.length)] : []));
  }

  close(): void {
    this.#client.destroy();
  }

  async #ask(sql: string): ReturnType<TdsTalker['hear']> {
    const { transaction, version } = this.#client;
    const payload = sqlBatch(sql, transaction, version);
    this.#client.socket.send(this.#client.packets(packetType.sqlBatch, payload));
    const reply = await this.#client.hear();
    if (reply.errors.length > 0) throw new Refused(reply);
    return reply;
  }

  async #next<T>(work: () => Promise<T>): Promise<T> {
    const answer = this.#last.then(work);
    this.#last = answer.catch(() => {});
    return await answer;
  }
}
