import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { Random } from '../../base/random.ts';
import { dbUserArn } from '../../iam/principals.ts';
import { proxyId } from '../../iam/proxy-id.ts';
import { generateCertificate } from '../../net/certificate.ts';
import { unlessAborted } from './abort.ts';
import type {
  AccessKey,
  Account,
  Accounts,
  DemoDatabase,
  ProxyAddress,
  Surroundings,
} from './database.ts';
import { newSecret } from './database.ts';
import type { DemoEngine } from './engines.ts';
import { Program } from './program.ts';

export const REGION = 'eu-central-1';
const ACCOUNT = '123456789012';
const NAME = 'demo';
export const LISTEN_HOST = '127.0.0.1';
const DATABASE_CERT = 'database.crt';
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

/** Starts Sluice in front of the database; resolves when it has reached it. To be disposed of. */
export async function startProxy(
  database: DemoDatabase,
  kind: Pick<DemoEngine, 'name' | 'family'>,
  { signal, clock, random }: Pick<Surroundings, 'signal' | 'clock' | 'random'>,
): Promise<DemoProxy> {
  await using cleanup = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), 'sluice-demo-'));
  cleanup.defer(() => rm(directory, { recursive: true, force: true }));
  const accessKey = newAccessKey(random);
  const { certPem, keyPem } = generateCertificate([HOSTNAME, LISTEN_HOST], clock, random);
  const files = {
    'sluice.yaml': stringify(settings(database, kind, accessKey.accessKeyId)),
    'proxy.crt': certPem,
    'proxy.key': keyPem,
    [DATABASE_CERT]: database.tls.mode === 'verify-full' ? database.tls.certPem : undefined,
  };
  for (const [name, content] of Object.entries(files)) {
    if (content !== undefined) await writeFile(join(directory, name), content, { mode: 0o600 });
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
  database: DemoDatabase,
  { name, family }: Pick<DemoEngine, 'name' | 'family'>,
  accessKeyId: string,
): object {
  const id = proxyId(ACCOUNT, REGION, NAME);
  const { user } = database.accounts.byToken;
  const resource = dbUserArn({ region: REGION, account: ACCOUNT, proxyId: id, user });
  const statement = { Effect: 'Allow', Action: 'rds-db:connect', Resource: resource };
  return {
    region: REGION,
    account: ACCOUNT,
    secrets: signIns(database.accounts).map(({ secret }, at) => ({
      name: secret,
      value: { username: `\${USER_${at}}`, password: `\${PASSWORD_${at}}` },
    })),
    databases: [databaseSettings(database, name)],
    proxies: [
      {
        name: NAME,
        engineFamily: family,
        listen: `${LISTEN_HOST}:0`,
        hostnames: [HOSTNAME, LISTEN_HOST],
        requireTls: true,
        tls: { certFile: 'proxy.crt', keyFile: 'proxy.key' },
        target: 'database',
        auth: signIns(database.accounts).map(({ secret, iamAuth }) => ({ secret, iamAuth })),
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

function databaseSettings({ host, port, name, tls, maxConnections }: DemoDatabase, engine: string) {
  return {
    identifier: 'database',
    engine,
    host,
    port,
    // The proxy watches it from there, too: so that this connection is counted with the others.
    ...(engine === 'sqlserver' ? { database: name } : {}),
    tls: tls.mode,
    ...(tls.mode === 'verify-full' && tls.certPem !== undefined
      ? { tlsCaFile: DATABASE_CERT }
      : {}),
    ...(maxConnections === undefined ? {} : { maxConnections }),
  };
}

interface SignIn extends Account {
  /** The name of the secret that has both. */
  readonly secret: string;
  readonly iamAuth: 'DISABLED' | 'REQUIRED' | 'ENABLED';
}

function signIns({ byPassword, byToken }: Accounts): readonly SignIn[] {
  if (byPassword === byToken) return [{ ...byToken, secret: 'either', iamAuth: 'ENABLED' }];
  return [
    { ...byPassword, secret: 'password', iamAuth: 'DISABLED' },
    { ...byToken, secret: 'token', iamAuth: 'REQUIRED' },
  ];
}

/** What the settings leave to the environment. */
function secrets(
  { accounts }: DemoDatabase,
  { secretAccessKey }: AccessKey,
): Readonly<Record<string, string>> {
  const named: Record<string, string> = { SECRET_ACCESS_KEY: secretAccessKey.reveal() };
  for (const [at, { user, password }] of signIns(accounts).entries()) {
    named[`USER_${at}`] = user;
    named[`PASSWORD_${at}`] = password.reveal();
  }
  return named;
}

function newAccessKey(random: Random): AccessKey {
  const id = Buffer.from(random.bytes(8)).toString('hex').toUpperCase();
  return { accessKeyId: `AKIA${id}`, secretAccessKey: newSecret(random) };
}
