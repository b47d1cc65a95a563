import { describe, expect, test } from 'bun:test';
import { AwsAccount } from '../aws/account.ts';
import { FakeAws } from '../aws/fixture.test-support.ts';
import { ManualClock } from '../base/clock.ts';
import { SecretText } from '../base/secret-text.ts';
import { DeclaredSecrets } from '../secrets/declared.ts';
import { DatabaseTokens } from './database-tokens.ts';
import type { Made } from './made.ts';
import { ProxySecrets } from './secrets.ts';
import { changed, settingsFolder } from './settings/fixture.test-support.ts';
import { outcomeOf } from '../../test/support/outcome.ts';

const folder = settingsFolder();
const arn = 'arn:aws:secretsmanager:eu-central-1:123456789012:secret';
const role = (name: string): string => `arn:aws:iam::123456789012:role/${name}`;

/** An API that keeps one secret and one role, which may read what ends in `-allowed`. */
const made: Made = {
  merge: (settings) => settings,
  keys: { find: () => undefined },
  secretsOf: () => new DeclaredSecrets([declared(`${arn}:kept`, 'kept')]),
  keepsSecret: (asked) => asked === `${arn}:kept`,
  hasRole: (asked) => asked === role('ours'),
  decide: (_role, action, resource) =>
    resource.endsWith('-allowed') ? { ok: true } : { ok: false, why: `no ${action}` },
};

function declared(name: string, username: string) {
  return { name, value: { username, password: new SecretText('p') }, file: undefined };
}

function atAws() {
  const client = new FakeAws();
  for (const id of ['prod/app', `${arn}:app`, `${arn}:app-allowed`])
    client.secrets.set(`${id} AWSCURRENT`, ['1', `{"username":"${id}","password":"p"}`]);
  const settings = {
    region: 'eu-central-1',
    profile: undefined,
    roleArn: undefined,
    endpoints: { secretsManager: undefined, rds: undefined, sts: undefined },
    refreshMs: 60_000,
    watchUser: 'watch',
  };
  const parts = { clock: new ManualClock(), changed: () => {}, client };
  return { client, account: new AwsAccount(settings, parts) };
}

describe('secrets of a proxy', () => {
  const sources = (aws: AwsAccount | undefined, api: Made | undefined = made) => ({
    declared: new DeclaredSecrets([declared('mine', 'mine')]),
    awsSecrets: new Map([['theirs', 'prod/app']]),
    made: api,
    aws,
  });
  const userOf = async (secrets: ProxySecrets, name: string): Promise<string> =>
    (await secrets.current(name)).username;

  test('come from the settings, from AWS and from the API, each by its name', async () => {
    const { account } = atAws();
    const secrets = new ProxySecrets(sources(account), undefined);
    expect(await userOf(secrets, 'mine')).toBe('mine');
    expect(await userOf(secrets, 'theirs')).toBe('prod/app');
    expect(await userOf(secrets, `${arn}:kept`)).toBe('kept');
    expect(await userOf(secrets, `${arn}:app`)).toBe(`${arn}:app`);
  });

  test('of AWS are read as the role, which is assumed, unless it is one of the API', async () => {
    const { account, client } = atAws();
    await userOf(new ProxySecrets(sources(account), role('theirs')), `${arn}:app`);
    await userOf(new ProxySecrets(sources(account), role('ours')), `${arn}:app-allowed`);
    expect(client.asked.filter((one) => one.includes('AWSCURRENT'))).toEqual([
      `${arn}:app AWSCURRENT as ${role('theirs')}`,
      `${arn}:app-allowed AWSCURRENT`,
    ]);
  });

  test('of AWS are not read for a role of the API that may not read them', async () => {
    const secrets = new ProxySecrets(sources(atAws().account), role('ours'));
    expect(await outcomeOf(secrets.current(`${arn}:app`))).toThrow(
      'no secretsmanager:GetSecretValue',
    );
  });

  test('that are nowhere are named', async () => {
    const secrets = new ProxySecrets(sources(undefined), undefined);
    expect(await outcomeOf(secrets.current('theirs'))).toThrow('The secret "theirs" is at AWS');
    expect(await outcomeOf(secrets.current(`${arn}:app`))).toThrow(
      `there is no secret named "${arn}:app"`,
    );
    const alone = new ProxySecrets({ ...sources(undefined), made: undefined }, undefined);
    expect(await outcomeOf(alone.current(`${arn}:app`))).toThrow(
      'which needs `sluice serve --data-dir`',
    );
  });
});

describe('tokens for databases', () => {
  const settings = folder.load(
    changed((all) => {
      Reflect.deleteProperty(all.admin, 'tls');
      Object.assign(all.proxies[0] ?? {}, { defaultAuthScheme: 'IAM_AUTH' });
    }),
  );
  const [proxy, database] = [settings.proxies[0], settings.databases[0]];
  if (proxy === undefined || database === undefined) throw new Error('the fixture is empty');
  const tokensAs = (roleArn: string | undefined, aws: AwsAccount | undefined): DatabaseTokens =>
    new DatabaseTokens(settings, { ...proxy, roleArn }, { made, aws });

  test('are for its address, signed as the role', async () => {
    const { account } = atAws();
    const tokens = tokensAs(role('theirs'), account);
    const said = async (host: string, port: number): Promise<string> =>
      (await tokens.current('app', { ...database, host, port })).reveal();
    expect(await said('one', 1)).toBe(`one:1 app ${role('theirs')} 1`);
    expect(await said('two', 2)).toBe(`two:2 app ${role('theirs')} 2`);
    expect(await said('one', 1)).toBe(`one:1 app ${role('theirs')} 1`);
    expect(tokens.watchUser).toBe('watch');
  });

  test('are not signed for a role of the API that may not connect', async () => {
    const { account } = atAws();
    const tokens = tokensAs(role('ours'), account);
    expect(await outcomeOf(tokens.current('app', database))).toThrow('no rds-db:connect');
    const allowed = await tokens.current('app-allowed', database);
    expect(allowed.reveal()).toContain('app-allowed self');
  });

  test('are not there without AWS', async () => {
    const tokens = tokensAs(undefined, undefined);
    expect(await outcomeOf(tokens.current('app', database))).toThrow('the settings have no `aws`');
  });
});
