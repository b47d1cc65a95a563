import { describe, expect, test } from 'bun:test';
import { ManualClock } from '../base/clock.ts';
import { Kept } from './kept.ts';
import { outcomeOf } from '../../test/support/outcome.ts';

class Final extends Error {
  override readonly name = 'Final';
}

/** Something far away whose value a test sets, and a period of a minute. */
function scene(first: string | Error = 'a') {
  const clock = new ManualClock();
  const far = { said: first, reads: 0, doubts: 0, changes: 0 };
  const kept = new Kept<string>({
    clock,
    refreshMs: 60_000,
    changed: () => {
      far.changes += 1;
    },
    isFinal: (trouble) => trouble instanceof Final,
  });
  const read = async (_before: string | undefined, isDoubted: boolean): Promise<string> => {
    far.reads += 1;
    if (isDoubted) far.doubts += 1;
    if (far.said instanceof Error) throw far.said;
    return far.said;
  };
  const pass = async (ms: number): Promise<void> => {
    clock.advance(ms);
    kept.tick();
    await settled();
  };
  return {
    ...{ kept, far, pass },
    get: () => kept.get('key', read),
    latest: () => kept.latest('key', read),
    again: () => kept.again('key', read),
  };
}

/** All that is under way without time passing. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
}

describe('what is kept', () => {
  test('is read once for all who ask at the same time, and not again before its period', async () => {
    const { far, get, pass } = scene();
    expect(await Promise.all([get(), get()])).toEqual(['a', 'a']);
    await pass(59_000);
    far.said = 'b';
    expect(await get()).toBe('a');
    expect(far.reads).toBe(1);
    await pass(1_000);
    expect(await get()).toBe('b');
    expect(far).toMatchObject({ reads: 2, changes: 1 });
  });

  test('goes on counting while it cannot be read, which is said', async () => {
    const { far, get, latest, pass } = scene();
    await get();
    far.said = new Error('unreachable');
    await pass(60_000);
    expect(far.changes).toBe(1);
    expect(await get()).toBe('a');
    expect(await outcomeOf(latest())).toThrow('unreachable');
    await pass(5_000);
    expect(far).toMatchObject({ reads: 3, changes: 1 });
    far.said = 'a';
    await pass(10_000);
    expect(await latest()).toBe('a');
    expect(far.changes).toBe(2);
  });

  test('counts no more where the failure says so', async () => {
    const { far, get, pass } = scene();
    await get();
    far.said = new Final('denied');
    await pass(60_000);
    expect(await outcomeOf(get())).toThrow('denied');
  });

  test('is tried again ever more rarely, at the latest after its period', async () => {
    const { far, get, pass } = scene(new Error('unreachable'));
    expect(await outcomeOf(get())).toThrow('unreachable');
    await settled();
    const tries: number[] = [];
    for (let second = 1; second <= 200; second += 1) {
      const before = far.reads;
      await pass(1_000);
      if (far.reads > before) tries.push(second);
    }
    expect(tries).toEqual([5, 15, 35, 75, 135, 195]);
    expect(far.changes).toBe(0);
    expect(await outcomeOf(get())).toThrow('unreachable');
  });

  test('is read at once by one who doubts it, but not for all who do within seconds', async () => {
    const { far, get, again, pass } = scene();
    await get();
    far.said = 'b';
    expect(await Promise.all([again(), again()])).toEqual(['b', 'b']);
    expect(far).toMatchObject({ reads: 2, doubts: 1 });
    far.said = 'c';
    await pass(4_000);
    expect(await again()).toBe('b');
    await pass(1_000);
    expect(await again()).toBe('c');
    far.said = new Error('unreachable');
    await pass(5_000);
    expect(await outcomeOf(again())).toThrow('unreachable');
  });

  test('is read again by one who doubts it while it is being read', async () => {
    const { far, get, again } = scene();
    const first = get();
    const second = again();
    far.said = 'b';
    expect([await first, await second]).toEqual(['a', 'b']);
    expect(far).toMatchObject({ reads: 2, doubts: 1 });
  });

  test('is read again early where others doubt it', async () => {
    const { kept, far, get } = scene();
    await get();
    for (let round = 0; round < 3; round += 1) {
      kept.tick(['key']);
      await settled();
    }
    expect(far).toMatchObject({ reads: 2, doubts: 1, changes: 0 });
  });

  test('is forgotten where nobody asks for it any more', async () => {
    const { kept, far, get, pass } = scene();
    await get();
    expect(kept.known('key')).toBe('a');
    for (let minute = 0; minute < 20; minute += 1) await pass(60_000);
    expect(far.reads).toBe(11);
    expect(kept.known('key')).toBeUndefined();
  });
});
