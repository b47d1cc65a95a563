import { describe, expect, test } from 'bun:test';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Tree } from './fixture.test-support.ts';
import { changed, minimal, settingsFolder } from './fixture.test-support.ts';
import { loadSettings } from './load.ts';
import type { Env } from './variables.ts';
import { SETTINGS_FILE_BYTES } from './yaml-file.ts';

const { directory, file, load, problemsAt, problemsOf } = settingsFolder();

describe('what is valid', () => {
  test('defaults are filled in, in milliseconds', () => {
    const settings = load(minimal);
    expect(settings).toMatchObject({
      region: 'eu-central-1',
      principals: [],
      admin: { listen: undefined },
      api: { listenHost: '127.0.0.1', ports: { from: 6500, to: 6599 }, hostname: 'localhost' },
      log: { level: 'info', format: 'json' },
      drainTimeoutMs: 30_000,
      workers: 1,
      ioUring: true,
      warnings: [],
    });
    expect(settings.databases).toEqual([
      {
        identifier: 'db',
        engine: 'postgres',
        engineFamily: 'POSTGRESQL',
        cluster: undefined,
        role: 'writer',
        host: 'db.internal',
        port: 5432,
        tlsMode: 'prefer',
        tlsFirst: false,
        tlsCa: undefined,
        tlsCaFile: undefined,
        tlsCertFile: undefined,
        tlsKeyFile: undefined,
        tlsServerName: 'db.internal',
        channelBinding: 'prefer',
        allowCleartextPassword: false,
        maxConnections: undefined,
        database: 'postgres',
      },
    ]);
    expect(settings.proxies).toEqual([
      {
        name: 'one',
        id: expect.stringMatching(/^prx-[a-z0-9]{17}$/),
        revision: undefined,
        roleArn: undefined,
        engineFamily: 'POSTGRESQL',
        listen: { host: '::1', port: 6432 },
        hostnames: ['::1'],
        proxyProtocol: 'disabled',
        proxyProtocolNetworks: [],
        requireTls: false,
        tls: undefined,
        auth: [
          {
            secret: 'app',
            iamAuth: 'DISABLED',
            clientPasswordAuthType: 'POSTGRES_SCRAM_SHA_256',
            description: undefined,
          },
        ],
        defaultAuthScheme: 'NONE',
        target: 'db',
        cluster: undefined,
        readers: [],
        endpoints: [],
        previousPasswordGraceMs: 86_400_000,
        debugLogging: false,
        maxClientConnections: 10_000,
        idleClientTimeoutMs: 1_800_000,
        clientLoginTimeoutMs: 60_000,
        clientSendTimeoutMs: 600_000,
        applicationNameAddHost: false,
        pool: {
          maxConnectionsPercent: 100,
          maxIdleConnectionsPercent: 50,
          borrowTimeoutMs: 120_000,
          idleTimeoutMs: 300_000,
          lifetimeMs: 86_400_000,
          pingIntervalMs: 60_000,
          connectTimeoutMs: 15_000,
          maxConnecting: 8,
        },
        initQuery: '',
        relay: { pinning: 'minimal', maxPreparedStatements: 200, ignoreSetsForPinning: false },
      },
    ]);
  });

  test('defaults follow the kind of the database', () => {
    const of = (engine: string, rest: Tree = {}) => {
      const { databases, proxies } = load(
        changed(({ databases: [database], proxies: [proxy] }) => {
          Object.assign(database ?? {}, { engine });
          Object.assign(proxy ?? {}, { engineFamily: 'MYSQL', ...rest });
        }),
      );
      return { database: databases[0], proxy: proxies[0] };
    };
    for (const [engine, clientPasswordAuthType] of [
      ['mysql', 'MYSQL_CACHING_SHA2_PASSWORD'],
      ['mariadb', 'MYSQL_NATIVE_PASSWORD'],
    ] as const)
      expect(of(engine)).toMatchObject({
        database: { engineFamily: 'MYSQL', port: 3306, database: undefined },
        proxy: { engineFamily: 'MYSQL', auth: [{ clientPasswordAuthType }] },
      });
    const auth = [{ secret: 'app', clientPasswordAuthType: 'MARIADB_ED25519' }];
    const pool = { sessionPinningFilters: ['EXCLUDE_VARIABLE_SETS'] };
    expect(of('mariadb', { auth, pool }).proxy).toMatchObject({
      auth: [{ clientPasswordAuthType: 'MARIADB_ED25519' }],
      relay: { ignoreSetsForPinning: true },
    });
  });

  test('the idle share follows the share', () => {
    const yaml = changed(({ proxies: [proxy] }) =>
      Object.assign(proxy ?? {}, { pool: { maxConnectionsPercent: 31 } }),
    );
    expect(load(yaml).proxies[0]?.pool).toMatchObject({
      maxConnectionsPercent: 31,
      maxIdleConnectionsPercent: 15,
    });
  });

  test('secrets are secret from here on', () => {
    const { secrets } = load(minimal);
    expect(secrets[0]?.value.password.reveal()).toBe('hunter2');
    expect(Bun.inspect(secrets, { depth: 9 }) + JSON.stringify(secrets)).not.toContain('hunter2');
  });

  test('a secret file is read, relative to the settings; other keys are ignored', () => {
    file('{"username":"u","password":"p","host":"x","dbname":"d"}', 'app.json');
    const [secret] = load(
      changed((settings) => {
        settings.secrets[0] = { name: 'app', file: 'app.json' };
      }),
    ).secrets;
    expect(secret).toMatchObject({
      name: 'app',
      file: join(directory, 'app.json'),
      value: { username: 'u', dbname: 'd' },
    });
  });

  test('port 0 may be given to several proxies', () => {
    const yaml = changed(({ proxies: [proxy], ...settings }) => {
      Object.assign(proxy ?? {}, { listen: '127.0.0.1:0' });
      settings.admin['listen'] = '127.0.0.1:0';
    });
    expect(load(yaml).admin.listen).toEqual({ host: '127.0.0.1', port: 0 });
  });

  test('an anchor may be used again', () => {
    const yaml = `${minimal}  - { name: two, engineFamily: POSTGRESQL, listen: 'h:1', auth: &a [{ secret: app }], target: db }
  - { name: three, engineFamily: POSTGRESQL, listen: 'h:2', auth: *a, target: db }`;
    expect(load(yaml).proxies[2]?.auth[0]?.secret).toBe('app');
  });

  test('the example is valid', () => {
    const env = { APP_PASSWORD: 'a', REPORTS_PASSWORD: 'r', SLUICE_SECRET_ACCESS_KEY: 's' };
    const example = join(import.meta.dirname, '../../../sluice.example.yaml');
    expect(loadSettings(example, env).warnings).toEqual([]);
  });
});

