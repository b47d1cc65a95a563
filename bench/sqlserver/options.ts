import type { Menu } from '../support/options.ts';
import { cases } from './cases.ts';

export const menu: Menu = {
  engine: 'sqlserver',
  summary:
    'Sluice against HAProxy, which passes everything on as it is, in front of the same server that\n' +
    "speaks SQL Server's protocol, measured in turn.",
  cases,
  rivals: 'haproxy (the default)',
  servers: ['test'],
  ownDatabase: 'master',
  lasts: { full: 'a quarter of an hour', quick: 'minutes' },
};
