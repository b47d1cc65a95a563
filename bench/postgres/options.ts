import type { Menu } from '../support/options.ts';
import { cases } from './cases.ts';

export const menu: Menu = {
  engine: 'postgres',
  summary: 'Sluice against PgBouncer in front of the same PostgreSQL server, measured in turn.',
  cases,
  rivals: 'pgbouncer (the default)',
  servers: ['postgres'],
  lasts: { full: 'a quarter of an hour', quick: 'minutes' },
};
