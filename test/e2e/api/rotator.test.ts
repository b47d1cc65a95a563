import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import type { Login } from '../../../src/api/secretsmanager/rotator.ts';
import { systemClock } from '../../../src/base/clock.ts';
import { SecretText } from '../../../src/base/secret-text.ts';
import { startEmbeddedPostgres } from '../../../src/cli/embedded-postgres.ts';
import { DatabaseRotator } from '../../../src/server/control/rotation/database-rotator.ts';
import { databaseSettings } from '../../../src/server/settings/normalise.ts';
import { databaseSchema } from '../../../src/server/settings/schema.ts';
import type { DatabaseSettings } from '../../../src/server/settings/settings.ts';
import { mysqlReleasesHere, startMysql } from '../../support/mysql.ts';
import { startTds } from '../../support/tds-embedded.ts';
import type { ThrowAway } from '../../support/tds-embedded.ts';

const RUNS = 25;

/** What would end a name, a text or a statement that is not written well, and some that servers or clients change. */
const parts = ["'", '"', '\\', '`', ';', '--', '/*', '#', "\\'", '%', '$$', ' ', 'a', 'é', '\n'];
const nasty = (most: number) =>
  fc
    .array(fc.constantFrom(...parts), { minLength: 1, maxLength: most })
    .map((words) => `x${words.join('')}y`);

const known = (settings: object): DatabaseSettings =>
  databaseSettings(databaseSchema.parse({ identifier: 'db', ...settings }), '/');
const login = (username: string, password: string): Login => ({
  username,
  password: new SecretText(password),
});

/** What went wrong; `fine` where nothing did. */
async function outcome(work: Promise<unknown>): Promise<string> {
  return await work.then(
    () => 'fine',
    (problem: unknown) => (problem instanceof Error ? problem.message : String(problem)),
  );
}

const engines = [
  {
    name: 'PostgreSQL',
    engine: 'postgres',
    start: (tls: boolean) => startEmbeddedPostgres({ tls }),
  },
  ...(await mysqlReleasesHere()).map((release) => ({
    name: release,
    engine: release === 'mysql' ? 'mysql' : 'mariadb',
    start: (tls: boolean) => startMysql({ release, tls, databases: ['app'] }),
  })),
  {
    name: 'SQL Server',
    engine: 'sqlserver',
    start: (tls: boolean) => startTds({ tls, databases: ['app', 'other', 'third'] }),
  },
];

/** SQL Server goes on with the next line, and nothing keeps it from that. */
const canBeSaid = (engine: string, text: string): boolean =>
  engine !== 'sqlserver' || !text.includes('\\\n');

function toCreate(engine: string, name: string, password: string, more: string): string {
  switch (engine) {
    case 'postgres':
      return `CREATE ROLE ${name} LOGIN PASSWORD '${password}' ${more}`;
    case 'sqlserver':
      return `CREATE LOGIN ${name} WITH PASSWORD = '${password}'`;
    default:
      return `CREATE USER ${name} ${more === '' ? `IDENTIFIED BY '${password}'` : more}`;
  }
}

