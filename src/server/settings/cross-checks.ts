import type { Address } from '../../core/network.ts';
import type { DeclaredSecret } from '../../secrets/declared.ts';
import { poolOf } from '../../state/rds-types.ts';
import { checkClusters, checkEndpoints } from './cluster-checks.ts';
import { targetIn } from './normalise.ts';
import type { Path, Problems } from './problems.ts';
import { engines, passwordAuthTypes } from './engines.ts';
import type { ProxyInput, SettingsInput } from './schema.ts';
import type { Parts, Placed } from './shape.ts';
import { didYouMean } from './suggest.ts';

/** What no item can tell by itself: names given twice, references to nothing, addresses that clash. */
export function crossCheck(
  parts: Parts,
  secrets: readonly DeclaredSecret[],
  problems: Problems,
): void {
  refuseDuplicates(parts.secrets, 'name', ({ name }) => name, problems);
  refuseDuplicates(
    parts.databases,
    'identifier',
    ({ identifier }) => identifier.toLowerCase(),
    problems,
  );
  refuseDuplicates(parts.proxies, 'name', ({ name }) => name.toLowerCase(), problems);
  refuseDuplicates(parts.principals, 'accessKeyId', ({ accessKeyId }) => accessKeyId, problems);
  checkClusters(parts, problems);
  checkEndpoints(parts, problems);
  refuseClashes(parts, problems);
  const values = new Map(secrets.map((secret) => [secret.name, secret]));
  for (const proxy of parts.proxies) {
    checkTarget(proxy, parts, problems);
    checkAuth(proxy, parts, values, problems);
    checkProxyProtocol(proxy, problems);
    checkFamily(proxy, problems);
    const { engineFamily, pool } = proxy.item;
    const { maxIdleConnectionsPercent: idle } = pool;
    const { maxConnectionsPercent: max } = poolOf(engineFamily, pool);
    if (idle !== undefined && idle > max)
      problems.add(
        [...proxy.at, 'pool', 'maxIdleConnectionsPercent'],
        `must be at most maxConnectionsPercent (${max})`,
      );
  }
  for (const { at, item } of parts.databases) {
    if ((item.tlsCertFile === undefined) !== (item.tlsKeyFile === undefined)) {
      const given = item.tlsCertFile === undefined ? 'tlsKeyFile' : 'tlsCertFile';
      problems.add([...at, given], 'tlsCertFile and tlsKeyFile belong together; give both');
    }
    if (item.channelBinding !== undefined && item.engine !== 'postgres')
      problems.add([...at, 'channelBinding'], 'is for postgres only; leave it out');
    if (item.tlsFirst && item.engine !== 'sqlserver')
      problems.add([...at, 'tlsFirst'], 'is for sqlserver only; leave it out');
    if (item.tlsFirst && item.tls === 'disable')
      problems.add([...at, 'tlsFirst'], 'needs TLS; set tls to more than disable');
    if (item.channelBinding === 'require' && item.tls === 'disable')
      problems.add([...at, 'channelBinding'], 'require needs TLS; set tls to more than disable');
  }
}

/** Several processes cannot each be given a port by the system: it would be another for each. */
export function checkWorkers({ workers, proxies }: SettingsInput, problems: Problems): void {
  if (workers === 1) return;
  const refuse = (path: Path): void =>
    problems.add(path, 'port 0 needs `workers: 1`; choose a port');
  for (const [index, { listen, endpoints }] of proxies.entries()) {
    if (listen.port === 0) refuse(['proxies', index, 'listen']);
    for (const [at, endpoint] of endpoints.entries())
      if (endpoint.listen.port === 0) refuse(['proxies', index, 'endpoints', at, 'listen']);
  }
}

/** Without the API only the settings can say what there is. */
export function checkApi(
  { proxies, admin, aws }: SettingsInput,
  hasApi: boolean,
  problems: Problems,
): void {
  if (hasApi) {
    if (admin.listen === undefined)
      problems.add(['admin', 'listen'], 'is missing; `--data-dir` needs an address for the API');
    return;
  }
  if (proxies.length === 0)
    problems.add(
      ['proxies'],
      'is empty; give a proxy, or start with `--data-dir`, so that the API can make some',
    );
  proxies.forEach(({ auth }, index) =>
    auth.forEach(({ secret }, at) => {
      if (secret.startsWith('arn:') && aws === undefined)
        problems.add(
          ['proxies', index, 'auth', at, 'secret'],
          'is kept by the API, which needs `--data-dir`, or by AWS, which needs `aws`; give one, or the name of a secret',
        );
    }),
  );
}

function refuseDuplicates<Item>(
  items: readonly Placed<Item>[],
  key: string,
  idOf: (item: Item) => string,
  problems: Problems,
): void {
  const seen = new Set<string>();
  for (const { at, item } of items) {
    const id = idOf(item);
    if (seen.has(id)) problems.add([...at, key], 'is given twice; each needs its own');
    seen.add(id);
  }
}

