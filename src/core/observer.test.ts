import { expect, test } from 'bun:test';
import { Latency } from './observer.ts';

function bucketOf(durationMs: number): number {
  const latency = new Latency();
  latency.observeMs(durationMs);
  return latency.buckets.indexOf(1);
}

test.each([
  [0, 0],
  [0.000_9, 0],
  [0.001, 1],
  [0.001_9, 1],
  [0.002, 2],
  [0.003_9, 2],
  [0.004, 3],
  [1, 10], // 1000 µs < 2^10 µs
  [1.024, 11],
  [1_000, 20],
  [4_294_967.295, 32],
  [1e12, 32],
  [-1, 0],
])('%d ms fall into bucket %d', (durationMs, bucket) => {
  expect(bucketOf(durationMs)).toBe(bucket);
});

test('every bucket holds durations below 2^i µs and at least 2^(i-1) µs', () => {
  for (let i = 1; i < Latency.bucketCount - 1; i += 1) {
    expect([bucketOf(2 ** (i - 1) / 1000), bucketOf((2 ** i - 0.5) / 1000)]).toEqual([i, i]);
  }
});

test('count and sum are kept beside the buckets', () => {
  const latency = new Latency();
  for (const durationMs of [0.5, 2, 2]) latency.observeMs(durationMs);
  expect(latency.count).toBe(3);
  expect(latency.sumMicros).toBeCloseTo(4_500);
  expect(latency.buckets.reduce((sum, count) => sum + count, 0)).toBe(3);
});
