import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { NO_TRANSACTION, readAnswer, Refusal } from './answer.ts';
import { columns, done, int, replyOf, row, shortText, text, tokens } from './replies.ts';

const numbers = columns(int('id'), int('balance'));

describe('an answer', () => {
  test('has the numbers of its first row, and how many rows there are', () => {
    const payload = tokens(numbers, row(4, 7), row(5, 8), done({ count: 2 }));
    expect(readAnswer(payload)).toMatchObject({ rows: 2, values: [4, 7], count: 2 });
  });

  test('may be what a procedure says, with an output parameter', () => {
    const payload = tokens(
      ...[numbers, row(4, 7), done({ token: 0xff, status: 0x11, count: 1 })],
      // Its status, and an integer at the first place.
      ...[
        [0x79, 0, 0, 0, 0],
        [0xac, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0x26, 4, 4, 9, 0, 0, 0],
      ],
      done({ token: 0xfe, status: 0 }),
    );
    expect(readAnswer(payload)).toMatchObject({ rows: 1, values: [4, 7], count: 1, returned: 9 });
  });

  test('may have NULLs, texts and small numbers', () => {
    const mixed = columns(int('a'), text('b'), Uint8Array.of(0, 0, 0, 0, 0, 0, 0x34, 0));
    const values = [0xd1, 0, 3, 0, 0x61, 0x62, 0x63, 0xff, 0xff];
    expect(readAnswer(tokens(mixed, values, done({ count: 1 }))).values).toEqual([
      undefined,
      undefined,
      -1,
    ]);
    const sparse = [0xd2, 0b011, 5, 0];
    expect(readAnswer(tokens(mixed, sparse, done({ count: 1 }))).values).toEqual([
      undefined,
      undefined,
      5,
    ]);
  });

  test('tells of the transaction that it has begun or ended', () => {
    const begun = [0xe3, 11, 0, 8, 8, 1, 2, 3, 4, 5, 6, 7, 8, 0];
    const ended = [0xe3, 11, 0, 9, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8];
    expect(readAnswer(tokens(begun, done())).transaction).toEqual(
      Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8),
    );
    expect(readAnswer(tokens(ended, done())).transaction).toBe(NO_TRANSACTION);
    expect(readAnswer(tokens(done())).transaction).toBeUndefined();
  });

  test('to a login says what the server is, and how long packets may be', () => {
    const ack = [1, 0x74, 0, 0, 4, ...shortText('Server'), 16, 0, 0x10, 0x13];
    const size = [4, 4, 0x38, 0, 0x30, 0, 0x30, 0, 0x30, 0, 0];
    const payload = tokens([0xad, ack.length, 0, ...ack], [0xe3, size.length, 0, ...size], done());
    expect(readAnswer(payload)).toMatchObject({ server: 'Server 16.0.4115', packetBytes: 8000 });
  });

  test('that is an error throws what the server says', () => {
    const error = [0xd0, 0, 0, 0, 1, 16, 2, 0, ...Buffer.from('no', 'utf16le'), 0, 0, 1, 0, 0, 0];
    const payload = tokens([0xaa, error.length, 0, ...error], done({ status: 2 }));
    expect(() => readAnswer(payload)).toThrow(new Refusal('208 no'));
    expect(() => readAnswer(tokens(done({ status: 2 })))).toThrow(Refusal);
    const failed = [0x79, 1, 0, 0, 0];
    expect(() => readAnswer(tokens(failed, done()))).toThrow('a procedure returned 1');
  });

  test('ends where its last DONE does', () => {
    expect(() => readAnswer(tokens(done(), done()))).toThrow('goes on behind its end');
    expect(() => readAnswer(tokens(done({ status: 1 })))).toThrow('a token missing');
    expect(() => readAnswer(tokens([0x42]))).toThrow('a token 66');
  });

  test('that is anything else throws, and is not waited for', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        try {
          readAnswer(Buffer.from(bytes));
        } catch (problem) {
          expect(problem).toBeInstanceOf(Error);
        }
      }),
    );
    const whole = replyOf(tokens(numbers, row(4, 7), done({ count: 1 }))).subarray(8);
    for (let cut = 0; cut < whole.length; cut += 1)
      expect(() => readAnswer(whole.subarray(0, cut))).toThrow();
  });
});
