import { describe, expect, test } from 'bun:test';
import { Answers } from './answers.ts';
import { done, replyOf, tokens } from './replies.ts';

const short = tokens(done());
const long = tokens(...Array.from({ length: 20 }, (_, count) => done({ count })));
const stream = Buffer.concat([replyOf(short), replyOf(long, 64), replyOf(short)]);

describe('answers', () => {
  test('are put together from packets', () => {
    expect(new Answers().feed(stream)).toEqual([short, long, short]);
  });

  test('are the same wherever the bytes are cut', () => {
    for (let cut = 0; cut <= stream.length; cut += 1) {
      const answers = new Answers();
      const fed = [stream.subarray(0, cut), stream.subarray(cut)].flatMap((piece) =>
        // What the socket hands over is its own again afterwards.
        replies(answers, Buffer.from(piece)),
      );
      expect(fed).toEqual([short, long, short]);
    }
    const answers = new Answers();
    const fed = [...stream].flatMap((byte) => replies(answers, Buffer.of(byte)));
    expect(fed).toEqual([short, long, short]);
  });

  test('come in packets of replies', () => {
    expect(() => new Answers().feed(Buffer.from([1, 1, 0, 8, 0, 0, 1, 0]))).toThrow('type 1');
  });
});

function replies(answers: Answers, piece: Buffer): readonly Buffer[] {
  const fed = answers.feed(piece).map((one) => Buffer.from(one));
  piece.fill(0xee);
  return fed;
}
