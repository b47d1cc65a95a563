import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { EmbeddedServer } from '../../../src/cli/embedded-server.ts';
import { SecretText } from '../../../src/base/secret-text.ts';
import { startEmbeddedPostgres } from '../../../src/cli/embedded-postgres.ts';
import { MysqlClient } from '../../support/mysql-client.ts';
import { mysqlReleasesHere, startMysql } from '../../support/mysql.ts';
import { eventually } from '../clients/stage.ts';
import { ControlStage, signIn } from './control-stage.ts';
import { Load } from './load.ts';

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
  readonly engineFamily: 'POSTGRESQL' | 'MYSQL';
  start(tls: boolean): Promise<EmbeddedServer>;
  open(port: number, login: Value): Promise<Pick<MysqlClient, 'rows' | 'end'>>;
}

const user = { name: 'app', password: new SecretText(FIRST) };
const databases = ['app'];

const postgres: Kind = {
  name: 'PostgreSQL',
  engine: 'postgres',
  workers: 1,
  engineFamily: 'POSTGRESQL',
  start: (tls) => startEmbeddedPostgres({ tls, users: [user], databases }),
  open: (port, { username, password }) => signIn(port, username, password),
};

const mysqlKinds = (await mysqlReleasesHere()).map((release): Kind => {
  return {
    name: release,
    engine: release === 'mysql' ? 'mysql' : 'mariadb',
    engineFamily: 'MYSQL',
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

const crowded: Kind = { ...postgres, name: 'PostgreSQL, with 2 workers,', workers: 2 };

describe.each([postgres, crowded, ...mysqlKinds])('a secret of $name', (kind) => {
  let server: EmbeddedServer;
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
  const read = async (SecretId: string): Promise<Value> => {
    const { SecretString = '' } = await stage.secrets.getSecretValue({ SecretId });
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
    await client.rows(
      kind.engineFamily === 'POSTGRESQL' ? 'SET ROLE app' : 'CREATE TABLE app.made (n INT)',
    );
    await client.end();
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
