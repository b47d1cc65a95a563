import type { Call } from '../service.ts';
import type { ApiError } from '../api-error.ts';
import type { StoredEndpoint, StoredProxy } from '../../state/rds-types.ts';
import { endpointNotFound, groupNotFound, invalidProxyState, proxyNotFound } from './faults.ts';
import type { RdsParts } from './parts.ts';
import { authorize } from './parts.ts';

// Who may not see a proxy does not learn whether there is one: permission comes first, for all proxies where there is none of the name.

/** Throws AccessDenied, DBProxyNotFoundFault. */
export function findProxy(
  parts: RdsParts,
  call: Call,
  operation: string,
  name: string,
): StoredProxy {
  const proxy = parts.proxies.find(name);
  authorize(parts, call, operation, 'proxy', proxy?.id);
  if (proxy === undefined) throw proxyNotFound(name);
  return proxy;
}

/** The proxy of a target group. Throws AccessDenied, DBProxyNotFoundFault, DBProxyTargetGroupNotFoundFault. */
export function findGroup(
  parts: RdsParts,
  call: Call,
  operation: string,
  { DBProxyName: name, TargetGroupName: group = 'default' }: GroupInput,
): StoredProxy {
  const proxy = parts.proxies.find(name);
  authorize(parts, call, operation, 'group', proxy?.group.id);
  if (proxy === undefined) throw proxyNotFound(name);
  if (group !== 'default') throw groupNotFound(group);
  return proxy;
}

export interface GroupInput {
  readonly DBProxyName: string;
  readonly TargetGroupName?: string | undefined;
}

/** Throws AccessDenied, DBProxyEndpointNotFoundFault. */
export function findEndpoint(
  parts: RdsParts,
  call: Call,
  operation: string,
  name: string,
): StoredEndpoint {
  const endpoint = parts.proxies.findEndpoint(name);
  authorize(parts, call, operation, 'endpoint', endpoint?.id);
  if (endpoint === undefined) throw endpointNotFound(name);
  return endpoint;
}

/** Throws InvalidDBProxyStateFault for a proxy that the settings file declares, and for one that is being deleted. */
export function mustBeAlterable(proxy: StoredProxy): void {
  if (proxy.origin === 'declared') throw declaredInFile(proxy);
  // CloudFormation looks for the word DELETING.
  if (proxy.phase === 'deleting')
    throw invalidProxyState(
      `DB Proxy ${proxy.name} is in an unsupported state - DELETING, needs to be in [AVAILABLE, MODIFYING, CREATING]`,
    );
}

function declaredInFile({ name }: StoredProxy): ApiError {
  return invalidProxyState(
    `The DB proxy ${name} is declared in the settings file of Sluice: change it there, and reload.`,
  );
}
