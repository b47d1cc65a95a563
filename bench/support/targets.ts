import type { LoadReport, Report } from './report.ts';

/** Something that a benchmark is to show. */
export interface Target {
  readonly name: string;
  readonly limit: number;
  readonly sense: 'at least' | 'at most';
  /** What it has come to, case by case; none where that was not measured. */
  values(report: Omit<Report, 'targets'>): readonly CaseValue[];
}

export interface CaseValue {
  readonly case: string;
  readonly value: number;
}

export interface TargetReport {
  readonly name: string;
  readonly limit: number;
  readonly sense: 'at least' | 'at most';
  /** In every case. */
  readonly reached: boolean;
  readonly cases: readonly (CaseValue & { readonly reached: boolean })[];
}

/** Leaves out what was not measured. */
export function judge(
  targets: readonly Target[],
  report: Omit<Report, 'targets'>,
): readonly TargetReport[] {
  return targets.flatMap(({ name, limit, sense, values }) => {
    const cases = values(report).map(({ case: where, value }) => {
      const reached = sense === 'at least' ? value >= limit : value <= limit;
      return { case: where, value, reached };
    });
    if (cases.length === 0) return [];
    return [{ name, limit, sense, reached: cases.every(({ reached }) => reached), cases }];
  });
}

/** The case in which it is farthest from its limit, or least beyond. */
export function worstOf({ sense, cases }: TargetReport): CaseValue | undefined {
  const sorted = cases.toSorted((a, b) => a.value - b.value);
  return sense === 'at least' ? sorted[0] : sorted.at(-1);
}

/** What a target has come to in one case; nothing where that was not measured. */
export function valueOf(name: string, value: number | undefined): readonly CaseValue[] {
  return value === undefined ? [] : [{ case: name, value }];
}

/** Clients that stay: one alone is measured by its latency, and who comes and goes signs in most of the time. */
export function areMany({ clients, reconnect }: LoadReport): boolean {
  return clients > 1 && !reconnect;
}

/** What Sluice comes to in these cases for each that the rival does. */
export function ratios(
  cases: readonly LoadReport[],
  rival: string,
  figure: 'throughput' | 'cpu',
): readonly CaseValue[] {
  return cases.flatMap(({ name, ratios }) => valueOf(name, ratios[rival]?.[figure]));
}

/** Without TLS, which has memory of its own. */
export const idleClientBytes: Target = {
  ...{ name: 'bytes for each idle client', limit: 4096, sense: 'at most' },
  values: ({ idle }) =>
    idle
      .filter(({ tls }) => !tls)
      .flatMap(({ name, sluice }) => valueOf(name, sluice?.bytesPerClient)),
};
