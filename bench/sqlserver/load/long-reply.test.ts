import { describe, expect, test } from 'bun:test';
import { LongReply } from './long-reply.ts';
import { columns, done, int, replyOf, row, tokens } from './replies.ts';

const rows = Array.from({ length: 50 }, (_, at) => row(at));
const payload = tokens(columns(int('a')), ...rows, done({ count: 50 }));
const stream = replyOf(payload, 64);

describe('a long reply', () => {
  test('is counted, and over with its last packet, wherever the bytes are cut', () => {
    for (let cut = 0; cut <= stream.length; cut += 1) {
      const reply = new LongReply();
      reply.feed(stream.subarray(0, cut));
      expect(reply.isOver).toBe(cut === stream.length);
      reply.feed(stream.subarray(cut));
      expect([reply.bytes, reply.isOver, reply.rows]).toEqual([payload.length, true, 50]);
    }
    const reply = new LongReply();
    for (const byte of stream) reply.feed(Buffer.of(byte));
    expect([reply.bytes, reply.isOver, reply.rows]).toEqual([payload.length, true, 50]);
  });

  test('that is an error throws it', () => {
    const error = tokens([0xaa, 14, 0, 0xd0, 0, 0, 0, 1, 16, 0, 0, 0, 0, 1, 0, 0, 0], done());
    expect(() => new LongReply().feed(replyOf(error))).toThrow('208');
    const late = tokens(columns(int('a')), row(1), done({ status: 2 }));
    expect(() => new LongReply().feed(replyOf(late))).toThrow('without an error');
  });
});
