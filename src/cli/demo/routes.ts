import { Signer } from '@aws-sdk/rds-signer';
import { SecretText } from '../../base/secret-text.ts';
import type { Login } from './connection.ts';
import type { DemoDatabase } from './database.ts';
import { DATABASE, PASSWORD_USER, TOKEN_USER } from './database.ts';
import type { DemoProxy } from './proxy.ts';
import { LISTEN_HOST, REGION } from './proxy.ts';

/** The ways that invocations take to the database. */
export const routes = ['direct', 'proxied'] as const;
export type RouteName = (typeof routes)[number];

export interface Route {
  readonly name: RouteName;
  /** How the invocation of this number signs in. */
  login(invocation: number): Promise<Login>;
}

/** Straight at the database, with passwords. */
export function directRoute({ server: { host, port }, passwords, certPem }: DemoDatabase): Route {
  return {
    name: 'direct',
    login: async (invocation) => {
      const user = userOf(invocation);
      return { host, port, database: DATABASE, user, password: passwords[user], certPem };
    },
  };
}

/** Through the proxy, half with passwords and half with IAM tokens. */
export function proxiedRoute(proxy: DemoProxy, { passwords }: DemoDatabase): Route {
  const { port, certPem } = proxy;
  return {
    name: 'proxied',
    login: async (invocation) => {
      const user = userOf(invocation);
      const password = user === TOKEN_USER ? await newToken(proxy) : passwords[user];
      return { host: LISTEN_HOST, port, database: DATABASE, user, password, certPem };
    },
  };
}

function userOf(invocation: number): typeof PASSWORD_USER | typeof TOKEN_USER {
  return invocation % 2 === 0 ? PASSWORD_USER : TOKEN_USER;
}

/** As a function does it that runs at AWS. */
async function newToken({ port, accessKey }: DemoProxy): Promise<SecretText> {
  const { accessKeyId, secretAccessKey } = accessKey;
  const signer = new Signer({
    hostname: LISTEN_HOST,
    port,
    region: REGION,
    username: TOKEN_USER,
    credentials: { accessKeyId, secretAccessKey: secretAccessKey.reveal() },
  });
  return new SecretText(await signer.getAuthToken());
}
