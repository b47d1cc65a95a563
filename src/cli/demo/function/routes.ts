import { z } from 'zod';
import type { SecretText } from '../../../base/secret-text.ts';
import { BUSINESS_LOGIC_MS } from '../burst.ts';
import type { ProxyAddress, Route, RouteName } from '../database.ts';
import { PRODUCTS } from '../database.ts';
import { HOSTNAME, REGION } from '../proxy.ts';
import type { Dialect, FunctionAnswer } from './functions.ts';
import { Functions } from './functions.ts';

/** Nobody gives up: what takes long on a slow machine shall not fail. */
const PATIENCE_MS = 300_000;
const OK = 200;
const CREATED = 201;

/** The function's program, what it needs of our environment, and what is the same on each route. */
export interface FunctionHome {
  readonly program: string;
  readonly path: string;
  readonly dialect: Dialect;
  readonly user: string;
  readonly database: string;
}

interface Place {
  readonly host: string;
  readonly port: number;
  /** Whom the function is to trust beside those that Node knows. */
  readonly certPath?: string | undefined;
  /** Otherwise than by holding the certificate to the host's name: of SQL Server only. */
  readonly tls?: 'trust' | 'off' | undefined;
}

/** Straight at the database, with a password: it knows no tokens. */
export function directRoute(
  home: FunctionHome,
  place: Place,
  password: SecretText,
): Promise<Route> {
  return route('direct', home, {
    ...environment(home, place),
    DB_PASSWORD: password.reveal(),
  });
}

/** Through the proxy, with IAM tokens. */
export function proxiedRoute(home: FunctionHome, proxy: ProxyAddress): Promise<Route> {
  const { accessKeyId, secretAccessKey } = proxy.accessKey;
  return route('proxied', home, {
    ...environment(home, { ...proxy, host: HOSTNAME }),
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey.reveal(),
  });
}

/** One function with all its instances. It has been invoked once, so that it has started. */
async function route(
  name: RouteName,
  { program, path }: FunctionHome,
  env: Readonly<Record<string, string>>,
): Promise<Route> {
  const functions = new Functions(program, { PATH: path, ...env });
  try {
    const id = `${name}-first`;
    expectStatus(OK, await functions.invoke({ id, method: 'GET', path: '/products/1' }));
  } catch (problem) {
    await functions[Symbol.asyncDispose]();
    throw problem;
  }
  return {
    name,
    invoke: async (invocation) => {
      const body = JSON.stringify({ productId: 1 + (invocation % PRODUCTS) });
      const id = `${name}-${invocation}`;
      expectStatus(CREATED, await functions.invoke({ id, method: 'POST', path: '/orders', body }));
    },
    ended: functions.ended,
    [Symbol.asyncDispose]: () => functions[Symbol.asyncDispose](),
  };
}

function environment(
  { dialect, user, database }: FunctionHome,
  { host, port, certPath, tls }: Place,
): Readonly<Record<string, string>> {
  return {
    REGION,
    DB_DIALECT: dialect,
    DB_PROXY_ENDPOINT: host,
    DB_PROXY_PORT: String(port),
    DB_USERNAME: user,
    DB_NAME: database,
    ...(tls === undefined ? {} : { DB_TLS: tls }),
    DB_PATIENCE_MS: String(PATIENCE_MS),
    PAYMENT_MS: String(BUSINESS_LOGIC_MS),
    ...(certPath === undefined ? {} : { NODE_EXTRA_CA_CERTS: certPath }),
    // Nobody else's keys.
    AWS_EC2_METADATA_DISABLED: 'true',
  };
}

/** What went wrong is not in the answer, but in the function's log. */
function expectStatus(wanted: number, { statusCode, body, log }: FunctionAnswer): void {
  if (statusCode === wanted) return;
  const told = logLine.safeParse(parse(log[0] ?? ''));
  throw new Error(told.success ? told.data.message : `${statusCode} ${body}`);
}

const logLine = z.object({ message: z.string() });

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
