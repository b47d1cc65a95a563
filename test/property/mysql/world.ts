import { SecretText } from '../../../src/base/secret-text.ts';
import type { EmbeddedMysql } from '../../../src/cli/embedded-mysql.ts';
import type { MysqlRelease } from '../../../src/cli/embedded-mysql-install.ts';
import { capability } from '../../../src/wire/mysql/capabilities.ts';
import type { Capabilities } from '../../../src/wire/mysql/capabilities.ts';
import { mysqlSettingsFor, startMysql } from '../../support/mysql.ts';
import { MysqlClient, MysqlError, plainClient } from '../../support/mysql-client.ts';
import type { MysqlLogin } from '../../support/mysql-client.ts';
import { passwordOf } from '../../support/sluice.ts';
import type { SettingsParts } from '../../support/sluice.ts';
import { SESSION_DEADLINE_MS } from '../proxy.ts';
import type { Front, Proxy } from '../proxy.ts';
import type { Stage as AnyStage } from '../stage.ts';
import { codeOf } from './answers.ts';
import { otherOf, schemaOf } from './steps.ts';
import type { ClientKind, Life, Login, User } from './steps.ts';

export type Stage = AnyStage<World>;

const users = ['app', 'reader', 'chief'] as const satisfies User[];

const { flags } = plainClient;
const clients: Readonly<Record<ClientKind, Capabilities>> = {
  plain: plainClient,
  old: { flags: flags & ~capability.deprecateEof, extensions: 0 },
  tracking: { flags: flags | capability.sessionTrack, extensions: 0 },
  attributes: {
    flags: flags | capability.queryAttributes | capability.optionalResultsetMetadata,
    extensions: 0,
  },
  'found rows': { flags: flags | capability.foundRows, extensions: 0 },
};

/** What moves by itself, or says whose connection it is. */
const MOVING =
  /^(?:timestamp|rand_seed\d|pseudo_thread_id|statement_id|gtid|last_gtid|session_track_|identity|last_insert_id|warning_count|error_count)/;

/** A server that sessions reach through Sluice, and a twin of it, alike in everything, that they reach directly. */
export class World implements Front {
  readonly users = users;
  readonly release: MysqlRelease;
  readonly server: EmbeddedMysql;
  /** Lists all variables of a session that are not bound to differ. */
  readonly pristine: string;
  readonly #twin: EmbeddedMysql;
  readonly #admins: readonly Admin[];
  readonly #cleaners: readonly Admin[];

