import { expect } from 'bun:test';
import { SecretText } from '../../../src/base/secret-text.ts';
import { startEmbeddedPostgres } from '../../../src/cli/embedded-postgres.ts';
import type { EmbeddedServer } from '../../../src/cli/embedded-server.ts';
import { compare, perform } from '../../support/differential.ts';
import type { Exchange, Performance } from '../../support/differential.ts';
import { RawClient } from '../../support/raw-client.ts';
import type { ConnectOptions, Login } from '../../support/raw-client.ts';
import { passwordOf, settingsFor, startSluice } from '../../support/sluice.ts';
import type { Sluice } from '../../support/sluice.ts';
import { transcript } from '../../support/transcript.ts';
import { stateOf } from './twins.ts';
import { Verbatim } from './verbatim.ts';

export type Way = ConnectOptions & Login;
/** `chief` is a superuser. */
export type User = 'app' | 'chief';
/** Each client has a schema of its own, `home_one` and `home_two`. */
export type Name = 'one' | 'two';

/** The client waits while its neighbour is pinned. */
const PATIENCE_MS = 20_000;
const DATABASE = 'corpus';
const users = ['app', 'chief'] as const satisfies User[];
const packages = { 18: undefined, 14: 'postgres14' } as const;

/** What statements can make that belongs to no schema, and what a file must have taken away at its end. */
const LEFT = `SELECT concat_ws(' ', kind, name) AS name FROM (
  SELECT 'role', rolname FROM pg_roles UNION ALL SELECT 'database', datname FROM pg_database
  UNION ALL SELECT 'schema', nspname FROM pg_namespace WHERE nspname !~ '^(home|pg_temp|pg_toast_temp)_'
  UNION ALL SELECT 'tablespace', spcname FROM pg_tablespace UNION ALL SELECT 'language', lanname FROM pg_language
  UNION ALL SELECT 'extension', extname FROM pg_extension UNION ALL SELECT 'server', srvname FROM pg_foreign_server
  UNION ALL SELECT 'wrapper', fdwname FROM pg_foreign_data_wrapper UNION ALL SELECT 'gid', gid FROM pg_prepared_xacts
  UNION ALL SELECT 'publication', pubname FROM pg_publication UNION ALL SELECT 'subscription', subname FROM pg_subscription
  UNION ALL SELECT 'event trigger', evtname FROM pg_event_trigger UNION ALL SELECT 'method', amname FROM pg_am
  UNION ALL SELECT 'large object', oid::text FROM pg_largeobject_metadata
  UNION ALL SELECT 'in public', relname FROM pg_class WHERE relnamespace = 'public'::regnamespace
  UNION ALL SELECT 'default', oid::text FROM pg_default_acl
  UNION ALL SELECT 'setting', sourceline::text || name FROM pg_file_settings WHERE sourcefile ~ 'auto.conf$'
) AS left_over (kind, name) ORDER BY 1`;

/** Two servers alike, of which one is reached directly and the other through a pool of one connection. */
export class CorpusTwins {
  readonly sluice: Sluice;
  readonly #servers: readonly [direct: EmbeddedServer, proxied: EmbeddedServer];
  /** A superuser on each server. */
  readonly #keepers: readonly RawClient[];
  /** What a session finds on a connection of its own. */
  readonly #fresh: Readonly<Record<User, string>>;

  private constructor(
    sluice: Sluice,
    servers: readonly [EmbeddedServer, EmbeddedServer],
    keepers: readonly RawClient[],
    fresh: Readonly<Record<User, string>>,
  ) {
    this.sluice = sluice;
    this.#servers = servers;
    this.#keepers = keepers;
    this.#fresh = fresh;
  }

  static async open(version: 18 | 14): Promise<CorpusTwins> {
    const servers = await Promise.all([start(version), start(version)]);
    const settings = settingsFor(servers[1], {
      // One more than clients get: the proxy watches the database on a connection of its own.
      database: { maxConnections: 2, database: DATABASE },
      proxy: { auth: users.map((secret) => ({ secret, iamAuth: 'DISABLED' })) },
      secrets: users.map((username) => ({
        name: username,
        value: { username, password: passwordOf(username) },
      })),
    });
    const chiefs = servers.map(({ host, port }) => ({ ...loginOf('chief'), host, port }));
    const keepers = await Promise.all(chiefs.map((way) => RawClient.signIn(way)));
    const [, { host, port }] = servers;
    const fresh = {
      app: await stateOf({ ...loginOf('app'), host, port }),
      chief: await stateOf({ ...loginOf('chief'), host, port }),
    };
    return new CorpusTwins(await startSluice(settings), servers, keepers, fresh);
  }