function checkTarget({ at, item }: Placed<ProxyInput>, parts: Parts, problems: Problems): void {
  const path = [...at, 'target'];
  const { databases, clusters } = parts.names;
  if (!databases.has(item.target) && !clusters.has(item.target)) {
    const known = new Set([...databases, ...clusters]);
    problems.add(path, `no database has this identifier${hint(item.target, known)}`);
    return;
  }
  const target = targetIn(
    parts.databases.map((database) => database.item),
    item.target,
  );
  if (target !== undefined && engines[target.writer.engine].family !== item.engineFamily)
    problems.add(path, `the engine of this database does not belong to ${item.engineFamily}`);
}

function checkAuth(
  { at, item }: Placed<ProxyInput>,
  parts: Parts,
  values: ReadonlyMap<string, DeclaredSecret>,
  problems: Problems,
): void {
  const users = new Set<string>();
  if (item.auth.length === 0 && item.defaultAuthScheme === 'NONE')
    problems.add([...at, 'auth'], 'must be a list of 1 to 200 items');
  item.auth.forEach(({ secret }, index) => {
    const path = [...at, 'auth', index, 'secret'];
    if (secret.startsWith('arn:')) {
      if (item.roleArn === undefined && !parts.hasAws)
        problems.add(path, 'needs `roleArn`: a secret that the API keeps is read as a role');
      return;
    }
    if (!parts.names.secrets.has(secret))
      problems.add(path, `no secret has this name${hint(secret, parts.names.secrets)}`);
    const user = values.get(secret)?.value.username;
    if (user === undefined) return;
    // The sentence is RDS Proxy's own.
    if (users.has(user)) {
      const sentence = `The database user "${user}" was found in multiple DB proxy authentication entries`;
      problems.add(path, `${sentence}; keep one of them`);
    }
    users.add(user);
  });
}

/** What one protocol has and another has not. */
function checkFamily({ at, item }: Placed<ProxyInput>, problems: Problems): void {
  const { engineFamily } = item;
  const types: readonly string[] = passwordAuthTypes[engineFamily];
  item.auth.forEach(({ clientPasswordAuthType: type }, index) => {
    if (type === undefined || types.includes(type)) return;
    const path = [...at, 'auth', index, 'clientPasswordAuthType'];
    problems.add(path, `does not fit ${engineFamily}; give one of ${types.join(', ')}`);
  });
  item.auth.forEach(({ iamAuth }, index) => {
    if (iamAuth !== 'ENABLED' || engineFamily === 'SQLSERVER') return;
    const path = [...at, 'auth', index, 'iamAuth'];
    problems.add(path, 'ENABLED is for SQLSERVER only; give DISABLED or REQUIRED');
  });
  if (engineFamily !== 'MYSQL' && item.pool.sessionPinningFilters.length > 0) {
    const path = [...at, 'pool', 'sessionPinningFilters'];
    problems.add(path, 'EXCLUDE_VARIABLE_SETS is for MYSQL only; leave the list empty');
  }
  // There the server speaks first: who has no header to send would wait for it for ever.
  if (engineFamily === 'MYSQL' && item.proxyProtocol === 'optional')
    problems.add(
      [...at, 'proxyProtocol'],
      'cannot be optional at MYSQL; give disabled or required',
    );
  if (engineFamily !== 'POSTGRESQL' && item.applicationNameAddHost)
    problems.add([...at, 'applicationNameAddHost'], 'is for POSTGRESQL only; leave it out');
}

/** Without a list anybody could claim to be anybody: whoever wants that must say so. */
function checkProxyProtocol({ at, item }: Placed<ProxyInput>, problems: Problems): void {
  const { proxyProtocol, proxyProtocolNetworks } = item;
  if (proxyProtocol !== 'disabled' && proxyProtocolNetworks.length === 0)
    problems.add(
      [...at, 'proxyProtocol'],
      'needs proxyProtocolNetworks; give the addresses of the load balancers',
    );
}

/** Names are shown as they are declared, never the text that does not match one. */
function hint(word: string, known: ReadonlySet<string>): string {
  return didYouMean(word, known) || `; known are ${[...known].join(', ') || 'none'}`;
}

/** Listeners that the system would refuse. */
function refuseClashes({ proxies, admin }: Parts, problems: Problems): void {
  const listeners = proxies.flatMap(({ at, item }) => [
    { at: [...at, 'listen'], address: item.listen },
    ...item.endpoints.map(({ listen }, index) => ({
      at: [...at, 'endpoints', index, 'listen'],
      address: listen,
    })),
  ]);
  if (admin?.listen !== undefined)
    listeners.push({ at: ['admin', 'listen'], address: admin.listen });
  listeners.forEach(({ at, address }, index) => {
    if (listeners.slice(0, index).some((other) => clash(other.address, address)))
      problems.add(at, 'another listener has this address already; choose another port');
  });
}

/** Whether two listeners would be in each other's way. */
export function clash(a: Address, b: Address): boolean {
  if (a.port !== b.port || a.port === 0) return false;
  return (
    a.host.toLowerCase() === b.host.toLowerCase() ||
    covers(a.host, b.host) ||
    covers(b.host, a.host)
  );
}

/** `::` takes IPv4 connections too. */
function covers(wildcard: string, host: string): boolean {
  return wildcard === '::' || (wildcard === '0.0.0.0' && /^[\d.]+$/.test(host));
}
