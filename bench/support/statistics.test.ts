import { describe, expect, test } from 'bun:test';
import { median, percentile, ratios, spreadOf } from './statistics.ts';

describe('percentile', () => {
  test('is a value that was measured: the nearest rank', () => {
    const values = Float64Array.from({ length: 200 }, (_, at) => at + 1);
    expect(percentile(values, 50)).toBe(100);
    expect(percentile(values, 99)).toBe(198);
    expect(percentile(values, 100)).toBe(200);
    expect(percentile([7], 1)).toBe(7);
  });

  test('of nothing is undefined', () => expect(percentile([], 50)).toBeUndefined());
});

describe('median', () => {
  test('does not depend on the order', () => expect(median([9, 1, 5])).toBe(5));
  test('of an even number is between the two in the middle', () =>
    expect(median([4, 1, 2, 100])).toBe(3));
  test('of nothing is no number', () => expect(median([])).toBeNaN());
});

test('a spread has the extremes', () => {
  expect(spreadOf([3, 1, 2])).toEqual({ min: 1, median: 2, max: 3 });
});

describe('ratios', () => {
  test('compare what was measured in the same round', () => {
    // A machine that became half as fast after the first round: the ratio did not change.
    expect(ratios([200, 100], [100, 50])).toEqual([2, 2]);
  });

  test('leave out a round that one of them has not finished', () => {
    expect(ratios([1, 2, 3], [1, 1])).toEqual([1, 2]);
    expect(ratios([], [1])).toEqual([]);
  });
});