describe('the file', () => {
  const cases: readonly (readonly [string, string | Uint8Array, string])[] = [
    ['is empty', '', 'sluice.yaml: is empty; see sluice.example.yaml'],
    ['has comments only', '# nothing\n', 'sluice.yaml: is empty; see sluice.example.yaml'],
    [
      'is too large',
      `#${'x'.repeat(SETTINGS_FILE_BYTES)}`,
      'sluice.yaml: is larger than 1048576 bytes',
    ],
    ['is not UTF-8', Uint8Array.of(0x61, 0xff), 'sluice.yaml: is not UTF-8 text; save it as UTF-8'],
    ['has tabs', 'log:\n\tlevel: info', 'sluice.yaml:2:1: a tab as indentation; use spaces'],
    [
      'has a key twice',
      'a: 1\nb: 2\na: 3',
      'sluice.yaml:3:1: the key is given twice; remove one of them',
    ],
    [
      'has two documents',
      'a: 1\n---\nb: 2',
      'sluice.yaml:2:1: a second YAML document begins here; keep one',
    ],
    [
      'has a value that begins with a reserved character',
      'a: @b',
      'sluice.yaml:1:4: a value cannot begin with this character; put the value in quotes',
    ],
    [
      'has a tag',
      'a: !b',
      'sluice.yaml:1:4: a value that begins with ! has a YAML tag; put the value in quotes',
    ],
    [
      'has an alias of nothing',
      'a: *b',
      'sluice.yaml:1:1: a: a value that begins with * refers to an anchor; put the value in quotes',
    ],
    [
      'has a bare variable in braces',
      'a: { b: ${C} }',
      'sluice.yaml:1:10: inside braces or brackets a variable must be in quotes: "${NAME}"',
    ],
    ['is a list', '- 1', 'sluice.yaml:1:1: must be a mapping of keys to values'],
  ];
  for (const [what, content, expected] of cases)
    test(`that ${what}`, () => expect(problemsOf(content)).toEqual([expected]));

  test('that is not there, and that is a directory', () => {
    expect(problemsAt(join(directory, 'gone.yaml'))).toEqual([
      'gone.yaml: there is no such file; give the path of the settings file',
    ]);
    mkdirSync(join(directory, 'folder.yaml'));
    expect(problemsAt(join(directory, 'folder.yaml'))).toEqual([
      'folder.yaml: it is a directory; give the path of the settings file',
    ]);
  });

  test('that multiplies itself by aliases', () => {
    const levels = ['a: &a [x, x, x, x, x, x, x, x, x, x]'];
    for (const [name, of] of ['ba', 'cb', 'dc', 'ed'].map((pair) => pair.split('')))
      levels.push(`${name}: &${name} [${Array.from({ length: 10 }, () => `*${of}`).join(', ')}]`);
    expect(problemsOf(levels.join('\n'))).toEqual([
      'sluice.yaml: too many YAML aliases; write the values out',
    ]);
  });
});

