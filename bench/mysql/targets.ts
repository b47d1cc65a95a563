import { SLUICE } from '../support/report.ts';
import type { Target } from '../support/targets.ts';
import { areMany, idleClientBytes, ratios, valueOf } from '../support/targets.ts';

/** What Sluice is to show in front of MySQL. */
export const targets: readonly Target[] = [
  {
    ...{ name: 'throughput, Sluice : Router', limit: 1.4, sense: 'at least' },
    values: ({ cases }) => ratios(cases.filter(areMany), 'router', 'throughput'),
  },
  {
    ...{ name: 'processor time, Sluice : Router', limit: 0.6, sense: 'at most' },
    values: ({ cases }) => ratios(cases.filter(areMany), 'router', 'cpu'),
  },
  {
    // With TLS HAProxy passes on what it cannot read.
    ...{ name: 'processor time, Sluice : HAProxy, no TLS', limit: 1.25, sense: 'at most' },
    values: ({ cases }) =>
      ratios(
        cases.filter((one) => areMany(one) && !one.tls),
        'haproxy',
        'cpu',
      ),
  },
  {
    ...{ name: 'median latency added for one client, ms', limit: 0.1, sense: 'at most' },
    // In a mix there are five answers to wait for.
    values: ({ cases }) =>
      cases
        .filter(({ name }) => name.startsWith('select'))
        .flatMap(({ name, addedMs }) => valueOf(name, addedMs?.[SLUICE])),
  },
  idleClientBytes,
];
