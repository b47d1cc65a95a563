import { describe, expect, test } from 'bun:test';
import { free, fromLatin1, latin1, text, utf8 } from './bytes.ts';

describe('free', () => {
  test('takes the memory of large bytes, all of them, and nothing that is shared', () => {
    const large = new Uint8Array(65_536);
    free(large);
    expect(large.length).toBe(0);
    const whole = new Uint8Array(65_536).fill(7);
    free(whole.subarray(1));
    expect(whole.at(-1)).toBe(7);
    const small = Uint8Array.of(1, 2, 3);
    free(small);
    expect(small).toEqual(Uint8Array.of(1, 2, 3));
  });
});

test('parts of bytes as text, short and long, whatever is in them', () => {
  for (const length of [0, 1, 24, 25, 300]) {
    const bytes = Uint8Array.from({ length: length + 4 }, (_, at) => (at * 37) & 0xff);
    const part = Buffer.from(bytes).subarray(2, length + 2);
    expect(latin1(bytes, 2, length + 2)).toBe(part.toString('latin1'));
    expect(text(bytes, 2, length + 2)).toBe(part.toString('utf8'));
  }
  expect(text(utf8('größer'))).toBe('größer');
});

test('bytes of one-byte characters, and back', () => {
  for (const length of [0, 1, 24, 25, 300]) {
    const bytes = Uint8Array.from({ length }, (_, at) => (at * 37) & 0xff);
    expect(fromLatin1(latin1(bytes))).toEqual(bytes);
  }
});
