import { describe, expect, test } from 'bun:test';
import { inTurn } from './rounds.ts';
import { outcomeOf } from '../../test/support/outcome.ts';

describe('contenders', () => {
  const { signal } = new AbortController();

  test('are measured in turn, in changing order', async () => {
    const calls: string[] = [];
    const figures = await inTurn(['a', 'b'], {
      rounds: 3,
      measure: async (one) => calls.push(one),
      finished: (round, measured) => calls.push(`${round}: ${measured.size}`),
      failed: () => {},
      signal,
    });
    expect(calls).toEqual(['a', 'b', '1: 2', 'b', 'a', '2: 2', 'a', 'b', '3: 2']);
    expect(figures.get('b')).toEqual([2, 4, 8]);
  });

  test('that fail once are out, and the others go on', async () => {
    const failures: unknown[] = [];
    let calls = 0;
    const figures = await inTurn(['good', 'bad'], {
      rounds: 3,
      async measure(one) {
        calls += 1;
        if (one === 'bad' && calls > 2) throw new Error('broken');
        return calls;
      },
      finished: () => {},
      failed: (one, problem) => failures.push([one, String(problem)]),
      signal,
    });
    expect(failures).toEqual([['bad', 'Error: broken']]);
    expect(figures.get('good')).toEqual([1, 4, 5]);
    expect(figures.get('bad')).toEqual([]);
  });

  test('are warmed up before they are measured, and are out where that fails', async () => {
    const calls: string[] = [];
    const figures = await inTurn(['good', 'bad'], {
      rounds: 1,
      async warmUp(one) {
        calls.push(`warm ${one}`);
        if (one === 'bad') throw new Error('broken');
      },
      measure: async (one) => calls.push(one),
      finished: () => {},
      failed: (one) => calls.push(`${one} failed`),
      signal,
    });
    expect(calls).toEqual(['warm good', 'warm bad', 'bad failed', 'good']);
    expect([...figures]).toEqual([
      ['good', [4]],
      ['bad', []],
    ]);
  });

  test('are left alone when all is to stop', async () => {
    const controller = new AbortController();
    const stopped = inTurn(['a'], {
      rounds: 3,
      async measure() {
        controller.abort(new Error('stop'));
        throw new Error('killed');
      },
      finished: () => {},
      failed: () => {},
      signal: controller.signal,
    });
    expect(await outcomeOf(stopped)).toThrow('stop');
  });
});
