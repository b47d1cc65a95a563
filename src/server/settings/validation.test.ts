import { describe, expect, test } from 'bun:test';
import { join } from 'node:path';
import type { Full, Tree } from './fixture.test-support.ts';
import { changed, minimal, settingsFolder } from './fixture.test-support.ts';
import { settingsPage, settingsReference } from './reference.ts';

const { file, load, problemsOf, problemsWith } = settingsFolder();

describe('keys', () => {
  const mappings = [
    '',
    ...settingsReference().flatMap(({ path, holds }) => {
      if (path.startsWith('secrets[].value') || path === 'proxies[].tls') return [];
      return holds === 'mapping' ? [path] : holds === 'list of mappings' ? [`${path}[]`] : [];
    }),
  ];
  test('every mapping is tried', () => expect(mappings).toHaveLength(14));

  for (const path of mappings)
    test(`an unknown one is an error in "${path}"`, () => {
      const problems = problemsWith((settings) => {
        let inner: unknown = settings;
        for (const key of path.match(/\w+|\[\]/g) ?? [])
          inner = (inner as Tree)[key === '[]' ? '0' : key];
        (inner as Tree)['zzzzzzzz'] = 1;
      });
      const shown = path.replaceAll('[]', '[0]');
      expect(problems).toHaveLength(1);
      expect(problems[0]).toStartWith(
        `${shown === '' ? '' : `${shown}: `}unknown key \`zzzzzzzz\`; known are `,
      );
    });

  test('a near miss gets a suggestion, also in the words of the API', () => {
    const pool = (key: string) =>
      problemsWith(({ proxies: [proxy] }) => Object.assign(proxy ?? {}, { pool: { [key]: 1 } }));
    const expected = (key: string) => [
      `proxies[0].pool: unknown key \`${key}\` — did you mean \`maxConnectionsPercent\`?`,
    ];
    expect(pool('maxConnectionPercent')).toEqual(expected('maxConnectionPercent'));
    expect(pool('MaxConnectionsPercent')).toEqual(expected('MaxConnectionsPercent'));
  });

  test('what may be a value in the place of a key is not shown', () => {
    const yaml = minimal.replace('listen:', 'hunter2, listen:');
    const [problem] = problemsOf(yaml);
    expect(problem).toStartWith('sluice.yaml:7:44: proxies[0]: unknown key; known are name, ');
  });

  test('each range of the reference holds at both ends', () => {
    let tried = 0;
    for (const { path, holds } of settingsReference()) {
      const [, min, max] = /^(\d+)–(\d+)/.exec(holds) ?? [];
      if (min === undefined || max === undefined) continue;
      const problemsFor = (value: number) =>
        problemsWith((settings) => {
          const keys = path.replaceAll('[]', '.0').split('.');
          const last = keys.pop() ?? '';
          const inner = keys.reduce<unknown>((tree, key) => (tree as Tree)[key], settings);
          (inner as Tree)[last] = value;
        });
      const shown = path.replaceAll('[]', '[0]');
      const error = [
        expect.stringContaining(`${shown}: must be a whole number from ${min} to ${max}`),
      ];
      expect(problemsFor(Number(min) - 1)).toEqual(error);
      expect(problemsFor(Number(max) + 1)).toEqual(error);
      expect(problemsFor(Number(min))).toEqual([]);
      expect(problemsFor(Number(max))).toEqual([]);
      tried += 1;
    }
    expect(tried).toBe(19);
  });
});

