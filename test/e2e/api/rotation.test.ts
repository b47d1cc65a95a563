import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { systemClock } from '../../../src/base/clock.ts';
import { SecretText } from '../../../src/base/secret-text.ts';
import { startEmbeddedPostgres } from '../../../src/cli/embedded-postgres.ts';
import { DatabaseRotator } from '../../../src/server/control/rotation/database-rotator.ts';
import { MysqlClient } from '../../support/mysql-client.ts';
import { mysqlReleasesHere, startMysql } from '../../support/mysql.ts';
import { TdsClient } from '../../support/tds-client.ts';
import { startTds } from '../../support/tds-embedded.ts';
import type { ThrowAway } from '../../support/tds-embedded.ts';
import { eventually } from '../clients/stage.ts';
import { ControlStage, signIn } from './control-stage.ts';
import { Load } from './load.ts';
import { outcomeOf } from '../../support/outcome.ts';

const FIRST = `first'"\\`;
const SINGLE = 'arn:aws:lambda:eu-central-1:123456789012:function:SluiceSingleUserRotation';
const MULTI = 'arn:aws:lambda:eu-central-1:123456789012:function:SluiceAlternatingUsersRotation';

interface Value {
  readonly username: string;
  readonly password: string;
}

interface Kind {
  readonly name: string;
  readonly engine: string;
  readonly workers: number;
  readonly engineFamily: 'POSTGRESQL' | 'MYSQL' | 'SQLSERVER';
  /** What a clone may do who may what its user may. */
  readonly right: string;
  start(tls: boolean): Promise<Omit<ThrowAway, 'query'>>;
  open(
    port: number,
    login: Value,
  ): Promise<{ rows(sql: string): Promise<unknown>; end(): Promise<void> }>;
}

const user = { name: 'app', password: new SecretText(FIRST) };
const databases = ['app'];

const postgres: Kind = {
  name: 'PostgreSQL',
  engine: 'postgres',
  workers: 1,
  engineFamily: 'POSTGRESQL',
  right: 'SET ROLE app',
  start: (tls) => startEmbeddedPostgres({ tls, users: [user], databases }),
  open: (port, { username, password }) => signIn(port, username, password),
};

const mysqlKinds = (await mysqlReleasesHere()).map((release): Kind => {
  return {
    name: release,
    engine: release === 'mysql' ? 'mysql' : 'mariadb',
    engineFamily: 'MYSQL',
    right: 'CREATE TABLE app.made (n INT)',
    workers: 1,
    start: (tls) => startMysql({ release, tls, users: [user], databases }),
    open: (port, { username, password }) =>
      MysqlClient.signIn({
        host: '127.0.0.1',
        port,
        user: username,
        password,
        database: 'app',
      }),
  };
});

const quoted = FIRST.replaceAll("'", "''");

const sqlServer: Kind = {
  name: 'SQL Server',
  engine: 'sqlserver',
  engineFamily: 'SQLSERVER',
  right: 'USE app; CREATE ROLE made',
  workers: 1,
  async start(tls) {
    const server = await startTds({ tls, databases });
    await server.query(
      `CREATE LOGIN app WITH PASSWORD = N'${quoted}'; USE app; CREATE USER app FOR LOGIN app;
       ALTER ROLE db_owner ADD MEMBER app`,
    );
    return server;
  },
  async open(port, { username: user, password }) {
    const client = await TdsClient.signIn({ port, user, password, options: { database: 'app' } });
    return {
      rows: (sql) => client.batch(sql === 'BEGIN' ? 'BEGIN TRANSACTION' : sql),
      end: () => client.end(),
    };
  },
};

const crowded: Kind = { ...postgres, name: 'PostgreSQL, with 2 workers,', workers: 2 };

