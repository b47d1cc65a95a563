import { describe, expect, test } from 'bun:test';
import type { Full, Tree } from './fixture.test-support.ts';
import { changed, settingsFolder } from './fixture.test-support.ts';

const { load, problemsWith } = settingsFolder();

/** What the settings of the fixture come to with these parts of them. */
function having(parts: {
  readonly aws?: Tree | undefined;
  readonly secret?: Tree;
  readonly database?: Tree;
  readonly proxy?: Tree;
}) {
  return (settings: Full): void => {
    const { aws, secret, database, proxy } = parts;
    if ('aws' in parts) Object.assign(settings, { aws });
    if (secret !== undefined) settings.secrets[0] = { name: 'app', ...secret };
    if (database !== undefined) settings.databases[0] = { identifier: 'db', ...database };
    Object.assign(settings.proxies[0] ?? {}, proxy);
    if (settings.aws === undefined) Reflect.deleteProperty(settings, 'aws');
    // The fixture names certificates that are not there.
    Reflect.deleteProperty(settings.admin, 'tls');
  };
}

describe('settings of AWS', () => {
  test('say where secrets, addresses and tokens come from', () => {
    const parts = {
      aws: { refreshInterval: 5, watchUser: 'watch', endpoints: { rds: 'https://rds.example' } },
      secret: { awsSecret: 'prod/app' },
      database: { engine: 'postgres', awsCluster: 'orders' },
      proxy: { defaultAuthScheme: 'IAM_AUTH' },
    };
    const settings = load(changed(having(parts)));
    expect(settings.aws).toEqual({
      region: 'eu-central-1',
      profile: undefined,
      roleArn: undefined,
      endpoints: { secretsManager: undefined, rds: 'https://rds.example', sts: undefined },
      refreshMs: 5_000,
      watchUser: 'watch',
    });
    expect([...settings.awsSecrets]).toEqual([['app', 'prod/app']]);
    expect(settings.secrets.map(({ name }) => name)).toEqual(['two']);
    expect(settings.databases[0]).toMatchObject({
      host: '',
      aws: { kind: 'cluster', identifier: 'orders' },
      trouble: 'AWS has not been asked yet where it is',
    });
    expect(settings.proxies[0]).toMatchObject({ defaultAuthScheme: 'IAM_AUTH' });
  });

  const needs = 'needs `aws` in the settings, which may be empty: `aws: {}`';
  const refused: readonly (readonly [Parameters<typeof having>[0], string])[] = [
    [{ aws: undefined, secret: { awsSecret: 'a' } }, `secrets[0].awsSecret: ${needs}`],
    [
      { aws: undefined, database: { engine: 'postgres', awsInstance: 'a' } },
      `databases[0].awsInstance: ${needs}`,
    ],
    [
      { aws: undefined, database: { engine: 'postgres', awsCluster: 'a' } },
      `databases[0].awsCluster: ${needs}`,
    ],
    [
      { aws: undefined, proxy: { defaultAuthScheme: 'IAM_AUTH' } },
      `proxies[0].defaultAuthScheme: ${needs}`,
    ],
    [
      { aws: {}, proxy: { defaultAuthScheme: 'IAM_AUTH', auth: [] } },
      'proxies[0].defaultAuthScheme: needs `aws.watchUser` where `auth` is empty: the proxy watches its target as somebody',
    ],
    [
      {
        proxy: { defaultAuthScheme: 'IAM_AUTH' },
        database: { engine: 'postgres', host: 'h', tls: 'disable' },
      },
      'proxies[0].defaultAuthScheme: needs TLS to the database, since tokens are sent as they are; set its `tls` to require or more',
    ],
    [
      { database: { engine: 'postgres' } },
      'databases[0].host: is missing; give a host name or an IP address, without brackets and without a port',
    ],
    [
      { database: { engine: 'postgres', host: 'h', awsInstance: 'a' } },
      'databases[0]: give either `host`, `awsInstance` or `awsCluster`',
    ],
    [
      { database: { engine: 'postgres', awsInstance: 'a', port: 5432 } },
      'databases[0].port: is told by AWS; leave it out',
    ],
    [
      { secret: { awsSecret: 'a', file: 'b' } },
      'secrets[0]: give either `value`, `file` or `awsSecret`',
    ],
    [{ aws: { endpoints: { rds: 'rds' } } }, 'aws.endpoints.rds: must be a URL'],
  ];
  test.each([...refused])('%# are refused where something is amiss', (parts, problem) => {
    const problems = problemsWith(having(parts));
    expect(problems).toHaveLength(1);
    expect(problems[0]).toStartWith(problem);
  });

  test('let `auth` name secrets of AWS by their ARNs, with and without a role', () => {
    const auth = [{ secret: 'arn:aws:secretsmanager:eu-central-1:123456789012:secret:app-abcdef' }];
    expect(problemsWith(having({ proxy: { auth } }))).toEqual([]);
    const roleArn = 'arn:aws:iam::123456789012:role/proxy';
    expect(problemsWith(having({ aws: undefined, proxy: { auth, roleArn } }))).toEqual([
      'proxies[0].auth[0].secret: is kept by the API, which needs `--data-dir`, or by AWS, which needs `aws`; give one, or the name of a secret',
    ]);
  });
});
