import { join } from 'node:path';
import { nodeProgram } from '../../../../support/node-client.ts';
import { describeMysqlDrivers } from '../driver.ts';

/** What plays the scenarios of one of our scripts under Node. None of these libraries asks for TLS by itself. */
const played = (script: string): { command: readonly string[]; tls: false } => ({
  command: [nodeProgram, join(import.meta.dirname, `${script}.mjs`)],
  tls: false,
});

describeMysqlDrivers([
  {
    client: 'mysql2',
    ...played('mysql2'),
    scenarios: {
      settings_on_connect: [],
      settings_per_request: [],
      sql_modes: [],
      user_variables: [],
      prepared_statements: [],
      closed_statements: [],
      prepared_in_other_schemas: [],
      changed_tables: [],
      last_insert_id: [],
      transactions: [],
      autocommit_off: [],
      several_results: [],
      pools: [],
      streams: [],
      local_files: [],
      large_values: [],
      kills: [],
      what_the_last_statement_left: [],
      temporary_tables: ['temporaryObject'],
      session_locks: ['sessionLock'],
      table_locks: ['tableLock'],
      prepare_by_sql: ['preparedStatement', 'userVariable'],
    },
  },
  {
    client: 'mariadb',
    ...played('mariadb'),
    scenarios: {
      settings_on_connect: [],
      pipelines: [],
      batches: [],
      prepared_statements: [],
      streams: [],
      pools: [],
      other_users: [],
      of_mariadb: [],
      temporary_tables: ['temporaryObject'],
    },
  },
  {
    client: 'Sequelize',
    ...played('sequelize'),
    scenarios: { settings_on_connect: [], models: [], transactions: [] },
  },
  {
    client: 'Drizzle',
    ...played('drizzle'),
    scenarios: { queries: [], prepared_statements: [], transactions: [] },
  },
  {
    client: 'Knex',
    ...played('knex'),
    scenarios: {
      settings_on_connect: [],
      queries: [],
      transactions: [],
      streams: [],
      migrations: [],
    },
  },
  {
    client: 'TypeORM',
    ...played('typeorm'),
    scenarios: { settings_on_query_runner: [], entities: [], transactions: [], streams: [] },
  },
]);
