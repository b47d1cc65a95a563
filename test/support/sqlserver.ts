import { passwordOf } from './sluice.ts';
import type { SettingsParts } from './sluice.ts';
import { TdsClient } from './tds-client.ts';
import type { TdsLogin } from './tds-client.ts';
import { startTdsServer } from './tds-server/server.ts';
import type { TdsServer } from './tds-server/server.ts';

/** The variable by which `npm run test:sqlserver` says which server it is: `GivenServer` in JSON. */
export const GIVEN_SERVER = 'SLUICE_TEST_SQLSERVER';

/** A server of the user's, and a login that may make tables and procedures there. */
export interface GivenServer {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  /** The login's default one where none is given. */
  readonly database?: string | undefined;
  /** Whether it is spoken to by TLS; its certificate is not looked at. */
  readonly tls: boolean;
}

/** What the server is, as it says itself: not all of them do all that tests ask. */
export interface Abilities {
  readonly product: 'SQL Server' | 'Babelfish' | 'the test server';
  /** WAITFOR DELAY takes its time. */
  readonly waits: boolean;
}

/** A server that tests share. */
export interface SqlServerAtTests extends GivenServer {
  readonly database: string;
  readonly abilities: Abilities;
  /** Where it is the project's own. */
  readonly own: TdsServer | undefined;
  /** Runs a batch on a connection of its own; the rows as texts. */
  query(sql: string): Promise<readonly (readonly (string | null)[])[]>;
}

let shared: Promise<SqlServerAtTests> | undefined;

/**
 * The server that all tests of the process share: the one that `npm run test:sqlserver` was given, else one of the project's own, with
 * the database `app` and the user `app`.
 */
export function withSqlServer(): Promise<SqlServerAtTests> {
  shared ??= reach();
  return shared;
}

async function reach(): Promise<SqlServerAtTests> {
  const given = givenServer();
  if (given !== undefined) return await introduce(given, undefined);
  const password = passwordOf('app');
  const own = await startTdsServer({
    users: { app: password },
    databases: ['app'],
    defaultDatabases: { app: 'app' },
  });
  const address = { host: '127.0.0.1', port: own.port, user: 'app', password, tls: false };
  return await introduce(address, own);
}

function givenServer(): GivenServer | undefined {
  const text = process.env[GIVEN_SERVER];
  return text === undefined ? undefined : (JSON.parse(text) as GivenServer);
}

async function introduce(
  server: GivenServer,
  own: TdsServer | undefined,
): Promise<SqlServerAtTests> {
  const client = await TdsClient.signIn(loginOf(server));
  const isBabelfish = ((await client.value('SELECT @@VERSION')) ?? '').includes('Babelfish');
  const database = (await client.value('SELECT DB_NAME()')) ?? '';
  await client.end();
  const product = own !== undefined ? 'the test server' : isBabelfish ? 'Babelfish' : 'SQL Server';
  return {
    ...server,
    database,
    own,
    abilities: { product, waits: !isBabelfish },
    async query(sql) {
      const one = await TdsClient.signIn(loginOf(server));
      try {
        return await one.batch(sql);
      } finally {
        await one.end();
      }
    },
  };
}

/** How a client of ours signs in there. */
export function loginOf(server: GivenServer): TdsLogin & { readonly host: string } {
  const { host, port, user, password, database, tls } = server;
  const options = { encrypt: tls, ...(database === undefined ? {} : { database }) };
  return { host, port, user, password, options };
}

/** Settings of one proxy, `app`, on any free port, in front of this server, for its user; the rest adds to it or replaces. */
export function sqlServerSettingsFor(
  server: GivenServer,
  { proxy = {}, database = {}, ...rest }: SettingsParts = {},
): object {
  const { host, port, user, password, tls } = server;
  return {
    region: 'eu-central-1',
    account: '123456789012',
    secrets: [{ name: 'app', value: { username: user, password } }],
    databases: [
      {
        ...{ identifier: 'db', engine: 'sqlserver', host, port },
        tls: tls ? 'require' : 'prefer',
        ...database,
      },
    ],
    proxies: [
      {
        name: 'app',
        engineFamily: 'SQLSERVER',
        listen: '127.0.0.1:0',
        target: 'db',
        auth: [{ secret: 'app', iamAuth: 'DISABLED' }],
        ...proxy,
      },
    ],
    ...rest,
  };
}
