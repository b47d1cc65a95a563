import { allowedConnections } from '../core/budget.ts';
import type { Address } from '../core/network.ts';
import { adminTrouble } from '../server/admin.ts';
import { plansOf, tlsTrouble } from '../server/plans.ts';
import { probe } from '../server/probe.ts';
import { loadSettings } from '../server/settings/load.ts';
import type { AuthSettings, ProxySettings, Settings } from '../server/settings/settings.ts';
import type { Command, Given } from './command.ts';
import type { Io } from './io.ts';
import { configFlag, settingsPath } from './serve.ts';
import { table } from './table.ts';

/** Wider tables are harder to read, also on a wide terminal. */
const WIDEST = 100;

export const checkCommand: Command = {
  summary: 'Say what the settings mean and what is wrong with them, and sign in to each database.',
  flags: [configFlag, { name: 'offline', what: 'Do not connect to the databases.' }],
  run: check,
};

async function check(given: Given, io: Io): Promise<number> {
  const settings = loadSettings(settingsPath(given), io.env);
  const columns = Math.min(io.columns, WIDEST);
  for (const warning of settings.warnings) io.err(`warning: ${warning}`);
  io.out(explain(settings, columns));
  const trouble = [
    ...(await tlsTrouble(plansOf(settings))),
    ...(await adminTrouble(settings.admin)),
  ];
  for (const problem of trouble) io.err(problem);
  if (given.has('offline')) return trouble.length === 0 ? 0 : 1;
  const results = await probe(settings);
  const rows = results.map(({ database, secret, ok, detail }) => [
    database,
    secret,
    ok ? 'ok' : 'FAILED',
    detail,
  ]);
  io.out(`\n${table([['DATABASE', 'SECRET', 'SIGN-IN', 'ANSWER'], ...rows], columns)}`);
  return trouble.length === 0 && results.every(({ ok }) => ok) ? 0 : 1;
}

/** What the settings mean, in tables. */
export function explain(settings: Settings, columns: number): string {
  const { proxies, databases } = settings;
  const parts = [
    [
      ['PROXY', 'ENDPOINT', 'CLIENT TLS', 'RESOURCE ID', 'TARGET', 'CONNECTIONS'],
      ...proxies.map((proxy) => [
        proxy.name,
        endpoints(proxy),
        proxy.requireTls ? 'required' : 'offered',
        proxy.id,
        proxy.target,
        poolSize(proxy, settings),
      ]),
    ],
    ...moreEndpoints(settings),
    [
      ['PROXY', 'USER', 'SECRET', 'SIGNS IN WITH'],
      ...proxies.flatMap((proxy) => users(proxy, settings)),
    ],
    [
      ['DATABASE', 'ADDRESS', 'TLS', 'WATCHED THROUGH'],
      ...databases.map((one) => [
        one.identifier,
        one.aws === undefined ? shownAddress(one) : `${one.aws.kind} ${one.aws.identifier} at AWS`,
        one.tlsMode,
        one.database ?? 'no database',
      ]),
    ],
  ];
  return parts.map((rows) => table(rows, columns)).join('\n\n');
}

/** Those that do not come with a proxy; no table where there are none. */
function moreEndpoints({ proxies }: Settings): readonly (readonly (readonly string[])[])[] {
  const rows = proxies.flatMap((proxy) =>
    proxy.endpoints.map((endpoint) => [
      proxy.name,
      endpoint.name,
      endpoints({ ...endpoint, proxyProtocol: proxy.proxyProtocol }),
      endpoint.role === 'READ_ONLY' ? proxy.readers.join(', ') : proxy.target,
    ]),
  );
  return rows.length === 0 ? [] : [[['PROXY', 'ENDPOINT', 'ADDRESS', 'LEADS TO'], ...rows]];
}

function users(proxy: ProxySettings, settings: Settings): readonly (readonly string[])[] {
  const { name, auth, defaultAuthScheme } = proxy;
  const named = auth.map((one) => [name, userOf(one, settings), one.secret, method(one)]);
  return defaultAuthScheme === 'NONE'
    ? named
    : named.concat([[name, 'all others', 'none: IAM tokens', 'IAM token']]);
}

/** The names that clients use, with the port, and what must come ahead of them there. */
function endpoints({
  listen,
  hostnames,
  proxyProtocol,
}: Pick<ProxySettings, 'listen' | 'hostnames' | 'proxyProtocol'>): string {
  const names = hostnames.map((host) => shownAddress({ host, port: listen.port }));
  const ahead = proxyProtocol === 'disabled' ? [] : [`(PROXY header ${proxyProtocol})`];
  return [...names, ...ahead].join(' ');
}

function shownAddress({ host, port }: Address): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

function poolSize({ pool, target }: ProxySettings, { databases }: Settings): string {
  const { maxConnectionsPercent: max, maxIdleConnectionsPercent: idle } = pool;
  const granted = databases.find(({ identifier }) => identifier === target)?.maxConnections;
  const count = granted === undefined ? '' : ` (${allowedConnections(granted, max)} of ${granted})`;
  return `${max} %${count}, idle ${idle} %`;
}

function userOf({ secret }: AuthSettings, { secrets }: Settings): string {
  return secrets.find(({ name }) => name === secret)?.value.username ?? '';
}

const methods = {
  POSTGRES_SCRAM_SHA_256: 'SCRAM-SHA-256',
  POSTGRES_MD5: 'MD5',
  MYSQL_NATIVE_PASSWORD: 'mysql_native_password',
  MYSQL_CACHING_SHA2_PASSWORD: 'caching_sha2_password',
  MARIADB_ED25519: 'client_ed25519',
  SQL_SERVER_AUTHENTICATION: 'SQL Server authentication',
} as const satisfies Record<AuthSettings['clientPasswordAuthType'], string>;

function method({ iamAuth, clientPasswordAuthType }: AuthSettings): string {
  if (iamAuth === 'REQUIRED') return 'IAM token';
  const password = `password (${methods[clientPasswordAuthType]})`;
  return iamAuth === 'ENABLED' ? `IAM token or ${password}` : password;
}
