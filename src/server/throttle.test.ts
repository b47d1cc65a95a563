import { describe, expect, test } from 'bun:test';
import { ManualClock } from '../base/clock.ts';
import type { LeftOut } from './throttle.ts';
import { LINES_PER_WINDOW, Throttle, WINDOW_MS } from './throttle.ts';

const kind = { level: 'warn', event: 'clientRefused', reason: undefined } as const;

function rig() {
  const clock = new ManualClock();
  const told: LeftOut[] = [];
  return { clock, told, throttle: new Throttle(clock, (one) => told.push(one)) };
}

const storm = (throttle: Throttle, lines: number): number =>
  Array.from({ length: lines }, () => throttle.allows(kind)).filter(Boolean).length;

describe('Throttle', () => {
  test('lets the first lines through, counts the rest, and starts anew', () => {
    const { clock, told, throttle } = rig();
    expect(storm(throttle, 1000)).toBe(LINES_PER_WINDOW);
    expect(told).toEqual([]);
    clock.advance(WINDOW_MS);
    expect(told).toEqual([{ ...kind, lines: 1000 - LINES_PER_WINDOW, seconds: 10 }]);
    expect(storm(throttle, 1)).toBe(1);
    clock.advance(WINDOW_MS);
    expect(told).toHaveLength(1);
  });

  test('one kind does not hide another', () => {
    const { throttle } = rig();
    storm(throttle, 1000);
    expect(throttle.allows({ ...kind, reason: 'other' })).toBe(true);
    expect(throttle.allows({ ...kind, event: 'other' })).toBe(true);
  });

  test('settle tells at once and leaves nothing scheduled', () => {
    const { clock, told, throttle } = rig();
    storm(throttle, LINES_PER_WINDOW + 1);
    throttle.settle();
    expect(told).toMatchObject([{ lines: 1 }]);
    clock.advance(10 * WINDOW_MS);
    expect(told).toHaveLength(1);
  });
});
