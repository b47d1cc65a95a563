import { describe, expect, test } from 'bun:test';
import { limits } from '../base/limits.ts';
import { SeenSignatures } from './seen-signatures.ts';

const most = limits.seenSignatures.value;

describe('signatures that have been seen', () => {
  test('are remembered for as long as they could be good', () => {
    const seen = new SeenSignatures();
    expect(seen.isReplay('a', { once: true, nowMs: 0 })).toBe(false);
    expect(seen.isReplay('b', { once: true, nowMs: 600_000 })).toBe(false);
    expect(seen.isReplay('a', { once: true, nowMs: 600_000 })).toBe(true);
    expect(seen.isReplay('c', { once: true, nowMs: 600_001 })).toBe(false);
    expect(seen.isReplay('a', { once: true, nowMs: 600_001 })).toBe(false);
    expect(seen.isReplay('b', { once: true, nowMs: 600_001 })).toBe(true);
  });

  test('make room, the oldest first, when there are too many', () => {
    const seen = new SeenSignatures();
    const isReplay = (number: number) => seen.isReplay(`s${number}`, { once: true, nowMs: number });
    for (let number = 0; number < most; number += 1) expect(isReplay(number)).toBe(false);
    expect(isReplay(0)).toBe(true);
    expect(isReplay(most)).toBe(false);
    expect(isReplay(0)).toBe(false);
    expect(isReplay(2)).toBe(true);
  });

  test('are not forgotten too early by a clock that is put back', () => {
    const seen = new SeenSignatures();
    expect(seen.isReplay('a', { once: false, nowMs: 1_000_000 })).toBe(false);
    expect(seen.isReplay('a', { once: false, nowMs: 0 })).toBe(false);
    expect(seen.isReplay('a', { once: false, nowMs: 1_015_001 })).toBe(true);
  });
});
