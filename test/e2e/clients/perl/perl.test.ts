import { join } from 'node:path';
import { describeDrivers } from '../driver.ts';

describeDrivers([
  {
    client: 'Perl DBD::Pg',
    command: ['/usr/bin/perl', join(import.meta.dirname, 'dbd_pg_scenarios.pl')],
    scenarios: {
      settings: [],
      prepared: [],
      other_prepares: [],
      transactions: [],
      copies: [],
      setting_by_parameters: ['setting'],
      last_insert_id: ['sequence'],
      listen: ['listen'],
    },
  },
]);