describe('values', () => {
  const proxy = (entry: Tree) =>
    problemsWith(({ proxies: [one] }) => Object.assign(one ?? {}, entry));

  test('an account that is a number must be quoted', () => {
    expect(problemsOf(minimal.replace("'123456789012'", '012345678901'))).toEqual([
      'sluice.yaml:3:1: account: must be 12 digits, as text: put it in quotes, since YAML takes it for a number',
    ]);
  });

  test('what is missing, and what has no value', () => {
    expect(problemsOf(minimal.replace('region: eu-central-1', ''))).toEqual([
      'sluice.yaml:3:1: region: is missing; give an AWS region, such as eu-central-1',
    ]);
    expect(proxy({ requireTls: null })).toEqual([
      'proxies[0].requireTls: has no value; give true or false, or leave the key out',
    ]);
  });

  test('what other engines have is refused by name', () => {
    expect(
      problemsWith(({ databases: [one] }) => Object.assign(one ?? {}, { engine: 'oracle' })),
    ).toEqual(['databases[0].engine: must be one of postgres, mysql, mariadb, sqlserver']);
    expect(proxy({ engineFamily: 'ORACLE' })).toEqual([
      'proxies[0].engineFamily: must be one of POSTGRESQL, MYSQL, SQLSERVER',
    ]);
    expect(
      proxy({ auth: [{ secret: 'app', clientPasswordAuthType: 'SQL_SERVER_AUTHENTICATION' }] }),
    ).toEqual([
      'proxies[0].auth[0].clientPasswordAuthType: does not fit POSTGRESQL; give one of POSTGRES_SCRAM_SHA_256, POSTGRES_MD5',
    ]);
    expect(proxy({ auth: [{ secret: 'app', iamAuth: 'ENABLED' }] })).toEqual([
      'proxies[0].auth[0].iamAuth: ENABLED is for SQLSERVER only; give DISABLED or REQUIRED',
    ]);
    expect(proxy({ pool: { sessionPinningFilters: ['EXCLUDE_VARIABLE_SET'] } })).toEqual([
      'proxies[0].pool.sessionPinningFilters[0]: must be EXCLUDE_VARIABLE_SETS',
    ]);
  });

  test('what is for one protocol is refused at another', () => {
    expect(proxy({ pool: { sessionPinningFilters: ['EXCLUDE_VARIABLE_SETS'] } })).toEqual([
      'proxies[0].pool.sessionPinningFilters: EXCLUDE_VARIABLE_SETS is for MYSQL only; leave the list empty',
    ]);
    expect(proxy({ auth: [{ secret: 'app', clientPasswordAuthType: 'MARIADB_ED25519' }] })).toEqual(
      [
        'proxies[0].auth[0].clientPasswordAuthType: does not fit POSTGRESQL; give one of POSTGRES_SCRAM_SHA_256, POSTGRES_MD5',
      ],
    );
    const atMysql = problemsWith(({ databases: [database], proxies: [one] }) => {
      Object.assign(database ?? {}, { engine: 'mariadb', channelBinding: 'prefer' });
      Object.assign(one ?? {}, {
        engineFamily: 'MYSQL',
        auth: [{ secret: 'app', clientPasswordAuthType: 'POSTGRES_MD5' }],
        applicationNameAddHost: true,
        proxyProtocol: 'optional',
        proxyProtocolNetworks: ['::1'],
      });
    });
    expect(atMysql).toEqual([
      'databases[0].channelBinding: is for postgres only; leave it out',
      'proxies[0].auth[0].clientPasswordAuthType: does not fit MYSQL; give one of MYSQL_CACHING_SHA2_PASSWORD, MYSQL_NATIVE_PASSWORD, MARIADB_ED25519',
      'proxies[0].applicationNameAddHost: is for POSTGRESQL only; leave it out',
      'proxies[0].proxyProtocol: cannot be optional at MYSQL; give disabled or required',
    ]);
    expect(proxy({ engineFamily: 'MYSQL' })).toEqual([
      'proxies[0].target: the engine of this database does not belong to MYSQL',
    ]);
  });

  test('names follow the rules of RDS, in linear time', () => {
    for (const name of ['a', 'A1', 'a-b', `a${'b'.repeat(62)}`])
      expect(proxy({ name })).toEqual([]);
    for (const name of ['', '1a', 'a-', 'a--b', 'a_b', `${'a'.repeat(5_000)}!`])
      expect(proxy({ name })).toEqual([
        expect.stringContaining('proxies[0].name: must be a name of'),
      ]);
  });

  test('addresses', () => {
    for (const listen of ['h:1', '0.0.0.0:0', '[::]:65535', '[fe80::1%eth0]:1'])
      expect(proxy({ listen })).toEqual([]);
    for (const listen of ['h', ':1', '::1:1', 'h:65536', 'h:', 6432, 'h:1 ', null])
      expect(proxy({ listen })).toEqual([
        expect.stringContaining('host:port, such as 127.0.0.1:6432'),
      ]);
  });

  test('networks', () => {
    const networks = (...proxyProtocolNetworks: unknown[]) =>
      proxy({ proxyProtocol: 'optional', proxyProtocolNetworks });
    expect(networks('10.0.0.0/8', '192.0.2.1', '::1', '2001:db8::/32', '0.0.0.0/0')).toEqual([]);
    for (const wrong of ['*', '10.0.0.0/33', 'balancer.internal', '10.0.0.1:80', 10, null])
      expect(networks('::1', wrong)).toEqual([
        expect.stringContaining('proxies[0].proxyProtocolNetworks[1]: '),
      ]);
    expect(networks('*')).toEqual([
      'proxies[0].proxyProtocolNetworks[0]: must be an IP network, such as 10.0.0.0/8 or 2001:db8::/32, or an IP address',
    ]);
  });

  test('who believes PROXY headers must say whose', () => {
    for (const proxyProtocol of ['optional', 'required'])
      expect(proxy({ proxyProtocol })).toEqual([
        'proxies[0].proxyProtocol: needs proxyProtocolNetworks; give the addresses of the load balancers',
      ]);
    expect(proxy({ proxyProtocol: 'disabled' })).toEqual([]);
    expect(proxy({ proxyProtocol: true })).toEqual([
      'proxies[0].proxyProtocol: must be one of disabled, optional, required',
    ]);
    for (const [key, meant] of [
      ['proxyProtocolFrom', 'proxyProtocol'],
      ['proxyProtocolNetwork', 'proxyProtocolNetworks'],
      ['proxy_protocol_networks', 'proxyProtocolNetworks'],
    ] as const)
      expect(proxy({ [key]: ['::1'] })).toEqual([
        `proxies[0]: unknown key \`${key}\` — did you mean \`${meant}\`?`,
      ]);
  });

  test('between 1 and 200 auth entries', () => {
    expect(proxy({ auth: [] })).toEqual(['proxies[0].auth: must be a list of 1 to 200 items']);
    const many = Array.from({ length: 201 }, () => ({ secret: 'app' }));
    expect(proxy({ auth: many })).toContain('proxies[0].auth: must be a list of at most 200 items');
  });

  test("a policy's problem is shown at its place", () => {
    const yaml = changed(({ principals: [one] }) => {
      const Statement = { Effect: 'allow', Action: '*', Resource: '*' };
      Object.assign(one ?? {}, { policy: { Statement } });
    });
    expect(problemsOf(yaml)).toEqual([
      "sluice.yaml:8:9: principals[0].policy.Statement.Effect: must be 'Allow' or 'Deny'",
    ]);
    const without = problemsWith(({ principals: [one] }) => delete one?.['policy']);
    expect(without).toEqual(['principals[0].policy: is missing; give an IAM policy']);
  });

  test('files must be there', () => {
    expect(proxy({ tls: { certFile: 'gone.pem', keyFile: '.' } })).toEqual([
      'proxies[0].tls.certFile: the file is of no use: there is no such file',
      'proxies[0].tls.keyFile: the file is of no use: it is a directory',
    ]);
  });

  test('a broken secret file is named and not shown', () => {
    const problemFor = (content: string) => {
      file(content, 'broken.json');
      return problemsWith((settings) => {
        settings.secrets[1] = { name: 'two', file: 'broken.json' };
      });
    };
    expect(problemFor('{"username": hunter2')).toEqual([
      'secrets[1].file: the file is of no use: it is not JSON in UTF-8',
    ]);
    expect(problemFor('{"username": "u", "password": 1}')).toEqual([
      'secrets[1].file: the file is of no use: its "password" must be text, not empty and without NUL characters',
    ]);
  });
});

