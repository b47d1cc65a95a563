import { describe, expect, test } from 'bun:test';
import { makePlan } from './plan.ts';
import type { Plan } from './plan.ts';
import { shrink, stepsIn } from './shrink.ts';
import type { Life } from './steps.ts';

const SIZE = { lives: 4, steps: 30 } as const;
const SEEDS = 40;

describe('a plan', () => {
  test('is its seed, whether or not the sizes that it gives are given', () => {
    const plan = makePlan(7, SIZE);
    expect(makePlan(7, SIZE)).toEqual(plan);
    const { connections, order, sessions } = plan;
    expect(makePlan(7, { ...SIZE, connections, order, sessions: sessions.length })).toEqual(plan);
    expect(makePlan(8, SIZE)).not.toEqual(plan);
  });

  test('of every session does the same, however many others there are', () => {
    const [few, many] = [3, 8].map((sessions) => makePlan(7, { ...SIZE, sessions }));
    expect(few?.sessions[2]).toEqual(many?.sessions[2] ?? []);
  });

  test('has a token for each life, and none that is a part of another', () => {
    const lives = Array.from({ length: SEEDS }, (_, seed) => makePlan(seed, SIZE));
    for (const { sessions } of lives) {
      const tokens = sessions.flat().map(({ token }) => token);
      for (const token of tokens)
        expect(tokens.filter((other) => other.includes(token))).toEqual([token]);
    }
  });

  test('does everything that there is to do, in some life', () => {
    const plans = Array.from({ length: SEEDS }, (_, seed) => makePlan(seed, SIZE));
    const kinds = plans.flatMap(({ sessions }) =>
      sessions.flat().flatMap(({ steps }) => steps.map(({ kind }) => kind)),
    );
    const wanted = ['cancel', 'dawdle', 'draw', 'hear', 'leave', 'say', 'turnstile'];
    expect(Array.from(new Set<string>(kinds)).toSorted()).toEqual(wanted);
    expect(new Set(plans.flatMap(({ weather }) => weather.map(({ what }) => what))).size).toBe(4);
  });
});

describe('a plan that fails', () => {
  /** Fails where both of these are done, by different sessions. */
  const needs = async ({ sessions }: Plan): Promise<boolean> => {
    const does = (lives: readonly Life[] | undefined, kind: string): boolean =>
      lives?.some(({ steps }) => steps.some((step) => step.kind === kind)) === true;
    return does(sessions[0], 'cancel') && does(sessions[1], 'turnstile');
  };

  test('is made as small as can be', async () => {
    let seed = 0;
    while (!(await needs(makePlan(seed, SIZE)))) seed += 1;
    const smaller = await shrink(makePlan(seed, SIZE), needs, () => false);
    expect(stepsIn(smaller)).toBe(2);
    expect(smaller.weather).toEqual([]);
    expect(await needs(smaller)).toBe(true);
  });

  test('stays as it is where there is no time', async () => {
    const plan = makePlan(1, SIZE);
    expect(await shrink(plan, needs, () => true)).toBe(plan);
  });
});
