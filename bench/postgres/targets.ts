import type { Comparison } from '../support/figures.ts';
import type { LoadReport, Report } from '../support/report.ts';
import type { CaseValue, Target } from '../support/targets.ts';
import { valueOf } from '../support/targets.ts';

const RIVAL = 'pgbouncer';

/** What Sluice is to show in front of PostgreSQL. */
export const targets: readonly Target[] = [
  {
    ...{ name: 'throughput, Sluice : PgBouncer', limit: 1, sense: 'at least' },
    values: (report) => ratio(report, stays, ({ throughput }) => throughput),
  },
  {
    ...{ name: 'processor time, Sluice : PgBouncer, no TLS', limit: 1.1, sense: 'at most' },
    values: (report) =>
      ratio(
        report,
        (one) => stays(one) && !one.tls,
        ({ cpu }) => cpu,
      ),
  },
  {
    ...{ name: 'processor time, Sluice : PgBouncer, TLS', limit: 1, sense: 'at most' },
    values: (report) =>
      ratio(
        report,
        (one) => stays(one) && one.tls,
        ({ cpu }) => cpu,
      ),
  },
  {
    ...{ name: 'processor time of sign-ins, Sluice : PgBouncer', limit: 1, sense: 'at most' },
    values: (report) =>
      ratio(
        report,
        (one) => one.reconnect,
        ({ cpu }) => cpu,
      ),
  },
  {
    ...{ name: 'bytes for each idle client', limit: 4096, sense: 'at most' },
    values: ({ idle }) =>
      idle
        .filter(({ tls }) => !tls)
        .flatMap(({ name, sluice }) => valueOf(name, sluice?.bytesPerClient)),
  },
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

function ratio(
  { cases }: Pick<Report, 'cases'>,
  counts: (one: LoadReport) => boolean,
  pick: (comparison: Comparison) => number,
): readonly CaseValue[] {
  return cases.filter(counts).flatMap(({ name, ratios }) => {
    const comparison = ratios[RIVAL] ?? undefined;
    return valueOf(name, comparison && pick(comparison));
  });
}
