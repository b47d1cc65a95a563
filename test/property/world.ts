import { SecretText } from '../../src/base/secret-text.ts';
import { startEmbeddedPostgres } from '../../src/cli/embedded-postgres.ts';
import type { EmbeddedServer } from '../../src/cli/embedded-server.ts';
import { RawClient } from '../support/raw-client.ts';
import type { ConnectOptions, Login as SignIn } from '../support/raw-client.ts';
import { passwordOf, settingsFor } from '../support/sluice.ts';
import type { SettingsParts } from '../support/sluice.ts';
import { SESSION_DEADLINE_MS } from './proxy.ts';
import type { Front, Proxy } from './proxy.ts';
import { seeds } from './repertoire/settings.ts';
import type { Stage as AnyStage } from './stage.ts';
import type { Life, Login } from './steps.ts';

export type Version = 18 | 14;
export type Way = ConnectOptions & SignIn;
export type Stage = AnyStage<World>;

const users = ['app', 'reader', 'chief'] as const;
const databases = ['east', 'west', 'east_twin', 'west_twin'] as const;
type Database = (typeof databases)[number];

/** Twins are reached directly, and by whoever says who they are: their passwords never change. */
const ACCESS = 'host east_twin,west_twin all 127.0.0.1/32 trust';

/** A role that users may take on, and one that they may not. Users and databases have settings of their own. */
const COMMON = `
  CREATE ROLE mask; GRANT mask TO app, reader; CREATE ROLE other_mask;
  ALTER ROLE reader SET statement_timeout = '5h';
  ALTER DATABASE west SET DateStyle = 'German'; ALTER DATABASE west_twin SET DateStyle = 'German';
  ALTER ROLE app IN DATABASE west SET work_mem = '5MB';
  ALTER ROLE app IN DATABASE west_twin SET work_mem = '5MB';`;

const IN_EACH_DATABASE = `
  CREATE FUNCTION public.turn(name text, value text) RETURNS void LANGUAGE plpgsql
    AS $$ BEGIN PERFORM set_config(name, value, false); END $$;`;

/** So many random numbers after each seed are never met by accident. */
const SOWN_NUMBERS = 200;
export const DRAW = 'SELECT random()::numeric(20, 15)::text';

/** A server with two databases, and a twin of each, alike in everything. */
export class World implements Front {
  readonly users = users;
  readonly version: Version;
  readonly server: EmbeddedServer;
  /** The numbers that sessions draw which have sown: nobody else may draw them. */
  readonly sown: ReadonlySet<string>;
  readonly #builders: ReadonlyMap<Database, Admin>;
  readonly #cleaners: ReadonlyMap<Database, Admin>;

  private constructor(parts: {
    version: Version;
    server: EmbeddedServer;
    sown: ReadonlySet<string>;
    builders: ReadonlyMap<Database, Admin>;
    cleaners: ReadonlyMap<Database, Admin>;
  }) {
    this.version = parts.version;
    this.server = parts.server;
    this.sown = parts.sown;
    this.#builders = parts.builders;
    this.#cleaners = parts.cleaners;
  }

  static async open(version: Version): Promise<World> {
    const server = await startEmbeddedPostgres({
      ...(version === 14 ? { packageName: 'postgres14' } : {}),
      hba: ACCESS,
      databases,
      users: users.map((name) => ({
        name,
        password: new SecretText(passwordOf(name)),
        attributes: name === 'chief' ? 'SUPERUSER' : 'NOSUPERUSER',
      })),
    });
    await server.query(COMMON);
    const builders = new Map<Database, Admin>();
    const cleaners = new Map<Database, Admin>();
    for (const database of databases) {
      builders.set(database, await Admin.signIn(server, database));
      cleaners.set(database, await Admin.signIn(server, database));
      await builders.get(database)?.rows(IN_EACH_DATABASE);
      await builders.get(database)?.rows('SET client_min_messages = warning');
    }
    const sown = new Set<string>();
    for (const seed of seeds) {
      const draws = `${DRAW} FROM generate_series(1, ${SOWN_NUMBERS})`;
      const rows = await builders.get('east')?.rows(`SELECT setseed(${seed}); ${draws}`);
      for (const [value] of rows ?? []) if (value !== null && value !== undefined) sown.add(value);
    }
    return new World({ version, server, sown, builders, cleaners });
  }

  /** Directly to the twin of the database that this login means. */
  direct({ user, database, parameters }: Login): Way {
    const { host, port } = this.server;
    return { host, port, user, database: `${database}_twin`, parameters };
  }

  settings(parts: SettingsParts): object {
    return settingsFor(this.server, parts);
  }