describe('what only the whole can tell', () => {
  const second = (entry: Tree) => (settings: Full) => {
    const rest = { name: 'two', listen: 'h:2', endpoints: [], ...entry };
    settings.proxies.push({ ...settings.proxies[0], ...rest });
  };

  test('names, identifiers, access keys and addresses are given once', () => {
    expect(
      problemsWith((settings) => {
        settings.principals.push(...settings.principals);
        settings.secrets.push({ name: 'app', value: { username: 'x', password: 'p' } });
        settings.databases.push({ ...settings.databases[0], identifier: 'DB' });
        second({ name: 'One', listen: '0.0.0.0:6432' })(settings);
        settings.admin['listen'] = '[::]:6432';
      }),
    ).toEqual([
      'principals[1].accessKeyId: is given twice; each needs its own',
      'secrets[2].name: is given twice; each needs its own',
      'databases[1].identifier: is given twice; each needs its own',
      'proxies[1].name: is given twice; each needs its own',
      'proxies[1].listen: another listener has this address already; choose another port',
      'admin.listen: another listener has this address already; choose another port',
    ]);
  });

  test('what is referred to must exist', () => {
    const problems = problemsWith(({ proxies: [proxy], ...settings }) => {
      settings.secrets[1] = { name: 'reports', value: { username: 'r', password: 'p' } };
      Object.assign(proxy ?? {}, { target: 'other', auth: [{ secret: 'report' }] });
    });
    expect(problems).toEqual([
      'proxies[0].auth[0].secret: no secret has this name — did you mean `reports`?',
      'proxies[0].target: no database has this identifier; known are db',
    ]);
  });

  describe('of a cluster', () => {
    const member = (identifier: string, more: Tree = {}): Tree => ({
      ...{ identifier, engine: 'postgres', host: 'h', memberOf: 'all' },
      ...more,
    });
    const withMembers = (databases: readonly Tree[], proxy: Tree = {}) =>
      problemsWith((settings) => {
        settings.databases.splice(0, 1, ...databases);
        Object.assign(settings.proxies[0] ?? {}, { target: 'all', endpoints: [], ...proxy });
      });
    const reader = { role: 'reader' };
    const reading = { name: 'read', targetRole: 'READ_ONLY', listen: 'h:2' };

    test('one member is the writer, and endpoints may lead to the others', () => {
      const databases = [member('one'), member('two', reader)];
      expect(withMembers(databases, { endpoints: [reading] })).toEqual([]);
    });

    test('exactly one member is the writer', () => {
      expect(withMembers([member('one'), member('two')])).toEqual([
        'databases[1].role: the cluster has a writer already; give role: reader',
      ]);
      expect(withMembers([member('one', reader)])).toEqual([
        'databases[0].memberOf: the cluster has no writer; one of its members must be it',
      ]);
    });

    test('the members are alike, and the name is no database’s', () => {
      const other = member('two', { ...reader, engine: 'mysql' });
      expect(withMembers([member('one'), other])).toEqual([
        'databases[1].engine: must be postgres, as of the other members of the cluster',
      ]);
      expect(withMembers([member('all')])).toEqual([
        'databases[0].memberOf: a database has this identifier; call the cluster otherwise',
      ]);
      const stray = { ...member('two', reader), memberOf: undefined };
      expect(withMembers([member('one'), stray])).toEqual([
        'databases[1].role: a reader belongs to a cluster; give memberOf, too',
      ]);
    });

    test('READ_ONLY endpoints need readers', () => {
      expect(withMembers([member('one')], { endpoints: [reading] })).toEqual([
        'proxies[0].endpoints[0].targetRole: needs readers; give as target a cluster, and databases with memberOf and role: reader',
      ]);
    });
  });

  test('endpoints have names and addresses of their own', () => {
    const endpoints = [
      { name: 'Default', listen: 'h:2' },
      { name: 'more', listen: 'h:3' },
      { name: 'More', listen: 'h:3' },
      { name: 'last', listen: '127.0.0.1:6432' },
    ];
    expect(
      problemsWith(({ proxies: [proxy] }) => Object.assign(proxy ?? {}, { endpoints })),
    ).toEqual([
      'proxies[0].endpoints[0].name: is what the endpoint that comes with the proxy is called; give another name',
      'proxies[0].endpoints[2].name: is given twice; each needs its own',
      'proxies[0].endpoints[2].listen: another listener has this address already; choose another port',
      'proxies[0].endpoints[3].listen: another listener has this address already; choose another port',
    ]);
  });

  test('one user has one entry', () => {
    const problems = problemsWith(({ proxies: [proxy], ...settings }) => {
      settings.secrets[1] = { name: 'two', value: { username: 'app', password: 'other' } };
      Object.assign(proxy ?? {}, { auth: [{ secret: 'app' }, { secret: 'two' }] });
    });
    expect(problems).toEqual([
      'proxies[0].auth[1].secret: The database user "app" was found in multiple DB proxy authentication entries; keep one of them',
    ]);
  });

  test('idle connections are a part of all', () => {
    const pool = { maxConnectionsPercent: 40, maxIdleConnectionsPercent: 41 };
    expect(problemsWith(({ proxies: [proxy] }) => Object.assign(proxy ?? {}, { pool }))).toEqual([
      'proxies[0].pool.maxIdleConnectionsPercent: must be at most maxConnectionsPercent (40)',
    ]);
  });

  test('a secret has a value, a file or a place at AWS; a client certificate has a key', () => {
    expect(
      problemsWith((settings) => {
        settings.secrets[1] = { name: 'two' };
        Object.assign(settings.databases[0] ?? {}, { tlsKeyFile: 'sluice.yaml' });
      }),
    ).toEqual([
      'secrets[1]: give either `value`, `file` or `awsSecret`',
      'databases[0].tlsKeyFile: tlsCertFile and tlsKeyFile belong together; give both',
    ]);
  });

  test('a login cannot be bound to TLS where there is none', () => {
    const problems = (tls: string) =>
      problemsWith((settings) =>
        Object.assign(settings.databases[0] ?? {}, { tls, channelBinding: 'require' }),
      );
    expect(problems('disable')).toEqual([
      'databases[0].channelBinding: require needs TLS; set tls to more than disable',
    ]);
    expect(problems('prefer')).toEqual([]);
  });

  test('everything is told at once, in the order of the file, and nothing that only follows', () => {
    const problems = problemsWith((settings) => {
      Object.assign(settings, { region: 1 });
      settings.secrets[0] = { name: 'app', value: { username: 'app' } };
      Object.assign(settings.databases[0] ?? {}, { port: 0 });
      second({ target: 'bd' })(settings);
      Object.assign(settings.proxies[0] ?? {}, { workers: 1 });
    });
    expect(problems).toEqual([
      'region: must be an AWS region, such as eu-central-1: put it in quotes, since YAML takes it for a number',
      'secrets[0].value.password: is missing; give a text that is not empty',
      'databases[0].port: must be a whole number from 1 to 65535',
      expect.stringContaining('proxies[0]: unknown key `workers`'),
      'proxies[1].target: no database has this identifier — did you mean `db`?',
    ]);
  });

  test('warnings', () => {
    const { warnings } = load(
      changed((settings) => {
        settings.principals = [];
        Object.assign(settings.databases[0] ?? {}, { tlsCaFile: 'sluice.yaml' });
        Object.assign(settings.proxies[0] ?? {}, {
          auth: [{ secret: 'app', iamAuth: 'REQUIRED' }],
          listen: '0.0.0.0:1',
        });
        second({
          pool: { maxConnectionsPercent: 1 },
          hostnames: ['h'],
          proxyProtocolNetworks: ['10.0.0.0/8'],
        })(settings);
      }),
    );
    expect(warnings.map((warning) => warning.replace(/^.*sluice\.yaml:\d+:\d+: /, ''))).toEqual([
      'databases[0].tlsCaFile: has no effect; set tls to verify-ca or verify-full',
      'proxies[0].hostnames: tokens must be made for the host 0.0.0.0; give the names that clients use',
      'proxies[0].auth[0].iamAuth: nobody can sign in with a token, since there are no principals; declare some',
      'proxies[1].auth[0].iamAuth: nobody can sign in with a token, since there are no principals; declare some',
      'proxies[1].pool.maxConnectionsPercent: the proxies of this database may take 101 % of its connections together; share out 100 %',
      'proxies[1].proxyProtocolNetworks: has no effect; set proxyProtocol to required',
    ]);
  });
});

test('the reference page is what the schema says', async () => {
  const page = Bun.file(join(import.meta.dirname, '../../../docs/reference/configuration.md'));
  if (Bun.env['UPDATE_DOCS'] !== undefined) await Bun.write(page, settingsPage());
  // After a change of the schema: UPDATE_DOCS=1 bun test src/server/settings
  expect(await page.text()).toBe(settingsPage());
});
