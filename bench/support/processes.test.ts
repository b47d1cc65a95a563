import { describe, expect, test } from 'bun:test';
import type { Usage } from './processes.ts';
import {
  family,
  familyTicks,
  forgetPeak,
  parseSize,
  parseStat,
  peakBytes,
  readUsage,
  residentBytes,
  usedBetween,
} from './processes.ts';

describe('/proc/PID/stat', () => {
  test('is read whatever the program calls itself', () => {
    const fields = 'S 41 42 42 0 -1 4194560 1 2 3 4 1234 567 8 3 20 0 1 0 99';
    for (const name of ['bun', 'a b', 'x) S 1 (', ') ']) {
      const stat = parseStat(`42 (${name}) ${fields}`);
      expect(stat).toEqual({ parent: 41, userTicks: 1234, systemTicks: 567, childrenTicks: 11 });
    }
  });
});

test('sizes are read by name', () => {
  const text = 'VmHWM:\t    2048 kB\nVmRSS:\t    1024 kB\nThreads:\t1\n';
  expect(parseSize(text, 'VmRSS')).toBe(1_048_576);
  expect(parseSize(text, 'VmHWM')).toBe(2_097_152);
  expect(parseSize(text, 'Threads')).toBeUndefined();
});

describe('processor time between two readings', () => {
  const reading = (
    ticks: readonly [number, number],
    threads: Readonly<Record<string, number>>,
    pid = 7,
  ): Usage => {
    const [userTicks, systemTicks] = ticks;
    return new Map([[pid, { userTicks, systemTicks, threads: new Map(Object.entries(threads)) }]]);
  };

  test('is told by the threads, and divided as the ticks are', () => {
    const before = reading([10, 10], { 7: 1_000_000, 8: 500_000 });
    const after = reading([13, 11], { 7: 30_000_000, 8: 600_000, 9: 4_900_000 });
    const used = usedBetween(before, after);
    expect(used.micros).toBe(34_000);
    expect(used.userMicros).toBe(25_500);
    expect(used.systemMicros).toBe(8_500);
  });

  test('is told by the ticks where a thread has ended: its time would be missing', () => {
    const before = reading([10, 10], { 7: 1_000_000, 8: 90_000_000 });
    const after = reading([20, 15], { 7: 2_000_000 });
    expect(usedBetween(before, after).micros).toBe(150_000);
  });

  test('counts a process that has been started meanwhile from its beginning', () => {
    const after = new Map([
      ...reading([10, 10], { 7: 1_000_000 }),
      ...reading([1, 0], { 9: 8_000_000 }, 9),
    ]);
    expect(usedBetween(reading([10, 10], { 7: 1_000_000 }), after).micros).toBe(8_000);
  });

  test('of nothing is nothing', () => {
    expect(usedBetween(new Map(), new Map())).toEqual({
      micros: 0,
      userMicros: 0,
      systemMicros: 0,
    });
  });
});

describe('this very process', () => {
  test('uses processor time and memory', () => {
    const before = readUsage(process.pid);
    let work = 0;
    const until = performance.now() + 50;
    while (performance.now() < until) work += 1;
    const used = usedBetween(before, readUsage(process.pid));
    expect(work).toBeGreaterThan(0);
    expect(used.micros).toBeGreaterThan(0);
    expect(residentBytes(process.pid)).toBeGreaterThan(1_000_000);
    expect(peakBytes(process.pid)).toBeGreaterThanOrEqual(residentBytes(process.pid) * 0.9);
  });

  test('has a family', () => {
    const child = Bun.spawn(['/bin/sh', '-c', 'read -r line'], { stdin: 'pipe' });
    expect([...family(process.pid).keys()]).toContain(child.pid);
    expect([...family(child.pid).keys()]).toEqual([child.pid]);
    expect(familyTicks(process.pid)).toBeGreaterThan(0);
    child.kill();
  });

  test('forgets the peak of a program that it started', () => {
    const child = Bun.spawn(['/bin/sh', '-c', 'read -r line'], { stdin: 'pipe' });
    expect(() => forgetPeak(child.pid)).not.toThrow();
    expect(peakBytes(child.pid)).toBeGreaterThan(0);
    child.kill();
  });
});
