import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { Random } from '../../base/random.ts';
import type { EngineFamily } from '../../core/engine.ts';
import { dbUserArn } from '../../iam/principals.ts';
import { proxyId } from '../../iam/proxy-id.ts';
import { generateCertificate } from '../../net/certificate.ts';
import { unlessAborted } from './abort.ts';
import type { AccessKey, DemoDatabase, ProxyAddress, Surroundings } from './database.ts';
import { newSecret, PASSWORD_USER, TOKEN_USER } from './database.ts';
import { Program } from './program.ts';

export const REGION = 'eu-central-1';
const ACCOUNT = '123456789012';
const NAME = 'demo';
export const LISTEN_HOST = '127.0.0.1';
/** For people: older versions of libpq know no addresses in certificates. */
export const HOSTNAME = 'localhost';
/** Of the 81 connections that the database grants and the proxy does not need to watch it: 24. */
const MAX_CONNECTIONS_PERCENT = 30;
/** The longest that settings allow for: what takes long on a slow machine shall not fail. */
const PATIENCE_S = 300;

export interface DemoProxy extends AsyncDisposable, ProxyAddress {
  /** Rejects when the proxy has ended. */
  readonly ended: Promise<never>;
}

/** What settings say of the database's kind. */
export interface DatabaseKind {
  readonly name: string;
  readonly family: EngineFamily;
}

/** Starts Sluice in front of the database; resolves when it has reached it. To be disposed of. */
export async function startProxy(
  database: DemoDatabase,
  kind: DatabaseKind,
  { signal, clock, random }: Pick<Surroundings, 'signal' | 'clock' | 'random'>,
): Promise<DemoProxy> {
  await using cleanup = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), 'sluice-demo-'));
  cleanup.defer(() => rm(directory, { recursive: true, force: true }));
  const accessKey = newAccessKey(random);
  const { certPem, keyPem } = generateCertificate([HOSTNAME, LISTEN_HOST], clock, random);
  const files = {
    'sluice.yaml': stringify(settings(database, kind, accessKey.accessKeyId)),
    'database.crt': database.certPem,
    'proxy.crt': certPem,
    'proxy.key': keyPem,
  };
  for (const [name, content] of Object.entries(files)) {
    await writeFile(join(directory, name), content, { mode: 0o600 });
  }
  const program = new Program(
    { directory, settings: 'sluice.yaml', env: secrets(database, accessKey) },
    clock,
  );
  cleanup.defer(() => program.stop());
  const port = await unlessAborted(signal, program.ready());
  const held = cleanup.move();
  return {
    port,
    certPem,
    certPath: join(directory, 'proxy.crt'),
    accessKey,
    ended: program.ended,
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
}

/** What `sluice.yaml` says; the secrets come from the environment. */
function settings(
  { host, port }: DemoDatabase,
  { name, family }: DatabaseKind,
  accessKeyId: string,
): object {
  const id = proxyId(ACCOUNT, REGION, NAME);
  const resource = dbUserArn({ region: REGION, account: ACCOUNT, proxyId: id, user: TOKEN_USER });
  const statement = { Effect: 'Allow', Action: 'rds-db:connect', Resource: resource };
  return {
    region: REGION,
    account: ACCOUNT,
    secrets: [secret(PASSWORD_USER, '${APP_PASSWORD}'), secret(TOKEN_USER, '${LAMBDA_PASSWORD}')],
    databases: [
      {
        identifier: 'database',
        engine: name,
        host,
        port,
        tls: 'verify-full',
        tlsCaFile: 'database.crt',
      },
    ],
    proxies: [
      {
        name: NAME,
        engineFamily: family,
        listen: `${LISTEN_HOST}:0`,
        hostnames: [HOSTNAME, LISTEN_HOST],
        requireTls: true,
        tls: { certFile: 'proxy.crt', keyFile: 'proxy.key' },
        target: 'database',
        auth: [{ secret: PASSWORD_USER }, { secret: TOKEN_USER, iamAuth: 'REQUIRED' }],
        clientLoginTimeout: PATIENCE_S,
        serverConnectTimeout: PATIENCE_S,
        pool: {
          maxConnectionsPercent: MAX_CONNECTIONS_PERCENT,
          connectionBorrowTimeout: PATIENCE_S,
        },
      },
    ],
    principals: [
      {
        accessKeyId,
        secretAccessKey: '${SECRET_ACCESS_KEY}',
        policy: { Version: '2012-10-17', Statement: [statement] },
      },
    ],
    drainTimeout: 0,
  };
}

function secret(username: string, password: string): object {
  return { name: username, value: { username, password } };
}

/** What the settings leave to the environment. */
function secrets(
  { passwords }: DemoDatabase,
  { secretAccessKey }: AccessKey,
): Readonly<Record<string, string>> {
  return {
    APP_PASSWORD: passwords[PASSWORD_USER].reveal(),
    LAMBDA_PASSWORD: passwords[TOKEN_USER].reveal(),
    SECRET_ACCESS_KEY: secretAccessKey.reveal(),
  };
}

function newAccessKey(random: Random): AccessKey {
  const id = Buffer.from(random.bytes(8)).toString('hex').toUpperCase();
  return { accessKeyId: `AKIA${id}`, secretAccessKey: newSecret(random) };
}
