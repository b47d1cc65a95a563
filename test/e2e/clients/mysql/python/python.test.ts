import { join } from 'node:path';
import { describeMysqlDrivers } from '../driver.ts';

/** Debian's Python, which has Debian's packages; `-B` leaves no byte code beside the scripts. */
function script(name: string, ...more: readonly string[]): readonly string[] {
  return ['/usr/bin/python3', '-B', join(import.meta.dirname, `${name}_scenarios.py`), ...more];
}

const dbapi = {
  settings: [],
  init_command: [],
  transactions: [],
  generated_numbers: [],
  unbuffered: [],
  schemas: [],
  temporary_tables: ['temporaryObject'],
  locks: ['sessionLock'],
} as const;

describeMysqlDrivers([
  { client: 'PyMySQL', command: script('dbapi', 'pymysql'), tls: false, scenarios: dbapi },
  { client: 'mysqlclient', command: script('dbapi', 'MySQLdb'), tls: false, scenarios: dbapi },
  {
    client: 'MariaDB Connector/ODBC',
    command: script('odbc'),
    tls: false,
    scenarios: { connecting: [], prepared: [], transactions: [], results: [] },
  },
]);
