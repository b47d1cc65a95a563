import type { Machine } from './machine.ts';
import { median } from './statistics.ts';
import type { IdleCase, LoadCase, ResultCase } from './cases.ts';
import type { Comparison, Standing } from './figures.ts';
import { added, compare, standingOf } from './figures.ts';
import type { IdleFigures } from './idle.ts';
import type { Figures } from './span.ts';
import type { ResultFigures } from './result.ts';
import type { TargetReport } from './targets.ts';

/** What was measured for each pooler, by its key, one after the other. */
export type Rounds<T> = ReadonlyMap<string, readonly T[]>;

/** Null where it failed. */
export interface Sides<T> {
  readonly sluice: T | null;
  readonly rivals: Readonly<Record<string, T | null>>;
}

export interface LoadReport extends Sides<Standing> {
  readonly name: string;
  readonly mode: string;
  readonly clients: number;
  readonly tls: boolean;
  readonly reconnect: boolean;
  /** Without a pooler: once, or with one client in each round. */
  readonly direct: Standing | null;
  /** By pooler, with one client: by how much its median latency is greater than without one. */
  readonly addedMs: Readonly<Record<string, number>> | null;
  readonly ratios: Readonly<Record<string, Comparison | null>>;
}

export interface IdleReport extends Sides<IdleFigures> {
  readonly name: string;
  readonly tls: boolean;
  readonly clients: number;
}

export interface ResultReport extends Sides<ResultFigures> {
  readonly name: string;
  readonly reader: string;
  readonly tls: boolean;
}

export interface Failure {
  readonly case: string;
  readonly pooler: string;
  readonly problem: string;
}

/** As `npm run bench -- … --json` prints it. */
export interface Report {
  readonly engine: string;
  readonly rounds: number;
  readonly seconds: number;
  readonly poolSize: number;
  readonly machine: Machine;
  readonly versions: Readonly<Record<string, string>>;
  readonly cases: readonly LoadReport[];
  readonly idle: readonly IdleReport[];
  readonly results: readonly ResultReport[];
  /** By pooler, without TLS; null where it was not measured. */
  readonly idleClientBytes: Readonly<Record<string, number>> | null;
  /** What this benchmark is to show, as far as it has been measured. */
  readonly targets: readonly TargetReport[];
  readonly failures: readonly Failure[];
}

/** The key of the Sluice that is measured. */
export const SLUICE = 'sluice';
/** That of no pooler at all. */
export const DIRECT = 'direct';

export function loadReport({ name, load, tls }: LoadCase, rounds: Rounds<Figures>): LoadReport {
  const ours = rounds.get(SLUICE) ?? [];
  const direct = rounds.get(DIRECT) ?? [];
  return {
    name,
    ...load,
    tls,
    ...sides(rounds, standingOf),
    direct: standingOf(direct) ?? null,
    addedMs:
      load.clients > 1 || direct.length === 0
        ? null
        : Object.fromEntries(
            [...rounds].flatMap(([key, figures]) =>
              key === DIRECT || figures.length === 0 ? [] : [[key, added(figures, direct)]],
            ),
          ),
    ratios: Object.fromEntries(
      rivalsIn(rounds).map(([key, theirs]) => [key, compare(ours, theirs) ?? null]),
    ),
  };
}

export function idleReport(
  { name, tls }: IdleCase,
  clients: number,
  rounds: Rounds<IdleFigures>,
): IdleReport {
  return {
    ...{ name, tls, clients },
    ...sides(rounds, (figures) => {
      if (figures.length === 0) return undefined;
      return {
        bytesPerClient: median(figures.map((one) => one.bytesPerClient)),
        beforeBytes: median(figures.map((one) => one.beforeBytes)),
        afterBytes: median(figures.map((one) => one.afterBytes)),
      };
    }),
  };
}

export function resultReport(
  { name, reader, tls }: ResultCase,
  rounds: Rounds<ResultFigures>,
): ResultReport {
  return {
    ...{ name, reader, tls },
    ...sides(rounds, (figures) => {
      if (figures.length === 0) return undefined;
      return {
        megabytesPerSecond: median(figures.map((one) => one.megabytesPerSecond)),
        cpuMicrosPerMegabyte: median(figures.map((one) => one.cpuMicrosPerMegabyte)),
        beforeBytes: median(figures.map((one) => one.beforeBytes)),
        peakBytes: Math.max(...figures.map((one) => one.peakBytes)),
      };
    }),
  };
}

export function idleClientBytes(idle: readonly IdleReport[]): Record<string, number> | null {
  const plain = idle.find(({ tls }) => !tls);
  if (plain === undefined) return null;
  const all = Object.entries({ [SLUICE]: plain.sluice, ...plain.rivals });
  return Object.fromEntries(
    all.flatMap(([key, figures]) => (figures === null ? [] : [[key, figures.bytesPerClient]])),
  );
}

/** For people and programs alike: more digits would be noise. */
export function toJson(report: Report): string {
  const round = (_: string, value: unknown): unknown =>
    typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(5)) : value;
  return JSON.stringify(report, round, 2);
}

function sides<T, U>(
  rounds: Rounds<T>,
  summary: (figures: readonly T[]) => U | undefined,
): Sides<U> {
  return {
    sluice: summary(rounds.get(SLUICE) ?? []) ?? null,
    rivals: Object.fromEntries(
      rivalsIn(rounds).map(([key, figures]) => [key, summary(figures) ?? null]),
    ),
  };
}

function rivalsIn<T>(rounds: Rounds<T>): readonly (readonly [string, readonly T[]])[] {
  return [...rounds].filter(([key]) => key !== SLUICE && key !== DIRECT);
}
