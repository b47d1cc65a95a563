import { table } from '../../src/cli/table.ts';
import type { Spread } from './statistics.ts';
import type { Standing } from './figures.ts';
import type { IdleReport, LoadReport, Report, ResultReport, Sides } from './report.ts';
import { SLUICE } from './report.ts';
import { worstOf } from './targets.ts';

/** The titles of the poolers by their keys, ours first. */
export type Titles = ReadonlyMap<string, string>;

type Row = readonly string[];

/** Others took more of the processors' time than this: what was measured meanwhile is in doubt. */
const DISTURBED_PERCENT = 3;
const MEGABYTE = 1_000_000;
const NONE = '–';

/** The report for people, in tables that fit into lines of this length. */
export function tables(report: Report, titles: Titles, columns: number): string {
  const { cases, idle, results } = report;
  const blocks: (readonly [string, readonly Row[]])[] = [
    ['Transactions in a second', throughputRows(cases, titles)],
    [
      "The pooler's processor time for each transaction, µs (outside the kernel)",
      cpuRows(cases, titles),
    ],
    ['Latency, ms: p50 / p99', latencyRows(cases, titles)],
    ['Added to the median latency with one client, µs', addedRows(cases, titles)],
    ['Memory for each idle client, bytes (of the whole pooler, MB)', idleRows(idle, titles)],
    [
      'A result of 101 MB: MB/s, µs of processor time for each MB, peak memory in MB',
      resultRows(results, titles),
    ],
  ];
  const targets = targetRows(report);
  return [
    ...blocks
      .filter(([, rows]) => rows.length > 1)
      .map(([title, rows]) => `${title}\n${table(rightAligned(rows), columns)}\n`),
    ...(targets.length === 0 ? [] : [`Targets\n${table(targets, columns)}\n`]),
    ...notes(report, titles).map((note) => `${table([['*', note]], columns)}\n`),
  ].join('\n');
}

function throughputRows(cases: readonly LoadReport[], titles: Titles): readonly Row[] {
  return [
    ['', 'direct', ...titles.values(), ...against(titles)],
    ...cases.map((one) => [
      one.name,
      one.direct === null ? NONE : whole(one.direct.perSecond),
      ...eachOf(one, titles, ({ perSecond }) => whole(perSecond)),
      ...eachRatio(one, titles, ({ throughput }) => throughput),
    ]),
  ];
}

function cpuRows(cases: readonly LoadReport[], titles: Titles): readonly Row[] {
  const parts = ({ cpuMicros, cpuUserMicros }: Standing): string =>
    `${cpuMicros.toFixed(1)} (${cpuUserMicros.toFixed(1)})`;
  return [
    ['', ...titles.values(), ...against(titles)],
    ...cases.map((one) => [
      one.name,
      ...eachOf(one, titles, parts),
      ...eachRatio(one, titles, ({ cpu }) => cpu),
    ]),
  ];
}

function latencyRows(cases: readonly LoadReport[], titles: Titles): readonly Row[] {
  const both = ({ p50Ms, p99Ms }: { readonly p50Ms: number; readonly p99Ms: number }): string =>
    `${p50Ms.toFixed(2)} / ${p99Ms.toFixed(2)}`;
  return [
    ['', 'direct', ...titles.values()],
    ...cases.map((one) => [
      one.name,
      one.direct === null ? NONE : both(one.direct),
      ...eachOf(one, titles, both),
    ]),
  ];
}

function addedRows(cases: readonly LoadReport[], titles: Titles): readonly Row[] {
  return [
    ['', ...titles.values()],
    ...cases.flatMap(({ name, addedMs }) => {
      if (addedMs === null) return [];
      const shown = [...titles.keys()].map((key) => {
        const added = addedMs[key];
        return added === undefined ? NONE : whole(added * 1000);
      });
      return [[name, ...shown]];
    }),
  ];
}

