import { describe, expect, test } from 'bun:test';
import { allowedConnections, Budget, shareOf } from './budget.ts';

describe('what a percentage allows', () => {
  test.each([
    [1000, 95, 950],
    [1000, 100, 1000],
    [97, 100, 97],
    [97, 50, 48],
    [10, 1, 1],
    [0, 100, 1],
  ])('%d granted at %d %%: %d', (granted, percent, allowed) => {
    expect(allowedConnections(granted, percent)).toBe(allowed);
  });
});

test.each([
  [10, 1],
  [10, 3],
  [7, 7],
  [100, 16],
])('the shares of %d among %d processes add up to it', (total, count) => {
  const shares = Array.from({ length: count }, (_, index) => shareOf(total, { index, count }));
  expect(shares.reduce((sum, share) => sum + share, 0)).toBe(total);
  expect(Math.max(...shares) - Math.min(...shares)).toBeLessThanOrEqual(1);
});

test('a share is at least one connection', () => {
  expect([0, 1, 2].map((index) => shareOf(2, { index, count: 3 }))).toEqual([1, 1, 1]);
});

describe('a budget', () => {
  test('gives as many places as it has (GX-02)', () => {
    const budget = new Budget(2);
    expect([budget.take(), budget.take(), budget.take()]).toEqual([true, true, false]);
    expect([budget.used, budget.free, budget.excess]).toEqual([2, 0, 0]);
    budget.giveBack();
    expect([budget.used, budget.free, budget.take()]).toEqual([1, 1, true]);
  });

  test('that became smaller gives none until enough have come back', () => {
    const budget = new Budget(3);
    for (let place = 0; place < 3; place += 1) budget.take();
    budget.resize(1);
    expect([budget.used, budget.free, budget.excess]).toEqual([3, 0, 2]);
    budget.giveBack();
    budget.giveBack();
    expect([budget.excess, budget.take()]).toEqual([0, false]);
    budget.resize(2);
    expect(budget.take()).toBe(true);
  });

  test('knows a place that is given back twice, and a limit that allows none, as bugs', () => {
    const budget = new Budget(1);
    expect(() => budget.giveBack()).toThrow('a place was given back twice');
    expect(() => budget.resize(0)).toThrow('at least one connection');
  });
});