  private constructor(parts: {
    release: MysqlRelease;
    servers: readonly [EmbeddedMysql, EmbeddedMysql];
    pristine: string;
    admins: readonly Admin[];
    cleaners: readonly Admin[];
  }) {
    this.release = parts.release;
    [this.server, this.#twin] = parts.servers;
    this.pristine = parts.pristine;
    this.#admins = parts.admins;
    this.#cleaners = parts.cleaners;
  }

  static async open(release: MysqlRelease): Promise<World> {
    const servers = await Promise.all([start(release), start(release)] as const);
    const admins = await Promise.all(servers.map((server) => Admin.signIn(server)));
    const cleaners = await Promise.all(servers.map((server) => Admin.signIn(server)));
    for (const cleaner of cleaners) await cleaner.run('SET lock_wait_timeout = 20');
    const [own = [], others = []] = await Promise.all(
      admins.map((admin) => admin.rows('SHOW SESSION VARIABLES')),
    );
    const values = new Map(others.map(([name, value]) => [name, value]));
    const left = own.filter(
      ([name, value]) => values.get(name) !== value || MOVING.test(name ?? ''),
    );
    const names = left.map(([name]) => `'${name}'`).join();
    const pristine = `SHOW SESSION VARIABLES WHERE Variable_name NOT IN (${names})`;
    return new World({ release, servers, pristine, admins, cleaners });
  }

  get isMariadb(): boolean {
    return this.server.isMariadb;
  }

  settings(parts: SettingsParts): object {
    return mysqlSettingsFor(this.server, { ...parts, users });
  }

  /** To the twin. */
  direct(name: string, login: Login): MysqlLogin {
    const { host, port } = this.#twin;
    return { ...this.#login(name, login), host, port, password: passwordOf(login.user) };
  }

  /** Through Sluice. */
  proxied(proxy: Proxy, name: string, login: Login): MysqlLogin {
    const password = proxy.passwordOf(login.user);
    return { ...this.#login(name, login), host: '127.0.0.1', port: proxy.sluice.port, password };
  }

  #login(name: string, login: Login): Omit<MysqlLogin, 'host' | 'port' | 'password'> {
    const { user, collation, client } = login;
    const database = schemaOf(name, login.schema);
    const how = { user, collation, capabilities: clients[client], deadlineMs: SESSION_DEADLINE_MS };
    return database === undefined ? how : { ...how, database };
  }

  async prepare(life: Life): Promise<void> {
    await this.#inBoth(this.#admins, homesOf(life));
  }

  /** For which nobody may hold on to it any more. */
  async clean({ name }: Life): Promise<void> {
    await this.#inBoth(this.#cleaners, `DROP DATABASE ${name}; DROP DATABASE ${otherOf(name)}`);
  }

  async terminate(which: number): Promise<boolean> {
    const [admin] = this.#cleaners;
    const names = users.map((user) => `'${user}'`).join();
    const rows = await admin?.rows(
      `SELECT id FROM information_schema.processlist WHERE user IN (${names}) ORDER BY id`,
    );
    const id = rows?.[which % Math.max(1, rows.length)]?.[0];
    if (id === undefined) return false;
    try {
      await admin?.run(`KILL ${id}`);
      return true;
    } catch (problem) {
      // It has gone by itself.
      if (problem instanceof MysqlError && problem.code === NO_SUCH_THREAD) return false;
      throw problem;
    }
  }

  /** The twin's passwords never change. */
  async changePassword(user: string, password: string): Promise<void> {
    const word = password.replaceAll("'", "''");
    await this.#admins[0]?.run(`ALTER USER ${user} IDENTIFIED BY '${word}'`);
  }

  async close(): Promise<void> {
    await Promise.all([this.server.destroy(), this.#twin.destroy()]);
  }

  async #inBoth(admins: readonly Admin[], sql: string): Promise<void> {
    await Promise.all(admins.map((admin) => admin.run(sql)));
  }
}

const NO_SUCH_THREAD = 1094;

async function start(release: MysqlRelease): Promise<EmbeddedMysql> {
  const server = await startMysql({
    release,
    users: users.map((name) => ({ name, password: new SecretText(passwordOf(name)) })),
    // What the optimizer expects shows in errors and status flags: it is not to depend on when statistics are taken anew.
    settings: { 'local-infile': 'ON', 'innodb-stats-auto-recalc': 'OFF' },
  });
  await server.query(
    [
      'GRANT ALL ON *.* TO chief WITH GRANT OPTION',
      ...['app', 'reader'].map((user) => `GRANT ALL ON \`n%\`.* TO ${user}`),
    ].join(';'),
  );
  return server;
}

/** Two schemas with the same tables. */
function homesOf({ name, token }: Life): string {
  return [name, otherOf(name)].map((schema) => homeOf(schema, token)).join('');
}

function homeOf(schema: string, token: string): string {
  return `
    DROP DATABASE IF EXISTS ${schema}; CREATE DATABASE ${schema};
    CREATE TABLE ${schema}.t (a INT PRIMARY KEY, b VARCHAR(100), d DATE);
    INSERT INTO ${schema}.t VALUES (1, 'one', '2020-02-20'), (2, '${token}', NULL), (3, NULL, NULL);
    CREATE TABLE ${schema}.w (a INT); INSERT INTO ${schema}.w VALUES (1);
    CREATE TABLE ${schema}.here (kind VARCHAR(100)); INSERT INTO ${schema}.here VALUES ('${schema} ${token}');
    CREATE TABLE ${schema}.auto (id INT AUTO_INCREMENT PRIMARY KEY, v VARCHAR(100) UNIQUE);
    CREATE TABLE ${schema}.many (a INT); INSERT INTO ${schema}.many VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9);
    CREATE PROCEDURE ${schema}.turn(v INT) SET SESSION group_concat_max_len = v;
    CREATE PROCEDURE ${schema}.rows_and_more() BEGIN SELECT 1 AS one; SELECT kind FROM ${schema}.here; END;`;
}

/** The superuser of one server, who does one thing after the other, whoever asks. */
class Admin {
  readonly #client: MysqlClient;
  #last: Promise<unknown> = Promise.resolve();

  private constructor(client: MysqlClient) {
    this.#client = client;
  }

  static async signIn(server: EmbeddedMysql): Promise<Admin> {
    const { host, port, superuser: user, superuserPassword } = server;
    const password = superuserPassword.reveal();
    return new Admin(await MysqlClient.signIn({ host, port, user, password, deadlineMs: 60_000 }));
  }

  async rows(sql: string): Promise<readonly (readonly (string | null)[])[]> {
    return await this.#next(() => this.#client.rows(sql));
  }

  /** Any statements. */
  async run(sql: string): Promise<void> {
    const answer = await this.#next(() => this.#client.query(sql));
    const last = answer.at(-1)?.payload;
    if (last !== undefined && codeOf(last) !== undefined) throw new MysqlError(last);
  }

  async #next<T>(work: () => Promise<T>): Promise<T> {
    const answer = this.#last.then(work);
    this.#last = answer.catch(() => {});
    return await answer;
  }
}
