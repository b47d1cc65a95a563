import { join } from 'node:path';
import { nodeProgram } from '../../../../support/node-client.ts';
import { describeSqlServerDrivers } from '../driver.ts';

/** What plays the scenarios of one of our scripts under Node. */
const played = (script: string): { command: readonly string[] } => ({
  command: [nodeProgram, join(import.meta.dirname, `${script}.mjs`)],
});

describeSqlServerDrivers([
  {
    client: 'tedious',
    ...played('tedious'),
    scenarios: {
      settings_on_connect: [],
      settings_by_batches: [],
      prepared_statements: [],
      transactions: [],
      bulk_loads: [],
      resets: [],
      long_statements: [],
      temporary_tables: ['temporaryObject'],
    },
  },
  {
    client: 'mssql',
    ...played('mssql'),
    scenarios: {
      queries: [],
      procedures: [],
      prepared_statements: [],
      transactions: [],
      bulk_loads: [],
      streams: [],
      cancelled: [],
    },
  },
  {
    client: 'Sequelize',
    ...played('sequelize'),
    scenarios: { models: [], transactions: [], raw_queries: [] },
  },
  {
    client: 'Knex',
    ...played('knex'),
    tls: false,
    scenarios: {
      settings_on_connect: [],
      queries: [],
      transactions: [],
      streams: [],
      migrations: [],
    },
  },
]);
