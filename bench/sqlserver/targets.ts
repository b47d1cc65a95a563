import type { LoadReport } from '../support/report.ts';
import { SLUICE } from '../support/report.ts';
import type { Target } from '../support/targets.ts';
import { areMany, ratios, valueOf } from '../support/targets.ts';

const RIVAL = 'haproxy';

/** What Sluice is to show in front of SQL Server. */
export const targets: readonly Target[] = [
  {
    // With TLS HAProxy passes on what it cannot read.
    ...{ name: 'processor time, Sluice : HAProxy, no TLS', limit: 1.3, sense: 'at most' },
    values: ({ cases }) =>
      ratios(
        cases.filter((one) => areMany(one) && !one.tls),
        RIVAL,
        'cpu',
      ),
  },
  {
    ...{ name: 'median latency added for one client, ms', limit: 0.1, sense: 'at most' },
    // In a mix there are four answers to wait for.
    values: ({ cases }) =>
      cases.filter(isSelect).flatMap((one) => valueOf(one.name, one.addedMs?.[SLUICE])),
  },
];

function isSelect({ name }: LoadReport): boolean {
  return name.startsWith('select');
}
