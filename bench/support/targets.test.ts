import { describe, expect, test } from 'bun:test';
import type { Target } from './targets.ts';
import { judge, worstOf } from './targets.ts';

const report = {
  ...{ engine: 'none', rounds: 1, seconds: 1, poolSize: 1, versions: {} },
  machine: { model: 'a', processors: 2, memoryBytes: 1, kernel: '6', loadAverage: 0 },
  ...{ cases: [], idle: [], results: [], idleClientBytes: null, failures: [] },
};
const target = (sense: Target['sense'], limit: number, ...values: number[]): Target => ({
  ...{ name: 'it', sense, limit },
  values: () => values.map((value, at) => ({ case: String(at), value })),
});

describe('a target', () => {
  test('is reached where every case has reached it', () => {
    const judged = judge(
      [target('at least', 1.4, 1.4, 2), target('at least', 1.4, 1.39, 2), target('at most', 3, 3)],
      report,
    );
    expect(judged.map(({ reached }) => reached)).toEqual([true, false, true]);
    expect(judged[1]?.cases.map(({ reached }) => reached)).toEqual([false, true]);
  });

  test('is judged by the case that is worst', () => {
    const [least, most] = judge(
      [target('at least', 2, 3, 1, 2), target('at most', 2, 1, 3, 2)],
      report,
    );
    expect(least && worstOf(least)).toMatchObject({ case: '1', value: 1 });
    expect(most && worstOf(most)).toMatchObject({ case: '1', value: 3 });
  });

  test('is left out where it was not measured', () => {
    expect(judge([target('at least', 1)], report)).toEqual([]);
  });

  test('is not reached by a case that came to nothing', () => {
    expect(judge([target('at most', 1, Number.NaN)], report)[0]?.reached).toBe(false);
  });
});
