import type { LoadReport } from '../support/report.ts';
import type { Target } from '../support/targets.ts';
import { idleClientBytes, ratios, valueOf } from '../support/targets.ts';

const RIVAL = 'pgbouncer';

/** What Sluice is to show in front of PostgreSQL. */
export const targets: readonly Target[] = [
  {
    ...{ name: 'throughput, Sluice : PgBouncer', limit: 1, sense: 'at least' },
    values: ({ cases }) => ratios(cases.filter(stays), RIVAL, 'throughput'),
  },
  {
    ...{ name: 'processor time, Sluice : PgBouncer, no TLS', limit: 1.1, sense: 'at most' },
    values: ({ cases }) =>
      ratios(
        cases.filter((one) => stays(one) && !one.tls),
        RIVAL,
        'cpu',
      ),
  },
  {
    ...{ name: 'processor time, Sluice : PgBouncer, TLS', limit: 1, sense: 'at most' },
    values: ({ cases }) =>
      ratios(
        cases.filter((one) => stays(one) && one.tls),
        RIVAL,
        'cpu',
      ),
  },
  {
    ...{ name: 'processor time of sign-ins, Sluice : PgBouncer', limit: 1, sense: 'at most' },
    values: ({ cases }) =>
      ratios(
        cases.filter(({ reconnect }) => reconnect),
        RIVAL,
        'cpu',
      ),
  },
  idleClientBytes,
  {
    ...{ name: 'processor time of results, Sluice : PgBouncer', limit: 1.2, sense: 'at most' },
    values: ({ results }) =>
      results.flatMap(({ name, sluice, rivals }) => {
        const rival = rivals[RIVAL] ?? undefined;
        if (sluice === null || rival === undefined) return [];
        return valueOf(name, sluice.cpuMicrosPerMegabyte / rival.cpuMicrosPerMegabyte);
      }),
  },
];

function stays({ reconnect }: LoadReport): boolean {
  return !reconnect;
}
