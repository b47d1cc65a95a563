import type { LoadReport, Report } from '../support/report.ts';
import { SLUICE } from '../support/report.ts';
import type { CaseValue, Target } from '../support/targets.ts';
import { valueOf } from '../support/targets.ts';

/** What Sluice is to show in front of MySQL. */
export const targets: readonly Target[] = [
  {
    ...{ name: 'throughput, Sluice : Router', limit: 1.4, sense: 'at least' },
    values: (report) => ratio(report, 'router', ({ throughput }) => throughput),
  },
  {
    ...{ name: 'processor time, Sluice : Router', limit: 0.6, sense: 'at most' },
    values: (report) => ratio(report, 'router', ({ cpu }) => cpu),
  },
  {
    // With TLS HAProxy passes on what it cannot read.
    ...{ name: 'processor time, Sluice : HAProxy, no TLS', limit: 1.25, sense: 'at most' },
    values: (report) =>
      ratio({ cases: report.cases.filter(({ tls }) => !tls) }, 'haproxy', ({ cpu }) => cpu),
  },
  {
    ...{ name: 'median latency added for one client, ms', limit: 0.1, sense: 'at most' },
    // In a mix there are five answers to wait for.
    values: ({ cases }) =>
      cases
        .filter(({ name }) => name.startsWith('select'))
        .flatMap(({ name, addedMs }) => valueOf(name, addedMs?.[SLUICE])),
  },
  {
    ...{ name: 'bytes for each idle client', limit: 4096, sense: 'at most' },
    values: ({ idle }) =>
      idle
        .filter(({ tls }) => !tls)
        .flatMap(({ name, sluice }) => valueOf(name, sluice?.bytesPerClient)),
  },
];

/** With many clients that stay: one alone is measured by its latency, and who comes and goes signs in most of the time. */
function ratio(
  { cases }: Pick<Report, 'cases'>,
  rival: string,
  pick: (ratios: NonNullable<LoadReport['ratios'][string]>) => number,
): readonly CaseValue[] {
  return cases
    .filter(({ clients, reconnect }) => clients > 1 && !reconnect)
    .flatMap(({ name, ratios }) => {
      const comparison = ratios[rival] ?? undefined;
      return valueOf(name, comparison && pick(comparison));
    });
}