describe.each(engines)('passwords in $name', ({ engine, start }) => {
  let server: ThrowAway;
  let target: Readonly<Record<string, string>>;
  let root: Login;
  let databases: readonly DatabaseSettings[] = [];
  const rotator = new DatabaseRotator(() => databases, systemClock);
  beforeAll(async () => {
    server = await start(true);
    const { host, port, superuser, superuserPassword } = server;
    target = { engine, host, port: String(port) };
    root = { username: superuser, password: superuserPassword };
    await create('app', 'app');
  });
  afterAll(() => server.destroy());

  const create = (name: string, password: string, more = ''): Promise<unknown> =>
    server.query(toCreate(engine, name, password, more));
  const test_ = (one: Login) => outcome(rotator.test({ target, ...one }));

  test('are what they are called, whatever is in them and in names', async () => {
    await fc.assert(
      fc.asyncProperty(
        nasty(8),
        nasty(12),
        nasty(12).map((text) => `${text}🔑`),
        async (username, first, second) => {
          fc.pre([username, first, second].every((text) => canBeSaid(engine, text)));
          const password = new SecretText(first);
          const made = { target, username, password, signInAs: [root], cloneOf: 'app' } as const;
          expect(await outcome(rotator.setPassword(made))).toBe('fine');
          expect(await test_(login(username, first))).toBe('fine');
          const own = { ...made, password: new SecretText(second) };
          const signInAs = [login(username, 'wrong'), login(username, first)] as const;
          expect(await outcome(rotator.setPassword({ ...own, signInAs }))).toBe('fine');
          expect(await test_(login(username, second))).toBe('fine');
          if (first !== second) expect(await test_(login(username, first))).not.toBe('fine');
        },
      ),
      { numRuns: RUNS },
    );
    expect(await test_(login('app', 'app'))).toBe('fine');
  }, 60_000);

  test('are not shown by what goes wrong', async () => {
    const change = { target, username: 'app', password: new SecretText('secret-next') };
    const wrong = { ...change, signInAs: [login('app', 'secret-wrong')] } as const;
    const told = [
      await outcome(rotator.setPassword(wrong)),
      await outcome(rotator.setPassword({ ...wrong, signInAs: [login('nobody', 'secret-wrong')] })),
      await outcome(rotator.setPassword({ ...change, username: 'missing', signInAs: [root] })),
      await outcome(rotator.setPassword({ ...change, username: 'a\0b', signInAs: [root] })),
      await test_(login('app', 'secret-wrong')),
    ];
    for (const one of told) {
      expect(one).not.toBe('fine');
      expect(one).not.toContain('secret-');
    }
    expect(told[2]).toMatch(/^the database has no (?:user|login) missing$/);
    expect(await test_(login('app', 'app'))).toBe('fine');
  });

  test('go by TLS as the settings of the database say that the secret names', async () => {
    const { host, port } = server;
    const change = { target, username: 'app', password: new SecretText('app') };
    const asUser = () =>
      outcome(rotator.setPassword({ ...change, signInAs: [login('app', 'app')] }));
    const asRoot = () => outcome(rotator.setPassword({ ...change, signInAs: [root] }));
    const one = known({ engine, host, port, tls: 'verify-full' });
    databases = [one];
    expect([await asUser(), await asRoot()]).not.toContain('fine');
    databases = [{ ...one, tlsCa: server.certPem }];
    expect([await asUser(), await asRoot()]).toEqual(['fine', 'fine']);
    databases = [];
  });

  test('go without TLS where the database has none', async () => {
    const plain = await start(false);
    const at = { engine, host: plain.host, port: String(plain.port) };
    const signInAs = [login(plain.superuser, plain.superuserPassword.reveal())] as const;
    const password = new SecretText('next');
    const change = { target: at, username: plain.superuser, password, signInAs };
    expect(await outcome(rotator.setPassword(change))).toBe('fine');
    expect(await outcome(rotator.test({ target: at, ...login(plain.superuser, 'next') }))).toBe(
      'fine',
    );
    await plain.destroy();
  });

  if (engine !== 'postgres' && engine !== 'sqlserver')
    test('stay of the kind that they are, and clones have what their models have', async () => {
      const [plugin, how] =
        engine === 'mysql'
          ? ['caching_sha2_password', "IDENTIFIED BY 'old' REQUIRE SSL"]
          : ['ed25519', "IDENTIFIED VIA ed25519 USING PASSWORD('old') REQUIRE SSL"];
      await create('model', 'old', how);
      await server.query(
        [
          'CREATE ROLE reading',
          'GRANT SELECT ON mysql.* TO reading',
          'GRANT reading TO model',
          'GRANT INSERT ON app.* TO model WITH GRANT OPTION',
          `SET DEFAULT ROLE reading ${engine === 'mysql' ? 'TO' : 'FOR'} model`,
        ].join(';'),
      );
      const change = { target, password: new SecretText('new') };
      const own = { ...change, username: 'model', signInAs: [login('model', 'old')] } as const;
      expect(await outcome(rotator.setPassword(own))).toBe('fine');
      const clone = {
        ...change,
        username: 'model_clone',
        signInAs: [root],
        cloneOf: 'model',
      } as const;
      expect(await outcome(rotator.setPassword(clone))).toBe('fine');
      const grants = async (name: string): Promise<string[]> => {
        const rows = await server.query(`SHOW GRANTS FOR ${name}`);
        return rows
          .flatMap((row) => Object.values(row).map(String))
          .map((text) => text.replaceAll(name, 'NAME').replace(/'[^']{30,}'/, 'HASH'))
          .toSorted();
      };
      expect(await grants('model_clone')).toEqual(await grants('model'));
      const rows = await server.query(
        "SELECT plugin AS plugin, ssl_type AS ssl_type FROM mysql.user WHERE user LIKE 'model%'",
      );
      const kinds = rows.map((row) => [row['plugin'], String(row['ssl_type'])]);
      expect(kinds).toEqual([
        [plugin, 'ANY'],
        [plugin, 'ANY'],
      ]);
      for (const name of ['model', 'model_clone'])
        expect(await test_(login(name, 'new'))).toBe('fine');
    });
});

test('an engine that is not known, and an address that is none, are told of', async () => {
  const rotator = new DatabaseRotator(() => [], systemClock);
  const told = async (target: Readonly<Record<string, string>>) =>
    await outcome(rotator.test({ target, ...login('app', 'app') }));
  expect(await told({ engine: 'oracle', host: 'db' })).toBe(
    'Secrets of the engine "oracle" cannot be rotated: it must be one of postgres, postgresql, aurora-postgresql, mysql, aurora-mysql, mariadb, sqlserver',
  );
  expect(await told({ engine: 'postgres', host: 'a b', port: '99999' })).toBe(
    'The database that the secret names cannot be used: look at its host, port',
  );
  expect(await told({ engine: 'constructor', host: 'db' })).toContain('cannot be rotated');
});
