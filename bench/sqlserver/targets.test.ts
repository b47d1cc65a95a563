import { describe, expect, test } from 'bun:test';
import type { LoadReport, Report } from '../support/report.ts';
import { loadReport } from '../support/report.ts';
import type { Figures } from '../support/span.ts';
import { judge } from '../support/targets.ts';
import { targets } from './targets.ts';

const figures = (cpuMicros: number, p50Ms = 1): Figures => ({
  ...{ perSecond: 1_000, cpuMicros, cpuUserMicros: 1, cpuSystemMicros: 1, p50Ms, p99Ms: 2 },
  ...{ clientsServed: 32, disturbancePercent: 0 },
});
function load(
  name: string,
  clients: number,
  more: { readonly tls?: boolean; readonly reconnect?: boolean } = {},
): LoadReport {
  const { tls = false, reconnect = false } = more;
  return loadReport(
    {
      ...{ kind: 'load', name, tls, quick: true, load: { mode: 'batch', clients, reconnect } },
      measure: () => Promise.reject(new Error('not here')),
    },
    new Map([
      ['sluice', [figures(15, 0.25)]],
      ['haproxy', [figures(10)]],
      ['direct', [figures(0, 0.125)]],
    ]),
  );
}
const report: Omit<Report, 'targets'> = {
  ...{ engine: 'sqlserver', rounds: 1, seconds: 1, poolSize: 20, versions: {} },
  machine: { model: 'a', processors: 2, memoryBytes: 1, kernel: '6', loadAverage: 0 },
  cases: [
    load('select one', 1),
    load('mix one', 1),
    load('many', 32),
    load('many TLS', 32, { tls: true }),
    load('connect', 32, { reconnect: true }),
  ],
  ...{ idle: [], results: [], idleClientBytes: null, failures: [] },
};

describe('the targets', () => {
  test('are for clients that stay without TLS, and for the latency of one', () => {
    const judged = judge(targets, report).map(({ reached, cases }) => ({
      reached,
      cases: cases.map(({ case: name, value }) => `${name} ${value}`),
    }));
    expect(judged).toEqual([
      { reached: false, cases: ['many 1.5'] },
      { reached: false, cases: ['select one 0.125'] },
    ]);
  });

  test('are not judged where nothing was measured', () => {
    expect(judge(targets, { ...report, cases: [] })).toEqual([]);
  });
});
