import { describe, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import type { Clock } from '../base/clock.ts';
import { ManualClock } from '../base/clock.ts';
import { discardReasons } from '../core/discard.ts';
import { Counters, Latency } from '../core/observer.ts';
import type { Gauges } from '../core/observer.ts';
import { pinReasons } from '../core/pin.ts';
import { families } from './families.ts';
import type { ProcessFacts } from './process.ts';
import { processFamilies, watchProcess } from './process.ts';
import type { MetricsSource } from './render.ts';
import { renderMetrics } from './render.ts';

const facts: ProcessFacts = {
  version: '1.2.3',
  runtime: 'bun 1',
  startedAtMs: 1_500,
  residentBytes: 4096,
  cpuSeconds: 0.25,
  openFiles: 9,
  loopLagMs: 12,
};

/** Each gauge has another value, so that none can be mistaken for another. */
function gauges(): Gauges {
  return {
    clientConnections: 1,
    clientConnectionsInSetup: 2,
    clientConnectionsTls: 3,
    clientConnectionsNoTls: 4,
    clientsWaiting: 5,
    databaseConnections: 6,
    databaseConnectionsWithTls: 7,
    databaseConnectionsIdle: 8,
    databaseConnectionsCurrentlyBorrowed: 9,
    databaseConnectionsCurrentlyInTransaction: 10,
    databaseConnectionsCurrentlySessionPinned: 11,
    maxDatabaseConnectionsAllowed: 12,
    longestWaitMs: 1_300,
  };
}

function source(parts: Partial<MetricsSource> = {}): MetricsSource {
  return {
    proxy: 'p',
    endpoint: 'default',
    target: 't',
    counters: new Counters(),
    targetUp: true,
    gauges,
    ...parts,
  };
}

interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

interface ParsedFamily {
  readonly type: string;
  readonly help: string;
  readonly samples: Sample[];
}

const SAMPLE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (-?\d[\d.]*(?:e[+-]?\d+)?|[+-]Inf|NaN)$/s;
const LABEL = /([a-zA-Z_]\w*)="((?:[^"\\\n]|\\["\\n])*)"(,|$)/y;

/** The text format 0.0.4, as strictly as it is written down; throws on anything else. */
function parse(page: string): Map<string, ParsedFamily> {
  if (!page.endsWith('\n')) throw new Error('the last line must end');
  const found = new Map<string, ParsedFamily>();
  const keys = new Set<string>();
  const lines = page.slice(0, -1).split('\n');
  let current: [name: string, family: ParsedFamily] | undefined;
  for (let i = 0; i < lines.length; i += 1) {
    const line = lines[i] ?? '';
    const help = /^# HELP ([a-z_]+) (.+)$/.exec(line);
    if (help !== null) {
      const [, name = '', text = ''] = help;
      const type = /^# TYPE ([a-z_]+) (counter|gauge|histogram)$/.exec(lines[(i += 1)] ?? '');
      if (type?.[1] !== name || found.has(name)) throw new Error(`bad family: ${line}`);
      current = [name, { type: type[2] ?? '', help: text, samples: [] }];
      found.set(...current);
      continue;
    }
    const match = SAMPLE.exec(line);
    if (match === null || current === undefined) throw new Error(`bad line: ${line}`);
    const [, name = '', labels = '', value = ''] = match;
    const [family, { type, samples }] = current;
    const suffix = name.startsWith(family) ? name.slice(family.length) : '?';
    const allowed = type === 'histogram' ? ['_bucket', '_sum', '_count'] : [''];
    if (!allowed.includes(suffix)) throw new Error(`outside its family: ${line}`);
    const key = line.slice(0, line.lastIndexOf(' '));
    if (keys.has(key)) throw new Error(`twice: ${line}`);
    keys.add(key);
    samples.push({
      name,
      labels: parseLabels(labels),
      value: Number(value.replace('Inf', 'Infinity')),
    });
  }
  return found;
}

function parseLabels(text: string): Record<string, string> {
  const labels: Record<string, string> = {};
  LABEL.lastIndex = 0;
  while (LABEL.lastIndex < text.length) {
    const match = LABEL.exec(text);
    if (match === null) throw new Error(`bad labels: ${text}`);
    const [, name = '', value = ''] = match;
    if (Object.hasOwn(labels, name)) throw new Error(`a label twice: ${text}`);
    labels[name] = value.replaceAll(/\\(.)/g, (_, escaped) => (escaped === 'n' ? '\n' : escaped));
  }
  return labels;
}

const scrape = (sources: readonly MetricsSource[]) => parse(renderMetrics(sources, facts));
const valueOf = (page: Map<string, ParsedFamily>, name: string) =>
  page.get(name)?.samples[0]?.value;

const snake = (name: string) => name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
const zeros = (reasons: object) => Object.fromEntries(Object.keys(reasons).map((one) => [one, 0]));

describe('renderMetrics', () => {
  test('is strictly parseable, without proxies and with several', () => {
    expect(scrape([]).get('sluice_target_up')?.samples).toEqual([]);
    const page = scrape([source(), source({ proxy: 'q', targetUp: false })]);
    expect(page.size).toBe(families.length + processFamilies.length);
    expect(page.get('sluice_target_up')?.samples.map(({ value }) => value)).toEqual([1, 0]);
  });

  test('has CloudWatch names and dimensions', () => {
    const page = scrape([source()]);
    expect(page.get('sluice_client_connections')?.samples).toEqual([
      { name: 'sluice_client_connections', labels: { proxy: 'p', endpoint: 'default' }, value: 1 },
    ]);
    expect(page.get('sluice_database_connections')?.samples[0]?.labels).toEqual({
      proxy: 'p',
      target_group: 'default',
      target: 't',
    });
  });

  test('every counter and gauge is told, with its own value', () => {
    const counters = new Counters();
    const expected = new Map<string, number>();
    const numbers = Object.entries(counters).filter(([, value]) => typeof value === 'number');
    numbers.forEach(([field], i) => {
      Object.assign(counters, { [field]: 1000 + i });
      expected.set(`sluice_${snake(field)}_total`, 1000 + i);
    });
    expected.set(
      'sluice_query_requests_total',
      counters.queryRequestsTls + counters.queryRequestsNoTls,
    );
    for (const [field, value] of Object.entries(gauges()))
      expected.set(`sluice_${snake(field)}`, value);
    expected.delete('sluice_longest_wait_ms');
    expected.set('sluice_longest_wait_seconds', 1.3);
    const page = scrape([source({ counters })]);
    expect(
      Object.fromEntries([...expected.keys()].map((name) => [name, valueOf(page, name)])),
    ).toEqual(Object.fromEntries(expected));
  });

  test('pins and discards are told by reason, from zero on', () => {
    const counters = new Counters();
    counters.pins.set('listen', 3);
    counters.discards.set('lifetime', 4);
    const page = scrape([source({ counters })]);
    const byReason = (name: string) =>
      Object.fromEntries(
        page.get(name)?.samples.map(({ labels, value }) => [labels['reason'], value]) ?? [],
      );
    expect(byReason('sluice_pins_total')).toEqual({ ...zeros(pinReasons), listen: 3 });
    expect(byReason('sluice_discards_total')).toEqual({ ...zeros(discardReasons), lifetime: 4 });
  });

  test('a histogram counts exactly what was observed', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1e9, noNaN: true })), (durationsMs) => {
        const counters = new Counters();
        for (const one of durationsMs) counters.queryResponseLatency.observeMs(one);
        const { samples = [] } =
          scrape([source({ counters })]).get('sluice_query_response_latency_seconds') ?? {};
        const buckets = samples.filter(({ name }) => name.endsWith('_bucket'));
        expect(buckets.at(-1)).toMatchObject({ labels: { le: '+Inf' }, value: durationsMs.length });
        for (const { labels, value } of buckets) {
          const leMs = Number(String(labels['le']).replace('Inf', 'Infinity')) * 1000;
          // A duration on a bound belongs to the bucket above; a float may fall on either side of it.
          const near = durationsMs.filter((one) => Math.abs(one - leMs) <= leMs * 1e-9).length;
          const below = durationsMs.filter((one) => one < leMs).length;
          expect(Math.abs(value - below)).toBeLessThanOrEqual(near);
        }
        expect(samples.at(-2)?.value).toBeCloseTo(durationsMs.reduce((a, b) => a + b, 0) / 1000, 3);
        expect(samples.at(-1)?.value).toBe(durationsMs.length);
      }),
    );
    expect(Latency.bucketCount).toBeGreaterThan(27); // the largest bound that is told
  });

  test('any name survives as a label', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary' }),
        fc.constantFrom('', '"', '\\', '\n', '\\n', '"} 1\n'),
        (text, nasty) => {
          const target = `${text}${nasty}${text}`.toWellFormed();
          const page = scrape([source({ target })]);
          expect(page.get('sluice_target_up')?.samples[0]?.labels['target']).toBe(target);
        },
      ),
    );
  });

  test('the process tells of itself', () => {
    const page = scrape([]);
    expect(page.get('sluice_build_info')?.samples[0]).toMatchObject({
      labels: { version: '1.2.3', runtime: 'bun 1' },
      value: 1,
    });
    expect(valueOf(page, 'process_start_time_seconds')).toBe(1.5);
    expect(valueOf(page, 'sluice_event_loop_lag_seconds')).toBe(0.012);
    expect(renderMetrics([], { ...facts, openFiles: undefined })).not.toContain('process_open_fds');
  });
});

