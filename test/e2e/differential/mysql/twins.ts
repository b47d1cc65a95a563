import { expect } from 'bun:test';
import { SecretText } from '../../../../src/base/secret-text.ts';
import type { EmbeddedMysql } from '../../../../src/cli/embedded-mysql.ts';
import type { MysqlRelease } from '../../../../src/cli/embedded-mysql-install.ts';
import { capability } from '../../../../src/wire/mysql/capabilities.ts';
import { mysqlSettingsFor, startMysql } from '../../../support/mysql.ts';
import { MysqlClient } from '../../../support/mysql-client.ts';
import type { MysqlLogin } from '../../../support/mysql-client.ts';
import { compare, perform } from '../../../support/mysql-differential.ts';
import type { Mask, Performance, Performing, Script } from '../../../support/mysql-differential.ts';
import { passwordOf, startSluice } from '../../../support/sluice.ts';
import type { Sluice } from '../../../support/sluice.ts';
import { Neighbour } from './neighbour.ts';

/** `chief` may do everything on the whole server. */
export type User = 'app' | 'chief';
/** Each client has a schema of its own, `home_one` and `home_two`. */
export type Name = 'one' | 'two';
export type More = Partial<MysqlLogin> & Performing;

/** A client waits while its neighbour is pinned. */
const PATIENCE_MS = 30_000;
const names = ['one', 'two'] as const satisfies Name[];
const users = ['app', 'chief'] as const satisfies User[];
/** What must differ, wherever it comes. Each stands in docs/differences.md. */
export const explained: readonly Mask[] = [
  // Prepared statements have numbers of Sluice's own, which the database does not know.
  [/.The statement \(\d+\) has no open cursor/g, 'The statement (N) has no open cursor'],
  [/Unknown prepared statement handler \(\d+\)/g, 'Unknown prepared statement handler (N)'],
  // COM_STATISTICS tells what the server has been doing.
  [/Uptime: .*/g, 'Uptime'],
  // MariaDB tells of several changes in no order of theirs; it is another one where it is to tell of all.
  [/\\00 \\18character_set_connection\\06latin1/g, ''],
  [
    /(\\00\\1d\\15character_set_results\\06latin1)(\\00\\1c\\14character_set_client\\06latin1)/g,
    '$2$1',
  ],
];

/** How many there are besides: with the client's, they take turns on one connection. */
const NEIGHBOURS = 2;

/** Two servers alike, of which one is reached directly and the other through a pool of one connection. */
export class MysqlTwins {
  readonly sluice: Sluice;
  readonly #servers: readonly [direct: EmbeddedMysql, proxied: EmbeddedMysql];

  private constructor(sluice: Sluice, servers: readonly [EmbeddedMysql, EmbeddedMysql]) {
    this.sluice = sluice;
    this.#servers = servers;
  }

  static async open(
    release: MysqlRelease,
    settings: Readonly<Record<string, string>> = {},
  ): Promise<MysqlTwins> {
    const servers = await Promise.all([start(release, settings), start(release, settings)]);
    const sluice = await startSluice(
      mysqlSettingsFor(servers[1], {
        users,
        // One more than clients get: the proxy watches the database on a connection of its own.
        database: { maxConnections: 2 },
        proxy: { pool: { connectionBorrowTimeout: PATIENCE_MS / 1000 } },
      }),
    );
    return new MysqlTwins(sluice, servers);
  }

  get isMariadb(): boolean {
    return this.#servers[0].isMariadb;
  }

  /**
   * A client is told the same directly, through Sluice, and through Sluice with neighbours that set whatever can be set between any
   * two of its commands.
   */
  async expectSame(script: Script, user: User, more: More = {}): Promise<void> {
    const direct = await this.expectSameAlone(script, user, more);
    const shared = await this.#amongNeighbours(script, user, more);
    expect({ shared: compare(script, direct, shared) }).toEqual({ shared: [] });
  }

  /** A client is told the same directly, and through Sluice with nobody else there. */
  async expectSameAlone(script: Script, user: User, more: More = {}): Promise<Performance> {
    const direct = await this.#perform(script, this.direct(user), more);
    const alone = await this.#perform(script, this.proxied(user), more);
    expect({ alone: compare(script, direct, alone), more }).toEqual({ alone: [], more });
    await this.#expectPristine(user, more);
    return direct;
  }

