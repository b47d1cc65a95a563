import { expect, test } from 'bun:test';
import { ManualClock, TickingClock } from './clock.ts';

test('a deadline on a tick is met at the first tick after it, and not before', () => {
  const time = new ManualClock();
  const ticking = new TickingClock(time);
  const met: string[] = [];
  ticking.after(200, () => met.push('second'));
  ticking.after(100, () => met.push('first'));
  time.advance(99);
  ticking.tick();
  expect(met).toEqual([]);
  time.advance(2);
  expect(met).toEqual([]);
  ticking.tick();
  expect(met).toEqual(['first']);
  time.advance(1_000);
  ticking.tick();
  ticking.tick();
  expect(met).toEqual(['first', 'second']);
});

test('a deadline on a tick can be called off, also by one that is met before it', () => {
  const time = new ManualClock();
  const ticking = new TickingClock(time);
  const met: string[] = [];
  const callOff = ticking.after(100, () => met.push('called off'));
  ticking.after(100, () => {
    met.push('met');
    callOffOther();
  });
  const callOffOther = ticking.after(100, () => met.push('called off late'));
  callOff();
  time.advance(100);
  ticking.tick();
  expect(met).toEqual(['met']);
});
