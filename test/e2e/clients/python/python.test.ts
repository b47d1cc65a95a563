import { join } from 'node:path';
import { describeDrivers } from '../driver.ts';

/** Debian's Python, which has Debian's packages; `-B` leaves no byte code beside the scripts. */
function script(name: string): readonly string[] {
  return ['/usr/bin/python3', '-B', join(import.meta.dirname, `${name}_scenarios.py`)];
}

describeDrivers([
  {
    client: 'psycopg 3',
    command: script('psycopg3'),
    scenarios: {
      settings: [],
      settings_in_transactions: [],
      transaction_characteristics: [],
      prepared: [],
      prepared_in_a_crowd: [],
      prepared_and_evicted: [],
      prepared_across_ddl: [],
      pipeline: [],
      pipelines_in_a_crowd: [],
      server_cursor: [],
      cursors_in_a_crowd: [],
      binary: [],
      cancel: [],
      crowd: [],
      held_cursor: ['heldCursor'],
      notify: ['listen'],
      advisory_locks: ['sessionLock'],
      temporary_tables: ['temporaryObject'],
      transactions: ['temporaryObject'],
      copy: ['temporaryObject'],
    },
  },
  {
    client: 'psycopg 2',
    command: script('psycopg2'),
    scenarios: {
      settings: [],
      given_back: [],
      prepared_in_sql: [],
      transactions_in_a_crowd: [],
      autocommit: [],
      errors_told: [],
      encoding: [],
      named_cursor: ['heldCursor'],
      notify: ['listen'],
      copy_expert: ['temporaryObject'],
    },
  },
  {
    client: 'asyncpg',
    command: script('asyncpg'),
    scenarios: {
      pool: [],
      settings: [],
      statements: [],
      statements_forgotten: [],
      types: [],
      cached_plan: [],
      cursors: [],
      copy: [],
      timeout: [],
      listen: ['listen'],
      locks: ['sessionLock'],
    },
  },
  {
    client: 'SQLAlchemy',
    command: script('sqlalchemy'),
    scenarios: { set_on_connect: [], isolation_levels: [], models: [], on_asyncpg: [] },
  },
  {
    client: 'Django',
    command: script('django'),
    scenarios: {
      requests: [],
      time_zones: [],
      models_and_transactions: [],
      iterator: ['heldCursor'],
    },
  },
  {
    client: 'psqlODBC',
    command: script('odbc'),
    tls: false,
    scenarios: {
      connecting: [],
      isolation_levels: [],
      prepared: [],
      errors_in_transactions: [],
      catalogue: [],
      fetched_outside_transactions: [],
      fetched_in_pieces: ['heldCursor'],
    },
  },
]);
