import { join } from 'node:path';
import { describeMysqlDrivers } from '../driver.ts';

/** Debian's Ruby, which has Debian's packages. */
function script(name: string): { readonly command: readonly string[]; readonly tls: false } {
  const path = join(import.meta.dirname, `${name}_scenarios.rb`);
  return { command: ['/usr/bin/ruby', path], tls: false };
}

describeMysqlDrivers([
  {
    client: 'Ruby mysql2',
    ...script('mysql2'),
    scenarios: {
      set_storm: [],
      prepared: [],
      transactions: [],
      results: [],
      migration_lock: ['sessionLock'],
    },
  },
  {
    client: 'ActiveRecord',
    ...script('activerecord'),
    scenarios: { connecting: [], models: [], migration_lock: ['sessionLock'] },
  },
]);
