import { describe, expect, test } from 'bun:test';
import { ManualClock } from '../../../base/clock.ts';
import type { Asked } from './observe.ts';
import { Observer } from './observe.ts';
import { outcomeOf } from '../../../../test/support/outcome.ts';

/** Answers one question after the other with these. */
function answering(...answers: readonly (number | Error)[]): Asked & { readonly heard: string[] } {
  const left = [...answers];
  const heard: string[] = [];
  return {
    heard,
    value: async (sql) => {
      heard.push(sql);
      const answer = left.shift();
      if (answer === undefined || answer instanceof Error) throw answer ?? new Error('no more');
      return answer;
    },
  };
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
}

describe('the observer of SQL Server', () => {
  test('tells the highest number of clients beside those who were there before', async () => {
    const clock = new ManualClock();
    // Seen, 2 who were there, and then.
    const connection = answering(1, 2, 5, 9, 4);
    const observer = await Observer.of(connection, answering(57), clock);
    expect(connection.heard[0]).toEndWith('WHERE session_id = 57');
    const work = Promise.withResolvers<string>();
    const watching = observer.peakDuring(() => work.promise);
    for (const ms of [20, 20]) {
      await settle();
      clock.advance(ms);
    }
    work.resolve('done');
    await settle();
    clock.advance(20);
    expect(await watching).toEqual(['done', 7]);
  });

  test.each([
    ['of nobody', 0],
    ['that it may not look', new Error('VIEW SERVER STATE permission was denied')],
  ])('that is told %s tells no number, and waits for nobody', async (_, seen) => {
    const connection = answering(seen);
    const observer = await Observer.of(connection, answering(57), new ManualClock());
    expect(await observer.peakDuring(async () => 'done')).toEqual(['done', undefined]);
    await observer.untilAlone();
    expect(connection.heard).toHaveLength(1);
  });

  test('rejects with what has become of the work', async () => {
    const observer = await Observer.of(answering(0), answering(57), new ManualClock());
    const failing = observer.peakDuring(() => Promise.reject(new Error('no')));
    expect(await outcomeOf(failing)).toThrow('no');
  });

  test('waits until the others are gone, but not for ever', async () => {
    const clock = new ManualClock();
    const leaving = await Observer.of(answering(1, 0, 3, 0), answering(57), clock);
    const alone = leaving.untilAlone();
    await settle();
    clock.advance(20);
    await alone;
    const staying = await Observer.of(answering(1, 0, 3, 3), answering(57), clock);
    const late = staying.untilAlone();
    await settle();
    clock.advance(11_000);
    await late;
  });
});
