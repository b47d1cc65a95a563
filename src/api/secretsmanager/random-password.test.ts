import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { seededRandom } from '../../base/random.ts';
import { openService } from './fixture.test-support.ts';
import { databasePassword, randomPassword } from './random-password.ts';
import { outcomeOf } from '../../../test/support/outcome.ts';

const ask = async (input: Record<string, unknown>) =>
  String((await openService().ask('GetRandomPassword', input))['RandomPassword']);

describe('a random password', () => {
  test('has 32 characters of every type', async () => {
    const password = await ask({});
    expect(password).toHaveLength(32);
    for (const type of [/[A-Z]/, /[a-z]/, /\d/, /[^A-Za-z\d]/]) expect(password).toMatch(type);
    expect(password).not.toContain(' ');
  });

  test('keeps to what is asked', async () => {
    expect(await ask({ PasswordLength: 4_096 })).toHaveLength(4_096);
    expect(await ask({ ExcludePunctuation: true, ExcludeUppercase: true })).toMatch(
      /^[a-z\d]{32}$/,
    );
    expect(await ask({ ExcludeLowercase: true, ExcludeNumbers: true })).toMatch(/^[^a-z\d]{32}$/);
    const spaced = { IncludeSpace: true, PasswordLength: 2_000 };
    expect(await ask(spaced)).toContain(' ');
    const chosen = { ExcludeCharacters: 'abcdefghijklm', PasswordLength: 2_000 };
    expect(await ask(chosen)).not.toMatch(/[a-m]/);
    expect(await ask({ PasswordLength: 1, RequireEachIncludedType: false })).toHaveLength(1);
  });

  test.each([
    [{ PasswordLength: 3 }, 'Password length is too short based on the required types'],
    [{ ExcludeCharacters: '0123456789' }, 'All characters of the desired type have been excluded'],
    [
      {
        ExcludeLowercase: true,
        ExcludeUppercase: true,
        ExcludeNumbers: true,
        ExcludePunctuation: true,
      },
      'All characters have been excluded from selection',
    ],
    [{ PasswordLength: 4_097 }, "Value at 'passwordLength' failed to satisfy constraint"],
    [{ PasswordLength: 0 }, "Value at 'passwordLength' failed to satisfy constraint"],
  ])('that cannot be is refused (%#)', async (input, why) => {
    expect(await outcomeOf(ask(input))).toThrow(why);
  });

  test('has every character as often as any other', () => {
    const rules = { length: 40_000, types: ['abc', 'de'], further: ' -', needsEachType: true };
    const password = randomPassword(rules, seededRandom(3)).reveal();
    for (const one of 'abcde -') {
      const share = password.split(one).length - 1;
      expect(Math.abs(share - 40_000 / 7)).toBeLessThan(300);
    }
  });

  test('has each type, however rare', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 4, max: 12 }), (seed, length) => {
        const types = ['abcdefghijklmnopqrstuvwxyz', 'A', '1', '!'];
        const rules = { length, types, further: '', needsEachType: true };
        const password = randomPassword(rules, seededRandom(seed)).reveal();
        expect(password).toHaveLength(length);
        for (const one of 'A1!') expect(password).toContain(one);
      }),
    );
  });

  test('for a database has nothing that has to be quoted in URLs and SQL', () => {
    for (let seed = 0; seed < 200; seed += 1)
      expect(databasePassword(seededRandom(seed)).reveal()).not.toMatch(/[/@"'\\:\s]/);
  });
});
