import type { Menu } from '../support/options.ts';
import { cases } from './cases.ts';
import { servers } from './database.ts';

export const menu: Menu = {
  engine: 'mysql',
  summary:
    'Sluice against MySQL Router with connection sharing, and HAProxy, in front of the same MySQL or\n' +
    'MariaDB server, measured in turn.',
  cases,
  rivals: 'router or haproxy (by default both; MySQL Router knows no MariaDB)',
  servers,
  lasts: { full: 'half an hour', quick: 'minutes' },
};
