import { describe, expect, test } from 'bun:test';
import { describeMachine, disturbance, parseMachineTicks, readMachine } from './machine.ts';

test('/proc/stat is read', () => {
  const text = 'cpu  100 10 50 800 5 1 30 4 0 0\ncpu0 1 1 1 1 1 1 1 1 0 0\n';
  expect(parseMachineTicks(text)).toEqual({ busy: 160, stolen: 4, all: 1000 });
});

describe('what others took', () => {
  const reading = (busy: number, ours: number, stolen = 0) => ({
    machine: { busy, stolen, all: busy + stolen + (1000 - busy) },
    ours,
  });
  const start = { machine: { busy: 0, stolen: 0, all: 0 }, ours: 0 };

  test('is what was busy and not ours', () => {
    expect(disturbance(start, reading(600, 600))).toBe(0);
    expect(disturbance(start, reading(600, 550))).toBe(5);
  });

  test('is what a hypervisor has taken away', () => {
    const stolen = { machine: { busy: 500, stolen: 100, all: 1000 }, ours: 500 };
    expect(disturbance(start, stolen)).toBe(10);
  });

  test('is never less than nothing: the kernel counts in ticks', () => {
    expect(disturbance(start, reading(600, 610))).toBe(0);
    expect(disturbance(start, start)).toBe(0);
  });
});

test('this very machine is described', () => {
  expect(describeMachine().processors).toBeGreaterThan(0);
  const before = readMachine();
  expect(before.ours).toBeGreaterThan(0);
  expect(disturbance(before, readMachine())).toBeGreaterThanOrEqual(0);
});
