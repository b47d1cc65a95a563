import { Signer } from '@aws-sdk/rds-signer';
import type { Clock } from '../../../base/clock.ts';
import { SecretText } from '../../../base/secret-text.ts';
import { BUSINESS_LOGIC_MS } from '../burst.ts';
import type { Account, Accounts, ProxyAddress, Route, RouteName } from '../database.ts';
import { DATABASE, PRODUCTS } from '../database.ts';
import { pause } from '../pause.ts';
import { LISTEN_HOST, REGION } from '../proxy.ts';
import type { Login } from './connection.ts';
import { Connection } from './connection.ts';

/** Straight at the database, with passwords. */
export function directRoute(
  address: Pick<Login, 'host' | 'port' | 'certPem'>,
  { byPassword, byToken }: Accounts,
  clock: Clock,
): Route {
  return route('direct', clock, async (invocation) => ({
    ...address,
    database: DATABASE,
    ...(invocation % 2 === 0 ? byPassword : byToken),
  }));
}

/** Through the proxy, half with passwords and half with IAM tokens. */
export function proxiedRoute(
  proxy: ProxyAddress,
  { byPassword, byToken }: Accounts,
  clock: Clock,
): Route {
  const { port, certPem } = proxy;
  return route('proxied', clock, async (invocation) => {
    const account = invocation % 2 === 0 ? byPassword : await withToken(byToken, proxy);
    return { host: LISTEN_HOST, port, database: DATABASE, ...account, certPem };
  });
}

function route(
  name: RouteName,
  clock: Clock,
  login: (invocation: number) => Promise<Login>,
): Route {
  return {
    name,
    invoke: async (invocation) => {
      await handle(name, invocation, { login: await login(invocation), clock });
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
async function withToken({ user }: Account, { port, accessKey }: ProxyAddress): Promise<Account> {
  const { accessKeyId, secretAccessKey } = accessKey;
  const signer = new Signer({
    hostname: LISTEN_HOST,
    port,
    region: REGION,
    username: user,
    credentials: { accessKeyId, secretAccessKey: secretAccessKey.reveal() },
  });
  return { user, password: new SecretText(await signer.getAuthToken()) };
}
