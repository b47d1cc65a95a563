import { join } from 'node:path';
import { nodeProgram } from '../../../support/node-client.ts';
import { describeDrivers } from '../driver.ts';

/** What plays the scenarios of one of our scripts under Node. None of these libraries asks for TLS by itself. */
const played = (script: string): { command: readonly string[]; tls: false } => ({
  command: [nodeProgram, join(import.meta.dirname, `${script}.mjs`)],
  tls: false,
});

describeDrivers([
  {
    client: 'pg',
    ...played('pg'),
    scenarios: {
      named_statements: [],
      named_statements_of_changed_tables: [],
      named_statements_in_transactions: [],
      settings_on_connect: [],
      settings_per_request: [],
      settings_in_transactions: [],
      reset_on_return: [],
      startup_parameters: [],
      prepare_by_sql: [],
      long_statements: [],
      pipeline: [],
      transaction_locks: [],
      serial_columns: [],
      session_locks: ['sessionLock'],
      listen: ['listen'],
      temporary_tables: ['temporaryObject'],
      held_cursors: ['heldCursor'],
      sequences: ['sequence'],
      settings_by_bound_names: ['setting'],
    },
  },
  {
    client: 'pg-cursor',
    ...played('pg-cursor'),
    scenarios: {
      outside_transactions: [],
      closed_early: [],
      in_transactions: [],
      with_errors: [],
    },
  },
  {
    client: 'pg-query-stream',
    ...played('pg-query-stream'),
    scenarios: { streams: [], destroyed_early: [], in_transactions: [] },
  },
  {
    client: 'Postgres.js',
    ...played('postgres'),
    scenarios: {
      prepared: [],
      unprepared: [],
      prepared_for_changed_tables: [],
      settings_on_connect: [],
      settings_on_reserved: [],
      transactions: [],
      cursors: [],
      copies: [],
      listen: ['listen'],
      long_statements: [],
    },
  },
  {
    client: 'Sequelize',
    ...played('sequelize'),
    scenarios: { settings_on_connect: [], models: [], transactions: [], search_path: [] },
  },
  {
    client: 'Prisma',
    ...played('prisma'),
    scenarios: {
      models: [],
      named_statements: [],
      transactions: [],
      search_path: [],
      settings_per_request: [],
      long_statements: [],
    },
  },
  {
    client: 'Drizzle',
    ...played('drizzle'),
    scenarios: { queries: [], prepared_statements: [], transactions: [], settings: [] },
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
    scenarios: {
      settings_on_connect: [],
      settings_on_query_runner: [],
      entities: [],
      transactions: [],
      streams: [],
    },
  },
  {
    client: "Rails' SETs, by pg",
    ...played('rails'),
    scenarios: {
      set_storm: [],
      short_connections: [],
      prepared_statements: [],
      discard_all: [],
      reset_all: [],
      migration_lock: ['sessionLock'],
    },
  },
]);
