import { expect, test } from 'bun:test';
import { figuresOf, mostFrequent, percentile } from './figures.ts';

test('a percentile is the smallest value that enough of them do not exceed', () => {
  const hundred = Array.from({ length: 100 }, (_, index) => index + 1);
  expect([1, 50, 95, 99, 100].map((percent) => percentile(hundred, percent))).toEqual([
    1, 50, 95, 99, 100,
  ]);
  expect([50, 95, 99].map((percent) => percentile([10, 20, 30], percent))).toEqual([20, 30, 30]);
  expect([0, 50, 99].map((percent) => percentile([7], percent))).toEqual([7, 7, 7]);
});

test('a percentile of nothing is null, and one of something is rounded to a tenth', () => {
  expect(percentile([], 50)).toBeNull();
  expect(percentile([1.26], 50)).toBe(1.3);
});

test('figures count failures apart from latencies', () => {
  expect(figuresOf({ latenciesMs: [30, 4, 20], errors: ['no', 'no'] }, 9)).toEqual({
    invocations: 5,
    failed: 2,
    p50Ms: 20,
    p95Ms: 30,
    p99Ms: 30,
    peakDatabaseConnections: 9,
  });
  expect(figuresOf({ latenciesMs: [], errors: ['no'] }, 0)).toMatchObject({
    invocations: 1,
    p50Ms: null,
  });
});

test('the most frequent text wins, the first one among equals', () => {
  expect(mostFrequent(['a', 'b', 'c', 'b'])).toEqual({ text: 'b', count: 2 });
  expect(mostFrequent(['a', 'b'])).toEqual({ text: 'a', count: 1 });
  expect(mostFrequent([])).toBeUndefined();
});