  /** Both clients are told the same. */
  async expectSame(script: readonly Exchange[], user: User): Promise<void> {
    await this.#furnish(['one'], user);
    const [direct, proxied] = await Promise.all([
      this.#perform(script, this.#direct(user), 'one'),
      this.#perform(script, this.#proxied(user), 'one'),
    ]);
    expect(differencesOf(script, direct, proxied)).toEqual([]);
    await this.#expectPristine(user);
  }

  /** Two clients on one connection are told what each is told on a connection of its own. */
  async expectSameAsAlone(
    scripts: Readonly<Record<Name, readonly Exchange[]>>,
    user: User,
  ): Promise<void> {
    await this.#furnish(['one', 'two'], user);
    const alone = async (): Promise<readonly Performance[]> => [
      await this.#perform(scripts.one, this.#direct(user), 'one'),
      await this.#perform(scripts.two, this.#direct(user), 'two'),
    ];
    const [[oneAlone = [], twoAlone = []], one, two] = await Promise.all([
      alone(),
      this.#perform(scripts.one, this.#proxied(user), 'one'),
      this.#perform(scripts.two, this.#proxied(user), 'two'),
    ]);
    expect(differencesOf(scripts.one, oneAlone, one)).toEqual([]);
    expect(differencesOf(scripts.two, twoAlone, two)).toEqual([]);
    await this.#expectPristine(user);
  }

  /** All that is on the servers and belongs to no client's schema. */
  async inventory(): Promise<readonly (readonly string[])[]> {
    return await Promise.all(
      this.#keepers.map(async (keeper) => transcript(await keeper.query(LEFT))),
    );
  }

  async close(): Promise<void> {
    const bad = this.sluice
      .logs()
      .filter(({ level, event }) => level === 'error' || event === 'bug');
    expect(bad).toEqual([]);
    for (const keeper of this.#keepers) keeper.destroy();
    expect(await this.sluice.stop()).toBe(0);
    await Promise.all(this.#servers.map((server) => server.destroy()));
  }

  /** An empty home for each client. */
  async #furnish(names: readonly Name[], user: User): Promise<void> {
    const sql = names.map(
      (name) => `DROP SCHEMA IF EXISTS home_${name} CASCADE;
        CREATE SCHEMA home_${name} AUTHORIZATION ${user}`,
    );
    await Promise.all(this.#keepers.map((keeper) => keeper.query(sql.join(';'))));
  }

  async #perform(script: readonly Exchange[], way: Way, name: Name): Promise<Performance> {
    const { tell } = new Verbatim();
    const answers = await perform([`SET search_path TO home_${name}`, ...script], way, { tell });
    return answers.map(reportsLast);
  }

  /** Another client on the one connection sees what a client of a fresh one sees. */
  async #expectPristine(user: User): Promise<void> {
    expect(await stateOf(this.#proxied(user))).toBe(this.#fresh[user]);
  }

  #direct(user: User): Way {
    const [{ host, port }] = this.#servers;
    return { ...loginOf(user), host, port };
  }

  #proxied(user: User): Way {
    return { ...loginOf(user), host: '127.0.0.1', port: this.sluice.port };
  }
}

function loginOf(user: User): Pick<Way, 'user' | 'password' | 'database' | 'deadlineMs'> {
  return { user, password: passwordOf(user), database: DATABASE, deadlineMs: PATIENCE_MS };
}

/** Reports of parameters come anywhere within an answer, as some are Sluice's own (docs/differences.md). */
function reportsLast(lines: readonly string[]): readonly string[] {
  const isReport = (line: string): boolean => line.startsWith('S ');
  return [...lines.filter((line) => !isReport(line)), ...lines.filter(isReport).toSorted()];
}

function differencesOf(
  script: readonly Exchange[],
  expected: Performance,
  actual: Performance,
): ReturnType<typeof compare> {
  return compare(['SET search_path', ...script], expected, actual);
}

async function start(version: keyof typeof packages): Promise<EmbeddedServer> {
  const packageName = packages[version];
  return await startEmbeddedPostgres({
    ...(packageName === undefined ? {} : { packageName }),
    users: users.map((name) => ({
      name,
      password: new SecretText(passwordOf(name)),
      attributes: name === 'chief' ? 'SUPERUSER' : '',
    })),
    databases: [DATABASE],
    settings: { max_prepared_transactions: '10', autovacuum: 'off', wal_level: 'logical' },
  });
}