function idleRows(idle: readonly IdleReport[], titles: Titles): readonly Row[] {
  return [
    ['', ...titles.values()],
    ...idle.map((one) => [
      `${one.name}, ${whole(one.clients)} clients`,
      ...eachOf(
        one,
        titles,
        ({ bytesPerClient, afterBytes }) =>
          `${whole(bytesPerClient)} (${whole(afterBytes / MEGABYTE)})`,
      ),
    ]),
  ];
}

function resultRows(results: readonly ResultReport[], titles: Titles): readonly Row[] {
  return [
    ['', ...titles.values()],
    ...results.map((one) => [
      one.name,
      ...eachOf(one, titles, ({ megabytesPerSecond, cpuMicrosPerMegabyte, peakBytes }) =>
        [megabytesPerSecond, cpuMicrosPerMegabyte, peakBytes / MEGABYTE].map(whole).join(' / '),
      ),
    ]),
  ];
}

/** One line for each, with the case that is worst. */
function targetRows({ targets }: Report): readonly Row[] {
  return targets.map((target) => {
    const { name, sense, limit, reached, cases } = target;
    const worst = worstOf(target);
    const count = cases.filter((one) => one.reached).length;
    return [
      `${name} ${sense === 'at least' ? '≥' : '≤'} ${limit}`,
      reached ? 'reached' : `not reached (in ${count} of ${cases.length} cases)`,
      worst === undefined ? '' : `${Number(worst.value.toPrecision(3))} at worst, ${worst.case}`,
    ];
  });
}

/** What has to be known to read the tables. */
function notes({ cases, failures }: Report, titles: Titles): readonly string[] {
  const unserved = cases.flatMap((one) =>
    [...titles].flatMap(([key, title]) => {
      const served = sideOf(one, key)?.clientsServed ?? one.clients;
      return served < one.clients
        ? [`${one.name}: ${title} served ${served} of ${one.clients} clients; the others waited.`]
        : [];
    }),
  );
  const disturbed = cases.filter((one) => disturbanceOf(one) > DISTURBED_PERCENT);
  const most = Math.max(...disturbed.map(disturbanceOf));
  return [
    ...failures.map(({ case: name, pooler, problem }) => `${name}: ${pooler} failed: ${problem}`),
    ...unserved,
    ...(disturbed.length === 0
      ? []
      : [
          `The machine did other work: up to ${most.toFixed(0)} % of the processors' time during ` +
            `${disturbed.map(({ name }) => name).join(', ')}. Measure again when it is quiet.`,
        ]),
  ];
}

function disturbanceOf(one: LoadReport): number {
  const all = [one.sluice, ...Object.values(one.rivals)];
  return Math.max(0, ...all.map((standing) => standing?.disturbancePercent ?? 0));
}

function sideOf<T>({ sluice, rivals }: Sides<T>, key: string): T | null {
  return key === SLUICE ? sluice : (rivals[key] ?? null);
}

function eachOf<T>(sides: Sides<T>, titles: Titles, show: (side: T) => string): readonly string[] {
  return [...titles.keys()].map((key) => {
    const side = sideOf(sides, key);
    return side === null ? NONE : show(side);
  });
}

function against(titles: Titles): readonly string[] {
  const [ours = '', ...rivals] = titles.values();
  return rivals.map((rival) => `${ours} : ${rival}`);
}

function eachRatio(
  one: LoadReport,
  titles: Titles,
  pick: (spread: { readonly throughput: Spread; readonly cpu: Spread }) => Spread,
): readonly string[] {
  return [...titles.keys()].slice(1).map((key) => {
    const comparison = one.ratios[key];
    if (comparison === undefined || comparison === null) return NONE;
    const { median, min, max } = pick(comparison.spread);
    return `${median.toFixed(2)} (${min.toFixed(2)}–${max.toFixed(2)})`;
  });
}

/** All but the first column. */
function rightAligned(rows: readonly Row[]): readonly Row[] {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? '').length)),
  );
  return rows.map((row) =>
    row.map((cell, column) => (column === 0 ? cell : cell.padStart(widths[column] ?? 0))),
  );
}

/** With a space between thousands. */
function whole(value: number): string {
  return Math.round(value)
    .toString()
    .replaceAll(/(?<=\d)(?=(?:\d{3})+$)/g, ' ');
}