  /** Through Sluice. */
  proxied(proxy: Proxy, { user, database, parameters, tls }: Login): Way {
    const password = proxy.passwordOf(user);
    const { port } = proxy.sluice;
    const how = { host: '127.0.0.1', port, deadlineMs: SESSION_DEADLINE_MS } as const;
    return { ...how, tls: tls ? 'startTls' : 'none', user, password, database, parameters };
  }

  /** Makes what belongs to one life, in the database and in its twin. A round that failed may have left something. */
  async prepare({ name, token, login }: Life): Promise<void> {
    const left = `DROP SCHEMA IF EXISTS ${name}, ${name}_b CASCADE;`;
    const sql = [name, `${name}_b`].map((schema) => inSchema(schema, login.user, token)).join('');
    await this.#inBoth(this.#builders, login, left + sql);
  }

  /**
   * Takes it away again, for which nobody may hold on to it any more; and calls into the channels on which nobody may
   * listen any more.
   */
  async clean({ name, token, login }: Life): Promise<void> {
    const channels = [`ear_${name}`, `ear_${name}_2`];
    const calls = channels.map((channel) => `NOTIFY ${channel}, '${token}';`).join('');
    await this.#admin(this.#cleaners, login.database).rows(calls);
    await this.#inBoth(
      this.#cleaners,
      login,
      `SET client_min_messages = warning; SET lock_timeout = '20s'; DROP SCHEMA ${name}, ${name}_b CASCADE`,
    );
  }

  /** Calls into the life's channel, in the database and in its twin. */
  async notify({ name, token, login }: Life): Promise<void> {
    await this.#inBoth(this.#builders, login, `NOTIFY ear_${name}, '${token}'`);
  }

  /** Ends one of the proxy's connections; false where there is none. */
  async terminate(which: number): Promise<boolean> {
    const admin = this.#admin(this.#cleaners, 'east');
    const rows = await admin.rows(`SELECT pid FROM pg_stat_activity
      WHERE datname IN ('east', 'west') AND usename <> 'postgres' ORDER BY pid`);
    const pid = rows[which % Math.max(1, rows.length)]?.[0];
    if (pid === undefined) return false;
    await admin.rows(`SELECT pg_terminate_backend(${pid})`);
    return true;
  }

  async changePassword(user: string, password: string): Promise<void> {
    await this.#admin(this.#builders, 'east').rows(
      `ALTER ROLE ${user} PASSWORD '${password.replaceAll("'", "''")}'`,
    );
  }

  async close(): Promise<void> {
    await this.server.destroy();
  }

  async #inBoth(
    admins: ReadonlyMap<Database, Admin>,
    { database }: Login,
    sql: string,
  ): Promise<void> {
    const both = [database, `${database}_twin`] as const;
    await Promise.all(both.map((one) => this.#admin(admins, one).rows(sql)));
  }

  #admin(admins: ReadonlyMap<Database, Admin>, database: Database): Admin {
    const admin = admins.get(database);
    if (admin === undefined) throw new Error(`nobody looks after ${database}`);
    return admin;
  }
}

function inSchema(schema: string, owner: string, token: string): string {
  return `
    CREATE SCHEMA ${schema} AUTHORIZATION ${owner}; GRANT USAGE ON SCHEMA ${schema} TO PUBLIC;
    SET ROLE ${owner}; SET search_path = ${schema};
    CREATE TABLE t (a int PRIMARY KEY, b text); INSERT INTO t VALUES (1, 'one'), (2, '${token}'), (3, NULL);
    CREATE TABLE w (a int); INSERT INTO w VALUES (1);
    CREATE TABLE here (kind text); INSERT INTO here VALUES ('${schema} ${token}');
    GRANT SELECT ON here TO PUBLIC;
    CREATE TABLE d (id int PRIMARY KEY, r int REFERENCES d DEFERRABLE INITIALLY DEFERRED);
    CREATE SEQUENCE seq;
    RESET ROLE; RESET search_path;`;
}

/** The superuser in one database, who does one thing after the other, whoever asks. */
class Admin {
  readonly #client: RawClient;
  #last: Promise<unknown> = Promise.resolve();

  private constructor(client: RawClient) {
    this.#client = client;
  }

  static async signIn(server: EmbeddedServer, database: string): Promise<Admin> {
    const { host, port, superuser: user, superuserPassword } = server;
    const password = superuserPassword.reveal();
    return new Admin(
      await RawClient.signIn({ host, port, user, password, database, deadlineMs: 60_000 }),
    );
  }

  async rows(sql: string): Promise<readonly (readonly (string | null)[])[]> {
    const answer = this.#last.then(() => this.#client.rows(sql));
    this.#last = answer.catch(() => {});
    return await answer;
  }
}
