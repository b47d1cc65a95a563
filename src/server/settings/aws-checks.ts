import type { Problems } from './problems.ts';
import type { DatabaseInput, ProxyInput } from './schema.ts';
import type { Parts, Placed } from './shape.ts';

const NEEDS_AWS = 'needs `aws` in the settings, which may be empty: `aws: {}`';

/** What has to do with AWS, and what does not go with that. */
export function checkAws(parts: Parts, problems: Problems): void {
  for (const { at, item } of parts.secrets)
    if (item.awsSecret !== undefined && !parts.hasAws)
      problems.add([...at, 'awsSecret'], NEEDS_AWS);
  for (const database of parts.databases) checkAddress(database, parts, problems);
  for (const proxy of parts.proxies)
    if (proxy.item.defaultAuthScheme === 'IAM_AUTH') checkTokens(proxy, parts, problems);
}

function checkAddress(
  { at, item: { host, awsInstance, awsCluster, port } }: Placed<DatabaseInput>,
  { hasAws }: Parts,
  problems: Problems,
): void {
  const given = [host, awsInstance, awsCluster].filter((one) => one !== undefined);
  if (given.length === 0)
    problems.add(
      [...at, 'host'],
      'is missing; give a host name or an IP address, without brackets and without a port',
    );
  if (given.length > 1) problems.add(at, 'give either `host`, `awsInstance` or `awsCluster`');
  if (given.length !== 1 || host !== undefined) return;
  const key = awsInstance === undefined ? 'awsCluster' : 'awsInstance';
  if (!hasAws) problems.add([...at, key], NEEDS_AWS);
  if (port !== undefined) problems.add([...at, 'port'], 'is told by AWS; leave it out');
}

function checkTokens(
  { at, item: { auth, target } }: Placed<ProxyInput>,
  { aws, hasAws, databases }: Parts,
  problems: Problems,
): void {
  const path = [...at, 'defaultAuthScheme'];
  if (!hasAws) problems.add(path, NEEDS_AWS);
  if (aws !== undefined && auth.length === 0 && aws.watchUser === undefined)
    problems.add(
      path,
      'needs `aws.watchUser` where `auth` is empty: the proxy watches its target as somebody',
    );
  const database = databases.find(({ item }) => item.identifier === target);
  if (database?.item.tls === 'disable')
    problems.add(
      path,
      'needs TLS to the database, since tokens are sent as they are; set its `tls` to require or more',
    );
}
