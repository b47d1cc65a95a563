import { describe, expect, test } from 'bun:test';
import type { LoadReport, Report } from '../support/report.ts';
import { idleReport, loadReport, resultReport } from '../support/report.ts';
import type { Figures } from '../support/span.ts';
import { judge } from '../support/targets.ts';
import { targets } from './targets.ts';

const figures = (perSecond: number, cpuMicros: number): Figures => ({
  ...{ perSecond, cpuMicros, cpuUserMicros: 1, cpuSystemMicros: 1, p50Ms: 1, p99Ms: 2 },
  ...{ clientsServed: 32, disturbancePercent: 0 },
});
function load(name: string, tls: boolean, reconnect = false): LoadReport {
  return loadReport(
    {
      ...{ kind: 'load', name, tls, quick: true, load: { mode: 'simple', clients: 32, reconnect } },
      measure: () => Promise.reject(new Error('not here')),
    },
    new Map([
      ['sluice', [figures(30_000, 21)]],
      ['pgbouncer', [figures(20_000, 20)]],
    ]),
  );
}
const result = (cpuMicrosPerMegabyte: number) => [
  { ...{ megabytesPerSecond: 1, cpuMicrosPerMegabyte }, ...{ beforeBytes: 1, peakBytes: 2 } },
];
const report: Omit<Report, 'targets'> = {
  ...{ engine: 'postgres', rounds: 1, seconds: 1, poolSize: 20, versions: {} },
  machine: { model: 'a', processors: 2, memoryBytes: 1, kernel: '6', loadAverage: 0 },
  cases: [load('many', false), load('many TLS', true), load('connect', false, true)],
  idle: [false, true].map((tls) =>
    idleReport(
      { kind: 'idle', name: tls ? 'idle TLS' : 'idle', tls, quick: true },
      5000,
      new Map([['sluice', [{ bytesPerClient: 4_000, beforeBytes: 1, afterBytes: 2 }]]]),
    ),
  ),
  results: [
    resultReport(
      { kind: 'result', name: 'result fast', reader: 'fast', tls: false, quick: true },
      new Map([
        ['sluice', result(1_000)],
        ['pgbouncer', result(500)],
      ]),
    ),
  ],
  ...{ idleClientBytes: null, failures: [] },
};

describe('the targets', () => {
  test('are for those who stay, with TLS and without, for sign-ins, memory and results', () => {
    const judged = judge(targets, report).map(({ reached, cases }) => ({
      reached,
      cases: cases.map(({ case: name, value }) => `${name} ${value}`),
    }));
    expect(judged).toEqual([
      { reached: true, cases: ['many 1.5', 'many TLS 1.5'] },
      { reached: true, cases: ['many 1.05'] },
      { reached: false, cases: ['many TLS 1.05'] },
      { reached: false, cases: ['connect 1.05'] },
      { reached: true, cases: ['idle 4000'] },
      { reached: false, cases: ['result fast 2'] },
    ]);
  });

  test('are not judged where nothing was measured', () => {
    expect(judge(targets, { ...report, cases: [], idle: [], results: [] })).toEqual([]);
  });
});
