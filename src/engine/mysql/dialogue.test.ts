import { expect, test } from 'bun:test';
import { everySplit, rehearse } from '../../../test/support/rehearse.ts';
import { Violation } from '../../base/assert.ts';
import { concat, EMPTY, utf8 } from '../../base/bytes.ts';
import type { Conversation } from '../../core/conversation.ts';
import { packet } from '../../wire/mysql/framing.ts';
import { Dialogue } from './dialogue.ts';
import { outcomeOf } from '../../../test/support/outcome.ts';

function* heard(dialogue: Dialogue, count: number, most?: number): Conversation<string[]> {
  const payloads: string[] = [];
  while (payloads.length < count) payloads.push(Buffer.from(yield* dialogue.hear(most)).toString());
  return payloads;
}

test('counts packets, whoever sends them, modulo 256 (MY-02)', async () => {
  const dialogue = new Dialogue(254);
  function* talk() {
    yield* dialogue.say(utf8('one'));
    const [two] = yield* heard(dialogue, 1);
    yield* dialogue.say(utf8('three'), utf8('!'));
    return two;
  }
  const { result, sent } = await rehearse(talk(), [packet(255, utf8('two'))]);
  expect(result).toBe('two');
  expect(sent).toEqual([packet(254, utf8('one')), packet(0, utf8('three!'))]);
  expect(dialogue.next).toBe(1);
});

test('hears packets however they arrive, empty ones too', async () => {
  const said = concat([packet(3, utf8('one')), packet(4, EMPTY), packet(5, utf8('two'))]);
  for (const split of everySplit([said])) {
    const { result, leftover } = await rehearse(heard(new Dialogue(3), 3), split);
    expect([result, leftover.length]).toEqual([['one', '', 'two'], 0]);
  }
});

test('takes large packets in pieces', async () => {
  const large = 'x'.repeat(100_000);
  const { result, steps } = await rehearse(heard(new Dialogue(), 1), [packet(0, utf8(large))]);
  expect(result).toEqual([large]);
  expect(steps).toEqual(['read']);
});

test('takes no larger ones than it is told, and none out of order', async () => {
  const said = [packet(0, utf8('four'))];
  expect((await rehearse(heard(new Dialogue(), 1, 4), said)).result).toEqual(['four']);
  expect(await outcomeOf(rehearse(heard(new Dialogue(), 1, 3), said))).toThrow(
    'a packet of 4 bytes',
  );
  for (const next of [1, 255])
    expect(await outcomeOf(rehearse(heard(new Dialogue(next), 1), said))).toThrow(Violation);
});
