import { describe, expect, test } from 'bun:test';
import type { LoadReport, Report } from '../support/report.ts';
import { idleReport, loadReport } from '../support/report.ts';
import type { Figures } from '../support/span.ts';
import { judge } from '../support/targets.ts';
import { targets } from './targets.ts';

const figures = (perSecond: number, cpuMicros: number, p50Ms = 1): Figures => ({
  ...{ perSecond, cpuMicros, cpuUserMicros: 1, cpuSystemMicros: 1, p50Ms, p99Ms: 2 },
  ...{ clientsServed: 32, disturbancePercent: 0 },
});
function load(
  name: string,
  clients: number,
  more: { tls?: boolean; reconnect?: boolean } = {},
): LoadReport {
  const { tls = false, reconnect = false } = more;
  return loadReport(
    {
      ...{ kind: 'load', name, tls, quick: true, load: { mode: 'text', clients, reconnect } },
      measure: () => Promise.reject(new Error('not here')),
    },
    new Map([
      ['sluice', [figures(30_000, 15, 0.25)]],
      ['router', [figures(20_000, 30)]],
      ['haproxy', [figures(30_000, 10)]],
      ['direct', [figures(60_000, 0, 0.125)]],
    ]),
  );
}
const report: Omit<Report, 'targets'> = {
  ...{ engine: 'mysql', rounds: 1, seconds: 1, poolSize: 20, versions: {} },
  machine: { model: 'a', processors: 2, memoryBytes: 1, kernel: '6', loadAverage: 0 },
  cases: [
    load('select one', 1),
    load('mix one', 1),
    load('many', 32),
    load('many TLS', 32, { tls: true }),
    load('connect', 32, { reconnect: true }),
  ],
  idle: [false, true].map((tls) =>
    idleReport(
      { kind: 'idle', name: tls ? 'idle TLS' : 'idle', tls, quick: true },
      5000,
      new Map([['sluice', [{ bytesPerClient: 4_000, beforeBytes: 1, afterBytes: 2 }]]]),
    ),
  ),
  ...{ results: [], idleClientBytes: null, failures: [] },
};

describe('the targets', () => {
  const judged = judge(targets, report).map(({ reached, cases }) => ({
    reached,
    cases: cases.map(({ case: name, value }) => `${name} ${value}`),
  }));

  test('of MySQL Router are for clients that stay, those of HAProxy for no TLS', () => {
    expect(judged.slice(0, 3)).toEqual([
      { reached: true, cases: ['many 1.5', 'many TLS 1.5'] },
      { reached: true, cases: ['many 0.5', 'many TLS 0.5'] },
      { reached: false, cases: ['many 1.5'] },
    ]);
  });

  test('of latency are for one client, those of memory for no TLS', () => {
    expect(judged.slice(3)).toEqual([
      { reached: false, cases: ['select one 0.125'] },
      { reached: true, cases: ['idle 4000'] },
    ]);
  });

  test('are not judged where nothing was measured', () => {
    expect(judge(targets, { ...report, cases: [], idle: [] })).toEqual([]);
  });
});
