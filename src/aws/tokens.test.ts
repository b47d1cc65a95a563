import { describe, expect, test } from 'bun:test';
import { ManualClock } from '../base/clock.ts';
import { SecretText } from '../base/secret-text.ts';
import { AwsTokens } from './tokens.ts';
import { outcomeOf } from '../../test/support/outcome.ts';

describe('tokens for a database', () => {
  test('are signed once a minute for each user', async () => {
    const clock = new ManualClock();
    let signed = 0;
    const tokens = new AwsTokens(async (user) => {
      signed += 1;
      return new SecretText(`${user} ${signed}`);
    }, clock);
    const said = async (user: string): Promise<string> => (await tokens.current(user)).reveal();
    expect(await Promise.all([said('a'), said('a')])).toEqual(['a 1', 'a 1']);
    expect(await said('b')).toBe('b 2');
    clock.advance(60_000);
    expect(await said('a')).toBe('a 3');
    for (let user = 0; user < 1_100; user += 1) await said(String(user));
    expect(await said('a')).not.toBe('a 3');
  });

  test('that could not be signed are not remembered', async () => {
    let fails = true;
    const tokens = new AwsTokens(async () => {
      if (fails) throw new Error('no credentials');
      return new SecretText('token');
    }, new ManualClock());
    expect(await outcomeOf(tokens.current('a'))).toThrow('no credentials');
    await tokens.current('a').catch(() => {});
    fails = false;
    expect((await tokens.current('a')).reveal()).toBe('token');
  });
});
