import { join } from 'node:path';
import { describeDrivers } from '../driver.ts';

/** Debian's Ruby, which has Debian's packages. */
function script(name: string): readonly string[] {
  return ['/usr/bin/ruby', join(import.meta.dirname, `${name}_scenarios.rb`)];
}

describeDrivers([
  {
    client: 'ruby-pg',
    command: script('pg'),
    scenarios: {
      settings: [],
      prepared: [],
      pipelines: [],
      copies: [],
      cancel: [],
      listen: ['listen'],
    },
  },
  {
    client: 'ActiveRecord',
    command: script('activerecord'),
    scenarios: {
      connecting: [],
      models: [],
      statement_limit: [],
      migration: [],
      migration_lock: ['sessionLock'],
    },
  },
  {
    client: 'Sequel',
    command: script('sequel'),
    scenarios: { connecting: [], datasets: [] },
  },
]);
