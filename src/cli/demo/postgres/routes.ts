import { Signer } from '@aws-sdk/rds-signer';
import type { Clock } from '../../../base/clock.ts';
import { SecretText } from '../../../base/secret-text.ts';
import { BUSINESS_LOGIC_MS } from '../burst.ts';
import type { ProxyAddress, Passwords, Route, RouteName } from '../database.ts';
import { DATABASE, PASSWORD_USER, PRODUCTS, TOKEN_USER } from '../database.ts';
import { pause } from '../pause.ts';
import { LISTEN_HOST, REGION } from '../proxy.ts';
import type { Login } from './connection.ts';
import { Connection } from './connection.ts';

type User = keyof Passwords;

/** Straight at the database, with passwords. */
export function directRoute(
  address: Pick<Login, 'host' | 'port' | 'certPem'>,
  passwords: Passwords,
  clock: Clock,
): Route {
  return route('direct', clock, async (user) => ({
    ...address,
    database: DATABASE,
    user,
    password: passwords[user],
  }));
}

/** Through the proxy, half with passwords and half with IAM tokens. */
export function proxiedRoute(proxy: ProxyAddress, passwords: Passwords, clock: Clock): Route {
  const { port, certPem } = proxy;
  return route('proxied', clock, async (user) => {
    const password = user === TOKEN_USER ? await newToken(proxy) : passwords[user];
    return { host: LISTEN_HOST, port, database: DATABASE, user, password, certPem };
  });
}

function route(name: RouteName, clock: Clock, login: (user: User) => Promise<Login>): Route {
  return {
    name,
    invoke: async (invocation) => {
      const user = invocation % 2 === 0 ? PASSWORD_USER : TOKEN_USER;
      await handle(name, invocation, { login: await login(user), clock });
    },
    ended: new Promise(() => {}),
    [Symbol.asyncDispose]: async () => {},
  };
}

/** What functions do that know nothing of pools: connect, read, think while the connection waits, write, close. */
async function handle(
  route: RouteName,
  invocation: number,
  { login, clock }: { readonly login: Login; readonly clock: Clock },
): Promise<void> {
  await using connection = await Connection.open(login);
  const { sql } = connection;
  const product = 1 + (invocation % PRODUCTS);
  await sql`SELECT cents FROM products WHERE id = ${product}`;
  await pause(clock, BUSINESS_LOGIC_MS);
  await sql.begin(async (transaction) => {
    await transaction`
      INSERT INTO orders (route, invocation, cents)
      SELECT ${route}, ${invocation}, cents FROM products WHERE id = ${product}`;
  });
}

/** As a function does it that runs at AWS. */
async function newToken({ port, accessKey }: ProxyAddress): Promise<SecretText> {
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
