import { join } from 'node:path';
import { describeMysqlDrivers } from '../driver.ts';

const played = (driver: string) => ({
  client: `Perl DBD::${driver}`,
  command: ['/usr/bin/perl', join(import.meta.dirname, 'scenarios.pl'), driver],
  tls: false,
  scenarios: {
    settings: [],
    prepared: [],
    transactions: [],
    results: [],
    temporary_tables: ['temporaryObject'],
    locks: ['sessionLock'],
  } as const,
});

describeMysqlDrivers([played('mysql'), played('MariaDB')]);
