import { describe, expect, test } from 'bun:test';
import { compare, standingOf } from './figures.ts';
import type { Figures } from './span.ts';

const figures = (perSecond: number, cpuMicros: number, more: Partial<Figures> = {}): Figures => ({
  ...{ perSecond, cpuMicros, cpuUserMicros: cpuMicros / 4, cpuSystemMicros: (cpuMicros * 3) / 4 },
  ...{ p50Ms: 1, p99Ms: 2, clientsServed: 32, disturbancePercent: 0 },
  ...more,
});

describe('rounds', () => {
  test('are summed up by their medians, and by what was worst where that matters', () => {
    const standing = standingOf([
      figures(300, 30, { disturbancePercent: 7 }),
      figures(100, 10, { clientsServed: 20 }),
      figures(200, 20),
    ]);
    expect(standing).toMatchObject({
      ...{ perSecond: 200, cpuMicros: 20, cpuUserMicros: 5, cpuSystemMicros: 15 },
      ...{ clientsServed: 20, disturbancePercent: 7 },
    });
    expect(standing?.rounds).toHaveLength(3);
  });

  test('are compared one by one', () => {
    const ours = [figures(100, 10), figures(50, 20), figures(90, 12)];
    const theirs = [figures(100, 20), figures(25, 10), figures(90, 12)];
    expect(compare(ours, theirs)).toEqual({
      throughput: 1,
      cpu: 1,
      spread: {
        throughput: { min: 1, median: 1, max: 2 },
        cpu: { min: 0.5, median: 1, max: 2 },
      },
    });
  });

  test('of somebody who failed are not compared', () => {
    expect(standingOf([])).toBeUndefined();
    expect(compare([], [figures(1, 1)])).toBeUndefined();
    expect(compare([figures(1, 1)], [])).toBeUndefined();
  });
});