describe.each([postgres, crowded, ...mysqlKinds, sqlServer])('a secret of $name', (kind) => {
  let server: Omit<ThrowAway, 'query'>;
  let stage: ControlStage;
  let target: object;
  let roleArn: string;
  beforeAll(async () => {
    server = await kind.start(true);
    stage = await ControlStage.open({ settings: { workers: kind.workers } });
    const { engine } = kind;
    const { host, port } = server;
    await stage.register('db', server, { Engine: engine });
    roleArn = await stage.role('proxy');
    target = { engine, host, port };
  });
  afterAll(async () => {
    await stage.close();
    await server.destroy();
  });

  const proxyFor = (arn: string): Promise<number> =>
    stage.proxy(`p${arn.slice(-6).replaceAll(/[^a-z]/gi, 'x')}`, {
      auth: [arn],
      target: 'db',
      engineFamily: kind.engineFamily,
      roleArn,
    });
  const read = async (SecretId: string, VersionStage = 'AWSCURRENT'): Promise<Value> => {
    const { SecretString = '' } = await stage.secrets.getSecretValue({ SecretId, VersionStage });
    return JSON.parse(SecretString) as Value;
  };
  /** Rotates it and waits for the end; rejects with what the log says where it fails. */
  const rotate = async (SecretId: string, RotationLambdaARN: string): Promise<Value> => {
    const ended = () =>
      stage.sluice
        .logs()
        .filter(
          ({ event, secret }) =>
            secret === SecretId && (event === 'secretRotated' || event === 'secretRotationFailed'),
        );
    const before = ended().length;
    await stage.secrets.rotateSecret({ SecretId, RotationLambdaARN });
    await eventually(
      async () => ended().length,
      (count) => count > before,
    );
    const last = ended().at(-1);
    if (last?.event !== 'secretRotated') throw new Error(String(last?.['message']));
    return await read(SecretId);
  };

  test('of a user who changes the own password is rotated under load, and nobody fails', async () => {
    const arn = await stage.secret('single', 'app', FIRST, target);
    const port = await proxyFor(arn);
    const load = new Load(async () => kind.open(port, await read(arn)));
    await load.goesOn();
    const passwords = new Set([FIRST]);
    for (let round = 0; round < 4; round += 1) {
      const { username, password } = await rotate(arn, SINGLE);
      expect(username).toBe('app');
      passwords.add(password);
      await load.goesOn();
    }
    await load.end();
    expect(load.failures).toEqual([]);
    expect(passwords.size).toBe(5);
  });

  test('of users who alternate likewise; the clone may do what the user may', async () => {
    const own = await read('single');
    const { superuser, superuserPassword } = server;
    const masterarn = await stage.secret('master', superuser, superuserPassword.reveal(), target);
    const arn = await stage.secret('double', 'app', own.password, { ...target, masterarn });
    const port = await proxyFor(arn);
    const load = new Load(async () => kind.open(port, await read(arn)));
    await load.goesOn();
    for (const expected of ['app_clone', 'app', 'app_clone']) {
      const { username } = await rotate(arn, MULTI);
      expect(username).toBe(expected);
      await load.goesOn();
    }
    await load.end();
    expect(load.failures).toEqual([]);
    const client = await kind.open(port, await read(arn));
    await client.rows(kind.right);
    await client.end();
  });

  test('lets in who comes with the password before, at the proxy alone, and with none before that', async () => {
    const stages = ['AWSCURRENT', 'AWSPREVIOUS'];
    const known = await Promise.all(stages.map((VersionStage) => read('double', VersionStage)));
    const { password = '' } = known.find(({ username }) => username === 'app') ?? {};
    const arn = await stage.secret('graced', 'app', password, target);
    const port = await proxyFor(arn);
    const rotator = new DatabaseRotator(() => [], systemClock);
    const { host, port: serverPort } = server;
    const atDatabase = async (login: Value): Promise<unknown> =>
      await rotator.test({
        target: { engine: kind.engine, host, port: String(serverPort) },
        username: login.username,
        password: new SecretText(login.password),
      });
    const first = await read(arn);
    const second = await rotate(arn, SINGLE);
    for (const login of [first, second]) await (await kind.open(port, login)).end();
    await atDatabase(second);
    expect(await outcomeOf(atDatabase(first))).toThrow();
    const third = await rotate(arn, SINGLE);
    for (const login of [second, third]) await (await kind.open(port, login)).end();
    expect(await outcomeOf(kind.open(port, first))).toThrow();
  });

  test('that cannot be rotated says why, and shows no password', async () => {
    const arn = await stage.secret('wrong', 'app', 'never-right', target);
    const problem: unknown = await rotate(arn, SINGLE).catch((error: unknown) => error);
    expect(String(problem)).toContain('could not be rotated');
    expect(String(problem)).not.toContain('never-right');
    const log = JSON.stringify(stage.sluice.logs());
    for (const { password } of [await read('single'), await read('double'), await read('master')])
      expect(log).not.toContain(password);
  });
});
