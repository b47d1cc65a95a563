import { describe, expect, test } from 'bun:test';
import { ManualClock } from '../../base/clock.ts';
import type { Io } from '../io.ts';
import { Bars, canDraw, Lines, paint } from './progress.ts';

function screen(env: Io['env'] = {}, columns = 100): { readonly io: Io; readonly said: string[] } {
  const said: string[] = [];
  return {
    said,
    io: { out: (text) => said.push(text), err: () => {}, isTty: true, columns, env },
  };
}

/** What a terminal shows after these writes. */
function shown(writes: readonly string[]): readonly string[] {
  const lines: string[] = [];
  let row = 0;
  for (const write of writes) {
    if (write.startsWith('\x1b[2F')) row -= 2;
    for (const line of write.split('\n')) lines[row++] = Bun.stripANSI(line);
  }
  return lines;
}

describe('bars', () => {
  test('are drawn again in place, in one write, and only where something has changed', () => {
    const { io, said } = screen({ NO_COLOR: '1' });
    const clock = new ManualClock();
    const bars = new Bars(io, 10, clock);
    clock.advance(1_000);
    expect(said).toHaveLength(1);
    bars.update('direct', 4, 0);
    bars.update('direct', 5, 2);
    clock.advance(1_000);
    expect(said).toHaveLength(2);
    bars.update('direct', 8, 2);
    bars.update('proxied', 1, 0);
    clock.advance(1_000);
    expect(shown(said)).toEqual([
      'straight at the database  █████████████████████████▒▒▒▒▒▒▒  10 of 10, 2 failed',
      'through Sluice            ███░░░░░░░░░░░░░░░░░░░░░░░░░░░░░  1 of 10',
    ]);
  });

  test('never reach the last column, whatever is counted', () => {
    for (const columns of [60, 72, 80, 200]) {
      const { io, said } = screen({}, columns);
      const clock = new ManualClock();
      const bars = new Bars(io, 5_000, clock);
      for (const [succeeded, failed] of [
        [0, 1],
        [0, 5_000],
        [4_999, 1],
        [5_000, 0],
      ] as const) {
        bars.update('direct', succeeded, failed);
        bars.update('proxied', failed, succeeded);
        clock.advance(100);
        const lengths = shown(said).map((line) => Bun.stringWidth(line));
        expect(Math.max(...lengths)).toBeLessThan(Math.min(columns, 80));
      }
    }
  });

  test('hide the cursor, and show it again at the end, once', () => {
    const { io, said } = screen();
    const clock = new ManualClock();
    const bars = new Bars(io, 10, clock);
    bars.update('direct', 1, 0);
    bars.end();
    bars.end();
    bars.update('direct', 2, 0);
    clock.advance(1_000);
    expect(said).toHaveLength(2);
    expect(said[0]).toStartWith('\x1b[?25l');
    expect(said[1]).toEndWith('\x1b[?25h');
    expect(shown(said)[0]).toEndWith('1 of 10');
  });

  test('need a terminal that is wide enough and can move its cursor', () => {
    expect(canDraw(screen().io)).toBe(true);
    expect(canDraw(screen({}, 59).io)).toBe(false);
    expect(canDraw(screen({ TERM: 'dumb' }).io)).toBe(false);
    expect(canDraw({ ...screen().io, isTty: false })).toBe(false);
  });
});

test('elsewhere each tenth gets a line', () => {
  const { io, said } = screen();
  const lines = new Lines(io, 20);
  for (let ended = 1; ended <= 5; ended += 1) lines.update('direct', ended - 1, 1);
  lines.update('proxied', 20, 0);
  lines.end();
  lines.update('direct', 20, 0);
  expect(said).toEqual([
    'straight at the database: 2 of 20, 1 failed',
    'straight at the database: 4 of 20, 1 failed',
    'through Sluice: 20 of 20',
  ]);
});

test('colours are for terminals whose user wants them', () => {
  expect(paint(screen().io, 'red', 'x')).toBe('\x1b[31mx\x1b[39;22m');
  expect(paint(screen().io, 'red', '')).toBe('');
  expect(paint(screen({ NO_COLOR: '1' }).io, 'red', 'x')).toBe('x');
  expect(paint(screen({ TERM: 'dumb' }).io, 'red', 'x')).toBe('x');
  expect(paint({ ...screen().io, isTty: false }, 'red', 'x')).toBe('x');
});