  /** Another client on the one connection finds what it would find on a connection of its own. */
  async #expectPristine(user: User, more: More): Promise<void> {
    const [, { host, port }] = this.#servers;
    const { capabilities } = more;
    // MariaDB cannot show variables to who wants no schemas in names.
    if (((capabilities?.flags ?? 0) & capability.noSchema) !== 0) return;
    const login = {
      database: 'neighbours',
      ...(capabilities === undefined ? {} : { capabilities }),
    };
    const fresh = await stateOf({ ...loginOf(user), ...login, host, port });
    expect(await stateOf({ ...this.proxied(user), ...login })).toEqual(fresh);
  }

  /** Two clients on one connection are told what each is told on a connection of its own. */
  async expectSameAsAlone(
    scripts: Readonly<Record<Name, Script>>,
    user: User,
    more: More = {},
  ): Promise<void> {
    const direct = [
      await this.#perform(scripts.one, this.direct(user), more),
      await this.#perform(scripts.two, this.direct(user), more, 'two'),
    ] as const;
    const proxied = await Promise.all([
      this.#perform(scripts.one, this.proxied(user), more),
      this.#perform(scripts.two, this.proxied(user), more, 'two'),
    ]);
    expect({
      one: compare(scripts.one, direct[0], proxied[0]),
      two: compare(scripts.two, direct[1], proxied[1]),
    }).toEqual({ one: [], two: [] });
  }

  async close(): Promise<void> {
    const bad = this.sluice
      .logs()
      .filter(({ level, event }) => level === 'error' || event === 'bug');
    expect(bad).toEqual([]);
    expect(await this.sluice.stop()).toBe(0);
    await Promise.all(this.#servers.map((server) => server.destroy()));
  }

  direct(user: User): MysqlLogin {
    const [{ host, port }] = this.#servers;
    return { ...loginOf(user), host, port };
  }

  proxied(user: User): MysqlLogin {
    return { ...loginOf(user), host: '127.0.0.1', port: this.sluice.port };
  }

  async #amongNeighbours(script: Script, user: User, more: More): Promise<Performance> {
    const neighbours: Neighbour[] = [];
    for (let left = NEIGHBOURS; left > 0; left -= 1)
      neighbours.push(await Neighbour.movesIn({ ...this.proxied(user), ...more }));
    const performance = await this.#perform(script, this.proxied(user), more);
    for (const neighbour of neighbours) expect(await neighbour.movesOut()).toBeGreaterThan(0);
    return performance;
  }

  /** In an empty home. */
  async #perform(
    script: Script,
    login: MysqlLogin,
    { masks = [], files, between, ...more }: More,
    name: Name = 'one',
  ): Promise<Performance> {
    const server = login.port === this.sluice.port ? this.#servers[1] : this.#servers[0];
    await server.query(`DROP DATABASE IF EXISTS home_${name}; CREATE DATABASE home_${name}`);
    const performing = {
      masks: [...explained, ...masks],
      ...(files === undefined ? {} : { files }),
      ...(between === undefined ? {} : { between }),
    };
    return await perform(script, { database: `home_${name}`, ...login, ...more }, performing);
  }
}

function loginOf(user: User): Pick<MysqlLogin, 'user' | 'password' | 'deadlineMs'> {
  return { user, password: passwordOf(user), deadlineMs: PATIENCE_MS };
}

async function start(
  release: MysqlRelease,
  settings: Readonly<Record<string, string>>,
): Promise<EmbeddedMysql> {
  const server = await startMysql({
    release,
    users: users.map((name) => ({ name, password: new SecretText(passwordOf(name)) })),
    databases: [...names.map((name) => `home_${name}`), 'neighbours'],
    // Plans, whose traits show in the status flags, are not to depend on when statistics are taken anew.
    settings: { 'local-infile': 'ON', 'innodb-stats-auto-recalc': 'OFF', ...settings },
  });
  await server.query('GRANT ALL ON *.* TO chief WITH GRANT OPTION');
  return server;
}

/** What a session finds on the connection that it gets. */
async function stateOf(login: MysqlLogin): Promise<readonly string[]> {
  const client = await MysqlClient.signIn(login);
  try {
    const variables = await client.rows('SHOW SESSION VARIABLES');
    const others = await client.rows('SELECT DATABASE(), USER(), CURRENT_USER(), LAST_INSERT_ID()');
    await client.end();
    return [...variables.filter(([name]) => !MOVING.test(name ?? '')), ...others].map(String);
  } finally {
    client.destroy();
  }
}

/** Variables that move by themselves, that say whose connection it is, or that Sluice brings along when they are asked for. */
const MOVING =
  /^(?:timestamp|rand_seed\d|pseudo_thread_id|statement_id|(?:error|warning)_count|gtid|last_gtid|session_track_|identity|last_insert_id)/;
