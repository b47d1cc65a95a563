import type { EngineFamily } from '../../core/engine.ts';
import { sayAddress } from '../../net/wording.ts';
import type { Given } from '../command.ts';
import { oneOf, UsageError } from '../command.ts';
import type { Client } from './client.ts';
import { mariadb, mysql, psql, sqlcmd } from './client.ts';
import type { DemoDatabase, Surroundings } from './database.ts';
import { MAX_CONNECTIONS } from './database.ts';
import { startMysqlDatabase } from './mysql/database.ts';
import { startPostgresDatabase } from './postgres/database.ts';
import { openSqlServerDatabase } from './sqlserver/database.ts';
import type { GivenServer } from './sqlserver/options.ts';
import { readServer, serverFlags } from './sqlserver/options.ts';

/** The databases that are started for the demonstration, by the names that settings have for them. */
const startedNames = ['postgres', 'mysql', 'mariadb'] as const;
/** And the one of which the user must have a server. */
const GIVEN_NAME = 'sqlserver';
/** The databases that the demonstration can be given with. */
export const engineNames = [...startedNames, GIVEN_NAME] as const;

export interface DemoEngine {
  readonly name: (typeof engineNames)[number];
  readonly family: EngineFamily;
  /** The first words. */
  readonly opening: string;
  /** For `--keep`. */
  readonly client: Client;
  /** What there is to say of the function. */
  readonly remark: string;
  start(surroundings: Surroundings): Promise<DemoDatabase>;
}

const sequelize = '\nThe function is that of examples/lambda-sequelize, under Node.';

const started: Readonly<Record<(typeof startedNames)[number], Omit<DemoEngine, 'name'>>> = {
  postgres: {
    opening: starting('PostgreSQL'),
    family: 'POSTGRESQL',
    client: psql,
    remark: '',
    start: startPostgresDatabase,
  },
  mysql: {
    opening: starting('MySQL'),
    family: 'MYSQL',
    client: mysql,
    remark: sequelize,
    start: (surroundings) => startMysqlDatabase('mysql', surroundings),
  },
  mariadb: {
    opening: starting('MariaDB'),
    family: 'MYSQL',
    client: mariadb,
    remark: sequelize,
    start: (surroundings) => startMysqlDatabase('mariadb', surroundings),
  },
};

function starting(title: string): string {
  return (
    `Starting a ${title} server with max_connections = ${MAX_CONNECTIONS}: what Amazon RDS grants\n` +
    'a database instance with 1 GB of memory.'
  );
}

/** What the command line asks for. Throws a `UsageError` where there is no such engine, or what is said of a server does not go with it. */
export function chooseEngine(given: Given, env: Surroundings['env']): DemoEngine {
  const wanted = given.get('engine') ?? engineNames[0];
  const name = engineNames.find((one) => one === wanted);
  if (name === undefined) throw new UsageError(`--engine must be ${oneOf(engineNames)}`);
  if (name === GIVEN_NAME) return atServer(readServer(given, env));
  const stray = serverFlags.find((flag) => given.has(flag.name));
  if (stray !== undefined) throw new UsageError(`--${stray.name} goes with --engine ${GIVEN_NAME}`);
  return { name, ...started[name] };
}

function atServer(server: GivenServer): DemoEngine {
  return {
    name: GIVEN_NAME,
    family: 'SQLSERVER',
    opening: `Making two tables at the server at ${sayAddress(server.host, server.port)}.`,
    client: sqlcmd,
    remark: sequelize,
    start: (surroundings) => openSqlServerDatabase(server, surroundings),
  };
}
