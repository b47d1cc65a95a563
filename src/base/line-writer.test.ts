import { expect, test } from 'bun:test';
import { text } from './bytes.ts';
import { ManualClock } from './clock.ts';
import { LINE_BACKLOG_BYTES, LineWriter } from './line-writer.ts';

function rig() {
  const state = { room: Infinity, error: 'EAGAIN', output: '', lost: [] as number[] };
  const clock = new ManualClock();
  const writer = new LineWriter({
    clock,
    write(bytes) {
      if (state.room === 0) throw Object.assign(new Error('no'), { code: state.error });
      const taken = Math.min(bytes.length, state.room);
      state.room -= taken;
      state.output += text(bytes, 0, taken);
      return taken;
    },
    leftOut(lines) {
      state.lost.push(lines);
      writer.line(`lost ${lines}`);
    },
  });
  return { state, clock, writer };
}

test('a line is written at once', () => {
  const { state, writer } = rig();
  writer.line('one');
  expect(state.output).toBe('one\n');
});

test('a line that is taken in parts arrives whole and in order', () => {
  const { state, clock, writer } = rig();
  state.room = 2;
  writer.line('first');
  writer.line('second');
  expect(state.output).toBe('fi');
  state.room = 5;
  clock.advance(20);
  expect(state.output).toBe('first\ns');
  state.room = Infinity;
  clock.advance(20);
  expect(state.output).toBe('first\nsecond\n');
});

test('the backlog is bounded, and what was lost is told once there is room', () => {
  const { state, clock, writer } = rig();
  state.room = 0;
  const line = 'x'.repeat(1023);
  for (let i = 0; i < LINE_BACKLOG_BYTES / 1024 + 7; i += 1) writer.line(line);
  expect(state.lost).toEqual([]);
  state.room = Infinity;
  clock.advance(20);
  expect(state.lost).toEqual([7]);
  expect(state.output).toBe(`${`${line}\n`.repeat(1024)}lost 7\n`);
  clock.advance(1000);
  expect(state.lost).toEqual([7]);
});

test('a reader that has gone stops nothing, and hears how much it missed if it returns', () => {
  const { state, writer } = rig();
  state.room = 0;
  state.error = 'EPIPE';
  for (let i = 0; i < 5; i += 1) writer.line('unheard');
  expect(state.lost).toEqual([]);
  state.room = Infinity;
  writer.line('heard');
  expect(state.output).toBe('heard\nlost 5\n');
});

test('flush gives up on a reader that never reads', () => {
  const { state, writer } = rig();
  state.room = 0;
  writer.line('unheard');
  writer.flush();
  expect(state.output).toBe('');
});
