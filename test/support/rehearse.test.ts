import { describe, expect, test } from 'bun:test';
import { utf8 } from '../../src/base/bytes.ts';
import type { Conversation } from '../../src/core/conversation.ts';
import { peek, read, readEnd, send, startTls, wait } from '../../src/core/conversation.ts';
import { everySplit, rehearse } from './rehearse.ts';
import { outcomeOf } from './outcome.ts';

function* echo(): Conversation<string> {
  const [length = 0] = yield* read(1);
  const body = yield* read(length);
  yield* send(body);
  return Buffer.from(body).toString();
}

describe('a rehearsal', () => {
  test('gives the same result however the input is cut', async () => {
    const chunks = [utf8('\x05hel'), utf8('lo!')];
    const splits = [chunks, ...everySplit(chunks)];
    expect(splits.length).toBe(1 + 3 + 2 + 1);
    for (const split of splits) {
      const { result, sent } = await rehearse(echo(), split);
      expect(result).toBe('hello');
      expect(sent).toEqual([utf8('hello')]);
    }
  });

  test('keeps what was sent beyond the last read', async () => {
    expect((await rehearse(echo(), [utf8('\x01ab')])).leftover).toEqual(utf8('b'));
  });

  test('tells the conversation that the peer has gone, and lets it answer', async () => {
    expect(await outcomeOf(rehearse(echo(), [utf8('\x05hel')]))).toThrow('closed');
    const careful = function* (): Conversation<string> {
      try {
        yield* read(1);
        return 'read';
      } catch {
        yield* send(utf8('sorry'));
        return 'gone';
      }
    };
    expect(await rehearse(careful(), [])).toMatchObject({ result: 'gone', sent: [utf8('sorry')] });
  });

  test('asks a peer function only for what is missing, and tells it what it has not heard', async () => {
    const heard: string[] = [];
    const talk = function* (): Conversation<void> {
      yield* send(utf8('a'));
      yield* send(utf8('b'));
      yield* read(1);
      yield* read(1);
      yield* send(utf8('c'));
      yield* readEnd();
    };
    const answers = [utf8('12'), undefined];
    await rehearse(talk(), (bytes) => {
      heard.push(Buffer.from(bytes).toString());
      return answers.shift();
    });
    expect(heard).toEqual(['ab', 'c']);
  });

  test('refuses plaintext before TLS, but not the hello (PG-30)', async () => {
    const upgrade = function* (helloIsBuffered: boolean): Conversation<number> {
      yield* read(1);
      if (helloIsBuffered) yield* peek(1);
      yield* startTls('server', helloIsBuffered);
      return yield* wait(() => Promise.resolve(7));
    };
    expect(await outcomeOf(rehearse(upgrade(false), [utf8('Sx')]))).toThrow('plaintext');
    const { result, steps } = await rehearse(upgrade(true), [utf8('S'), utf8('x')]);
    expect(result).toBe(7);
    expect(steps).toEqual(['read', 'peek', 'startTls server', 'wait']);
  });
});