describe('watchProcess', () => {
  test('reads plausible facts of this process', async () => {
    const watch = watchProcess(new ManualClock(5000), '1');
    const now = await watch.facts();
    watch.stop();
    expect(now).toMatchObject({ version: '1', startedAtMs: 5000, loopLagMs: 0 });
    expect(now.residentBytes).toBeGreaterThan(1_000_000);
    expect(now.cpuSeconds).toBeGreaterThan(0);
    if (process.platform === 'linux') expect(now.openFiles).toBeGreaterThan(2);
  });

  test('the lag is the latest that a timer was since the last scrape', async () => {
    let nowMs = 0;
    let work: (() => void) | undefined;
    const clock: Clock = {
      nowMs: () => nowMs,
      wallMs: () => nowMs,
      every: (_, given) => {
        work = given;
        return () => {};
      },
      after: () => () => {},
    };
    const watch = watchProcess(clock, '1');
    for (const tookMs of [500, 740, 510]) {
      nowMs += tookMs;
      work?.();
    }
    expect((await watch.facts()).loopLagMs).toBe(240);
    expect((await watch.facts()).loopLagMs).toBe(0);
  });
});

describe('docs/reference/metrics.md', () => {
  const page = readFileSync(join(import.meta.dirname, '../../docs/reference/metrics.md'), 'utf8');
  const rows = page.split('\n').filter((line) => line.startsWith('| `'));

  test('lists each metric as it is', () => {
    const scopes = { endpoint: 'proxy, endpoint', target: 'proxy, target_group, target' };
    const byReason = new Set(['sluice_pins_total', 'sluice_discards_total']);
    const expected = [
      ...families.map(({ name, type, scope, help }) => {
        const labels = `${scopes[scope]}${byReason.has(name) ? ', reason' : ''}`;
        return `| \`${name}\` | ${type} | ${labels} | ${help} |`;
      }),
      ...processFamilies.map(({ name, type, help, labels }) => {
        const names = Object.keys(labels?.(facts) ?? {}).join(', ');
        return `| \`${name}\` | ${type} | ${names} | ${help} |`;
      }),
    ];
    expect(rows.map((row) => `${row.split(' |').slice(0, 4).join(' |')} |`)).toEqual(expected);
  });

  test('lists the reasons', () => {
    for (const [name, reasons] of Object.entries({ pins: pinReasons, discards: discardReasons })) {
      const list = Object.keys(reasons).map((reason) => `\`${reason}\``);
      expect(page.replaceAll(/\s+/g, ' ')).toContain(
        `\`sluice_${name}_total\`: ${list.join(', ')}.`,
      );
    }
  });

  test("has all of RDS Proxy's metrics", () => {
    const cloudWatch = `AvailabilityPercentage ClientConnections ClientConnectionsClosed ClientConnectionsInSetup
      ClientConnectionsNoTLS ClientConnectionsTLS ClientConnectionsReceived ClientConnectionsSetupFailedAuth
      ClientConnectionsSetupSucceeded DatabaseConnectionRequests DatabaseConnectionRequestsWithTLS DatabaseConnections
      DatabaseConnectionsBorrowLatency DatabaseConnectionsCurrentlyBorrowed DatabaseConnectionsCurrentlyInTransaction
      DatabaseConnectionsCurrentlySessionPinned DatabaseConnectionsSetupFailed DatabaseConnectionsSetupSucceeded
      DatabaseConnectionsWithTLS MaxDatabaseConnectionsAllowed QueryDatabaseResponseLatency QueryRequests
      QueryRequestsNoTLS QueryRequestsTLS QueryResponseLatency`;
    const documented = rows
      .map((row) => row.split(' |')[4]?.trim())
      .filter((name) => name !== '' && name !== '|');
    expect(documented).toHaveLength(new Set(documented).size);
    expect(new Set(documented)).toEqual(new Set(cloudWatch.split(/\s+/)));
  });
});
