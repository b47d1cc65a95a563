import { describe, expect, test } from 'bun:test';
import type { IdleCase, LoadCase, ResultCase } from './cases.ts';
import type { Figures } from './span.ts';
import type { Report } from './report.ts';
import { idleClientBytes, idleReport, loadReport, resultReport, toJson } from './report.ts';
import { tables } from './tables.ts';

const figures = (perSecond: number, more: Partial<Figures> = {}): Figures => ({
  ...{ perSecond, cpuMicros: 12.34567, cpuUserMicros: 2, cpuSystemMicros: 10 },
  ...{ p50Ms: 1.1, p99Ms: 12.5, clientsServed: 32, disturbancePercent: 0 },
  ...more,
});
const load: LoadCase = {
  ...{ kind: 'load', name: 'simple 32', tls: false, quick: true },
  load: { mode: 'simple', clients: 32, reconnect: false },
  measure: () => Promise.reject(new Error('not here')),
};
const idle: IdleCase = { kind: 'idle', name: 'idle', tls: false, quick: true };
const result: ResultCase = {
  ...{ kind: 'result', name: 'result slow', tls: false, quick: true },
  reader: 'slow',
};
const idleFigures = (bytesPerClient: number) => ({
  ...{ bytesPerClient, beforeBytes: 1, afterBytes: 90_000_000 },
});
const resultFigures = (peakBytes: number) => ({
  ...{ megabytesPerSecond: 400, cpuMicrosPerMegabyte: 1000, beforeBytes: 1, peakBytes },
});

const idleReports = [
  idleReport(
    idle,
    5000,
    new Map([
      ['sluice', [1800, 2000, 1900].map(idleFigures)],
      ['pgbouncer', [900].map(idleFigures)],
    ]),
  ),
];
const report: Report = {
  ...{ engine: 'postgres', rounds: 2, seconds: 3, poolSize: 20 },
  machine: { model: 'a', processors: 2, memoryBytes: 1, kernel: '6', loadAverage: 0 },
  versions: { sluice: '0.1.0' },
  cases: [
    loadReport(
      load,
      new Map([
        ['sluice', [figures(30_000), figures(31_000)]],
        ['pgbouncer', [figures(25_000), figures(31_000)]],
        ['direct', [figures(41_000)]],
      ]),
    ),
    loadReport(
      { ...load, name: 'prepared 32' },
      new Map([
        ['sluice', []],
        ['pgbouncer', [figures(1, { clientsServed: 20, disturbancePercent: 40 })]],
      ]),
    ),
    loadReport(
      { ...load, name: 'simple 1', load: { ...load.load, clients: 1 } },
      new Map([
        ['sluice', [0.2, 0.31, 0.25].map((p50Ms) => figures(5_000, { p50Ms }))],
        ['pgbouncer', []],
        ['direct', [0.1, 0.2, 0.2].map((p50Ms) => figures(9_000, { p50Ms }))],
      ]),
    ),
  ],
  idle: idleReports,
  results: [
    resultReport(
      result,
      new Map([
        ['sluice', [resultFigures(80e6), resultFigures(99e6)]],
        ['pgbouncer', [resultFigures(20e6)]],
      ]),
    ),
  ],
  idleClientBytes: idleClientBytes(idleReports),
  targets: [
    {
      ...{ name: 'speed', limit: 1.2, sense: 'at least', reached: false },
      cases: [
        { case: 'simple 1', value: 1.25, reached: true },
        { case: 'simple 32', value: 1.10001, reached: false },
      ],
    },
    {
      ...{ name: 'cost', limit: 2, sense: 'at most', reached: true },
      cases: [
        { case: 'simple 1', value: 1, reached: true },
        { case: 'simple 32', value: 2, reached: true },
      ],
    },
  ],
  failures: [{ case: 'prepared 32', pooler: 'sluice', problem: 'it broke' }],
};

describe('the report for programs', () => {
  const parsed: unknown = JSON.parse(toJson(report));

  test('has each case with its ratios, and no more digits than mean something', () => {
    expect(parsed).toMatchObject({
      engine: 'postgres',
      cases: [
        {
          ...{ name: 'simple 32', mode: 'simple', clients: 32, tls: false },
          sluice: { perSecond: 30_500, p50Ms: 1.1, p99Ms: 12.5, cpuMicros: 12.346 },
          rivals: { pgbouncer: { perSecond: 28_000 } },
          direct: { perSecond: 41_000 },
          ratios: { pgbouncer: { throughput: 1.1, cpu: 1, spread: { throughput: { min: 1 } } } },
        },
        { name: 'prepared 32', sluice: null, direct: null, ratios: { pgbouncer: null } },
        { name: 'simple 1', direct: { p50Ms: 0.2 }, addedMs: { sluice: 0.1 } },
      ],
      idleClientBytes: { sluice: 1900, pgbouncer: 900 },
      results: [{ reader: 'slow', sluice: { peakBytes: 99e6 } }],
    });
  });

  test('says that idle clients have not been counted', () => {
    expect(idleClientBytes([])).toBeNull();
    expect(idleClientBytes([idleReport({ ...idle, tls: true }, 1, new Map())])).toBeNull();
  });
});

describe('the report for people', () => {
  const titles = new Map([
    ['sluice', 'Sluice'],
    ['pgbouncer', 'PgBouncer'],
  ]);
  const text = tables(report, titles, 80);

  test('has tables that fit into a terminal', () => {
    for (const line of text.split('\n')) expect(Bun.stringWidth(line)).toBeLessThanOrEqual(80);
    expect(text).toContain(`Transactions in a second
             direct  Sluice  PgBouncer  Sluice : PgBouncer
simple 32    41 000  30 500     28 000    1.10 (1.00–1.20)
prepared 32       –       –          1                   –
`);
    expect(text).toContain('simple 32    12.3 (2.0)  12.3 (2.0)    1.00 (1.00–1.00)');
    expect(text).toContain('idle, 5 000 clients  1 900 (90)   900 (90)');
    expect(text).toContain('result slow  400 / 1 000 / 99  400 / 1 000 / 20');
  });

  test('says what one client waits longer, and which targets are reached', () => {
    expect(text).toContain(`Added to the median latency with one client, µs
          Sluice  PgBouncer
simple 1     100          –
`);
    expect(text).toContain(`Targets
speed ≥ 1.2  not reached (in 1 of 2 cases)  1.1 at worst, simple 32
cost ≤ 2     reached                        2 at worst, simple 32
`);
  });

  test('says what must be known to read them', () => {
    expect(text).toContain('*  prepared 32: sluice failed: it broke');
    expect(text).toContain('*  prepared 32: PgBouncer served 20 of 32 clients; the others waited.');
    expect(text.replaceAll(/\s+/g, ' ')).toContain("up to 40 % of the processors' time");
  });

  test('leaves out what was not measured', () => {
    const less = tables(
      { ...report, cases: [], results: [], targets: [], failures: [] },
      titles,
      80,
    );
    expect(less).toStartWith('Memory for each idle client');
    expect(less).not.toContain('Latency');
    expect(less).not.toContain('Targets');
  });
});
