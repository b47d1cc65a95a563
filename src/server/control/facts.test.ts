import { describe, expect, test } from 'bun:test';
import type { ProxyFacts } from './facts.ts';
import { readFacts, worstFacts } from './facts.ts';

function fact(more: Partial<ProxyFacts> = {}): ProxyFacts {
  return {
    id: 'prx-a',
    stage: 'running',
    port: 1,
    target: 'db',
    state: 'AVAILABLE',
    readers: [],
    ...more,
  };
}

describe('what several processes say of a proxy', () => {
  test('survives the way as JSON', () => {
    const facts = [fact({ revision: 3 }), fact({ id: 'prx-b', stage: 'failed', trouble: 'why' })];
    expect(readFacts(JSON.stringify(facts))).toEqual(facts);
  });

  test('comes to what the unluckiest sees, as old as the slowest has it', () => {
    const down = { state: 'UNAVAILABLE', description: 'gone' } as const;
    expect(worstFacts([[fact({ revision: 4 })], [fact({ ...down, revision: 5 })]])).toEqual([
      fact({ ...down, revision: 4 }),
    ]);
    expect(worstFacts([[fact()], [fact()]])).toEqual([fact()]);
  });

  test('is that it fails where one of them fails, or cannot change it', () => {
    const failed = fact({ stage: 'failed', state: 'UNAVAILABLE', trouble: 'taken' });
    expect(worstFacts([[fact()], [failed]])).toEqual([failed]);
    expect(worstFacts([[fact()], [fact({ trouble: 'taken' })]])).toEqual([
      fact({ trouble: 'taken' }),
    ]);
  });

  test('is not that it runs where it runs in some of them only', () => {
    expect(worstFacts([[fact()], []])).toEqual([fact({ stage: 'ending' })]);
    expect(worstFacts([[fact({ stage: 'ending' })], []])).toEqual([fact({ stage: 'ending' })]);
    expect(worstFacts([[], []])).toEqual([]);
  });

  test('is told of each proxy by itself', () => {
    const [a, b] = [fact(), fact({ id: 'prx-b', state: 'REGISTERING' })];
    expect(
      worstFacts([
        [a, b],
        [b, a],
      ]),
    ).toEqual([a, b]);
  });
});
