import { describe, expect, test } from 'bun:test';
import { ManualClock } from '../base/clock.ts';
import { SecretDenied } from '../secrets/source.ts';
import type { SecretValue } from '../secrets/source.ts';
import { AwsAccount } from './account.ts';
import { FakeAws, unavailable } from './fixture.test-support.ts';
import { AwsProblem } from './problem.ts';
import { outcomeOf } from '../../test/support/outcome.ts';

const settings = {
  region: 'eu-central-1',
  profile: undefined,
  roleArn: undefined,
  endpoints: { secretsManager: undefined, rds: undefined, sts: undefined },
  refreshMs: 60_000,
  watchUser: undefined,
};

function scene() {
  const [clock, client] = [new ManualClock(), new FakeAws()];
  const said = { changes: 0 };
  const changed = (): void => {
    said.changes += 1;
  };
  const account = new AwsAccount(settings, { clock, changed, client });
  const put = (stage: string, id: string, password: string): void => {
    const text = JSON.stringify({ username: 'app', password });
    client.secrets.set(`app ${stage}`, [id, text]);
  };
  put('AWSCURRENT', '1', 'first');
  const pass = async (ms: number): Promise<void> => {
    clock.advance(ms);
    for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
  };
  return { clock, client, said, account, put, pass, source: account.secretsAs(undefined) };
}

const passwords = ({ password, previous, pending }: SecretValue) =>
  [password, previous?.password, pending?.password].map((one) => one?.reveal());

describe('a secret of AWS', () => {
  test('is read once, with the version before it, and again when that is due', async () => {
    const { client, said, put, pass, source } = scene();
    put('AWSPREVIOUS', '0', 'zeroth');
    expect(passwords(await source.current('app'))).toEqual(['first', 'zeroth', undefined]);
    expect((await source.current('app')).previous?.endedMs).toBe(1_000);
    await source.refresh('app');
    expect(client.asked).toEqual(['app AWSCURRENT', 'app AWSPREVIOUS']);
    await pass(60_000);
    expect(client.asked).toHaveLength(3);
    put('AWSPREVIOUS', '1', 'first');
    put('AWSCURRENT', '2', 'second');
    await pass(60_000);
    expect(passwords(await source.refresh('app'))).toEqual(['second', 'first', undefined]);
    expect(said.changes).toBe(1);
  });

  test('is read at once where a database refuses it, with the version that is under way', async () => {
    const { put, pass, source } = scene();
    await source.current('app');
    await pass(5_000);
    put('AWSPENDING', '2', 'second');
    expect(passwords(await source.refresh('app', 'refusal'))).toEqual([
      'first',
      undefined,
      'second',
    ]);
    put('AWSPREVIOUS', '1', 'first');
    put('AWSCURRENT', '2', 'second');
    await pass(60_000);
    expect(passwords(await source.current('app'))).toEqual(['second', 'first', undefined]);
  });

  test('is kept while AWS cannot be reached, and what is wrong is told', async () => {
    const { client, said, pass, source } = scene();
    await source.current('app');
    client.problem = unavailable;
    await pass(60_000);
    expect((await source.current('app')).password.reveal()).toBe('first');
    expect(await outcomeOf(source.refresh('app'))).toThrow('AWS cannot be reached');
    expect(said.changes).toBe(1);
    client.problem = undefined;
    await pass(5_000);
    expect(said.changes).toBe(2);
    expect((await source.refresh('app')).password.reveal()).toBe('first');
  });

  test.each([
    ['who may no longer read it', new AwsProblem('denied', 'not authorized')],
    ['that is deleted', new AwsProblem('missing', 'not found')],
  ])('counts no more for one %s', async (_who, problem) => {
    const { client, pass, source } = scene();
    await source.current('app');
    client.problem = problem;
    await pass(60_000);
    expect(await outcomeOf(source.current('app'))).toThrow(SecretDenied);
    expect(await outcomeOf(source.current('app'))).toThrow(problem.message);
  });

  test('that is of no use is named, and not shown', async () => {
    const { client, source } = scene();
    client.secrets.set('app AWSCURRENT', ['1', 'hunter2']);
    const error: unknown = await source.current('app').catch((reason: unknown) => reason);
    expect(String(error)).toContain('The secret app is of no use: it is not JSON in UTF-8');
    expect(Bun.inspect(error)).not.toContain('hunter2');
  });

  test('is another one for another role', async () => {
    const { client, account, source } = scene();
    const role = 'arn:aws:iam::123456789012:role/proxy';
    await source.current('app');
    await account.secretsAs(role).current('app');
    await account.secretsAs(role).current('app');
    expect(client.asked).toEqual([
      'app AWSCURRENT',
      'app AWSPREVIOUS',
      `app AWSCURRENT as ${role}`,
      `app AWSPREVIOUS as ${role}`,
    ]);
  });
});
