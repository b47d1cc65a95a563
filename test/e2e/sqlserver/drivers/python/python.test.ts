import { join } from 'node:path';
import { describeSqlServerDrivers } from '../driver.ts';

/** Debian's Python, which has Debian's packages; `-B` leaves no byte code beside the scripts. */
function script(module: string): readonly string[] {
  return ['/usr/bin/python3', '-B', join(import.meta.dirname, 'dbapi_scenarios.py'), module];
}

const scenarios = {
  settings: [],
  queries: [],
  transactions: [],
  autocommit_off: [],
  procedures: [],
  versions: [],
  temporary_tables: ['temporaryObject'],
} as const;

describeSqlServerDrivers([
  {
    client: 'python-tds',
    command: script('pytds'),
    tls: false,
    scenarios: { ...scenarios, bulk_loads: [] },
  },
  { client: 'pymssql', command: script('pymssql'), tls: false, scenarios },
]);
