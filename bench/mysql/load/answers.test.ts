import { describe, expect, test } from 'bun:test';
import { Answers } from './answers.ts';
import { packet } from './packets.ts';

const text = (...parts: readonly (string | readonly number[])[]): Uint8Array =>
  Buffer.concat(parts.map((part) => Buffer.from(part as string)));
const ok = packet(1, text([0, 1, 0, 2, 0, 0, 0]));
const rows = Buffer.concat([
  packet(1, text([2])),
  // A name may look like anything: descriptions are not looked at.
  packet(2, text([0xff], 'first')),
  packet(3, text([0xfe], 'second')),
  packet(4, text([3], 'abc', [0xfb])),
  packet(5, text([0, 0, 1, 2, 3])),
  packet(6, text([0xfe, 0, 0, 2, 0, 0, 0])),
]);
const noRows = Buffer.concat([
  packet(1, text([1])),
  packet(2, text([3], 'def')),
  packet(3, text([0xfe, 0, 0, 2, 0, 0, 0])),
]);
const error = packet(1, text([0xff, 0x7a, 0x04], '#42S02no such table'));

describe('answers', () => {
  test('are an OK, or rows with their end', () => {
    for (const one of [ok, rows, noRows]) {
      const answers = new Answers();
      expect(answers.feed(one)).toBe(1);
      expect(answers.feed(one)).toBe(1);
    }
  });

  test('are counted wherever the bytes are cut', () => {
    const all = Buffer.concat([rows, ok, noRows, ok, rows]);
    for (let cut = 0; cut <= all.length; cut += 1) {
      const answers = new Answers();
      expect(answers.feed(all.subarray(0, cut)) + answers.feed(all.subarray(cut))).toBe(5);
    }
    const answers = new Answers();
    expect([...all].reduce((count, byte) => count + answers.feed(Uint8Array.of(byte)), 0)).toBe(5);
  });

  test('of a full packet that begins as an end does are rows', () => {
    const answers = new Answers();
    answers.feed(Buffer.concat([packet(1, text([1])), packet(2, text([3], 'def'))]));
    const row = Buffer.alloc(0xffffff, 0x20);
    row[0] = 0xfe;
    expect(answers.feed(packet(3, row))).toBe(0);
    expect(answers.feed(packet(4, text([0xfe, 0, 0, 2, 0, 0, 0])))).toBe(1);
  });

  test('that are errors throw what the server says, instead of rows and among them', () => {
    expect(() => new Answers().feed(error)).toThrow('1146 #42S02no such table');
    const answers = new Answers();
    answers.feed(rows.subarray(0, -packet(6, text([0xfe, 0, 0, 2, 0, 0, 0])).length));
    expect(() => answers.feed(error)).toThrow('1146 #42S02no such table');
  });
});