describe('variables', () => {
  const withHost = (host: string, env: Env = {}) =>
    load(minimal.replace('db.internal', `'${host}'`), env).databases[0]?.host;

  test('are put in, with defaults for those that are unset or empty', () => {
    expect(withHost('${H}', { H: 'x' })).toBe('x');
    expect(withHost('a.${H:-y}.${I}', { H: '', I: 'z' })).toBe('a.y.z');
    expect(withHost('${H:-}x')).toBe('x');
  });

  test('are not looked for in what they hold, nor after $$', () => {
    const password = (text: string, env: Env) =>
      load(
        minimal.replace('hunter2', () => `'${text}'`),
        env,
      ).secrets[0]?.value.password.reveal();
    expect(password('${P}', { P: '${Q}' })).toBe('${Q}');
    expect(password('$${P}$', {})).toBe('${P}$');
    expect(password('${constructor:-x}', {})).toBe('x');
    expect(password('${P}', { P: '012' })).toBe('012');
  });

  test('can be numbers and flags', () => {
    const yaml = minimal.replace(
      'db.internal',
      `h, port: '\${P}', allowCleartextPassword: '\${C}'`,
    );
    expect(load(yaml, { P: '6000', C: 'true' }).databases[0]).toMatchObject({
      port: 6000,
      allowCleartextPassword: true,
    });
  });

  test('one that is missing is named, with its place, and once', () => {
    expect(problemsOf(`workers: \${N}\n${minimal}`)).toEqual([
      'sluice.yaml:1:1: workers: the variable N is not set; set it, or write ${N:-default}',
    ]);
  });

  test('one that is not written as a variable is an error', () => {
    for (const text of ['${', '${}', '${a b}', '${aws:username}', '${A'])
      expect(problemsOf(minimal.replace('hunter2', () => `'${text}'`))).toEqual([
        'sluice.yaml:4:48: secrets[0].value.password: a variable is written ${NAME} or ${NAME:-default}; write $${ for a plain ${',
      ]);
  });
});
