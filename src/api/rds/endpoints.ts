import { z } from 'zod';
import { members } from '../fields.ts';
import type { Call, Operation } from '../service.ts';
import { operation } from '../service.ts';
import type { StoredEndpoint, StoredProxy } from '../../state/rds-types.ts';
import {
  complain,
  endpointAlreadyExists,
  endpointNotFound,
  endpointQuotaExceeded,
  invalidEndpointState,
  invalidProxyState,
  invalidValue,
} from './faults.ts';
import { findEndpoint, findProxy, mustBeAlterable } from './find.ts';
import type { CreateEndpointInput } from './inputs.ts';
import { createEndpointInput, identifier, ids, reference } from './inputs.ts';
import { pageFields, pageOf } from './paging.ts';
import type { RdsParts } from './parts.ts';
import { authorize, defaultQuotas } from './parts.ts';
import { choosePort } from './ports.ts';
import { subnetsOf } from './proxies.ts';
import { endpointShape } from './shapes.ts';
import { readTags } from './tags.ts';

/** Metrics and logs call the endpoint that comes with the proxy so. */
const DEFAULT = 'default';

const describeInput = z.object({
  DBProxyName: reference.optional(),
  DBProxyEndpointName: reference.optional(),
  ...pageFields,
});

/**
 * CreateDBProxyEndpoint, ModifyDBProxyEndpoint, DeleteDBProxyEndpoint, DescribeDBProxyEndpoints. As in AWS's examples, the endpoint that
 * comes with the proxy is not among them.
 */
export function endpointOperations(parts: RdsParts): Readonly<Record<string, Operation>> {
  const { proxies } = parts;
  return {
    CreateDBProxyEndpoint: operation(
      createEndpointInput,
      (input, call) => create(parts, input, call),
      complain,
    ),

    ModifyDBProxyEndpoint: operation(
      z.object({
        DBProxyEndpointName: reference,
        NewDBProxyEndpointName: identifier.optional(),
        VpcSecurityGroupIds: ids,
      }),
      (input, call) => {
        const before = findEndpoint(
          parts,
          call,
          'ModifyDBProxyEndpoint',
          input.DBProxyEndpointName,
        );
        const proxy = mustBeAlterableEndpoint(parts, before);
        const name = input.NewDBProxyEndpointName;
        const other = name === undefined ? undefined : proxies.findEndpoint(name);
        if (other !== undefined && other.id !== before.id) throw endpointAlreadyExists();
        if (name !== undefined) mustNotBeDefault(name);
        const changes = { name, securityGroupIds: input.VpcSecurityGroupIds };
        const after = proxies.modifyEndpoint(proxy, before, changes);
        const status = before.phase === 'creating' ? 'creating' : 'modifying';
        return { DBProxyEndpoint: endpointShape(parts, after, status) };
      },
      complain,
    ),

    DeleteDBProxyEndpoint: operation(
      z.object({ DBProxyEndpointName: reference }),
      ({ DBProxyEndpointName: name }, call) => {
        const endpoint = findEndpoint(parts, call, 'DeleteDBProxyEndpoint', name);
        mustBeAlterableEndpoint(parts, endpoint);
        return { DBProxyEndpoint: endpointShape(parts, proxies.startDeletingEndpoint(endpoint)) };
      },
      complain,
    ),

    DescribeDBProxyEndpoints: operation(
      describeInput,
      (input, call) => {
        mayDescribe(parts, input, call);
        proxies.settle(parts.dataPlane);
        const { items, marker } = pageOf(find(parts, input, call), (one) => one.name, input);
        return {
          DBProxyEndpoints: members(items.map((one) => endpointShape(parts, one))),
          Marker: marker,
        };
      },
      complain,
    ),
  };
}

type DescribeInput = z.output<typeof describeInput>;

/** Throws AccessDenied, and where there is no such proxy or endpoint. Returns the proxy that is asked for. */
function mayDescribe(parts: RdsParts, input: DescribeInput, call: Call): StoredProxy | undefined {
  const { DBProxyName: proxyName, DBProxyEndpointName: name } = input;
  const proxy =
    proxyName === undefined
      ? undefined
      : findProxy(parts, call, 'DescribeDBProxyEndpoints', proxyName);
  if (name !== undefined) findEndpoint(parts, call, 'DescribeDBProxyEndpoints', name);
  if (name === undefined && proxyName === undefined)
    authorize(parts, call, 'DescribeDBProxyEndpoints', 'endpoint');
  return proxy;
}

function find(parts: RdsParts, input: DescribeInput, call: Call): readonly StoredEndpoint[] {
  const proxy = mayDescribe(parts, input, call);
  const { DBProxyEndpointName: name } = input;
  const found = parts.proxies
    .listEndpoints()
    .filter(({ proxyId }) => proxy === undefined || proxyId === proxy.id)
    .filter((one) => name === undefined || one.name.toLowerCase() === name.toLowerCase());
  if (name !== undefined && found.length === 0) throw endpointNotFound(name);
  return found;
}

function create(parts: RdsParts, input: CreateEndpointInput, call: Call) {
  const { proxies, ports, quotas } = parts;
  const proxy = findProxy(parts, call, 'CreateDBProxyEndpoint', input.DBProxyName);
  authorize(parts, call, 'CreateDBProxyEndpoint', 'endpoint');
  mustBeAlterable(proxy);
  const name = input.DBProxyEndpointName;
  mustNotBeDefault(name);
  const subnetIds = subnetsOf(input.VpcSubnetIds);
  const tags = readTags(input.Tags ?? []);
  const role = input.TargetRole ?? 'READ_WRITE';
  if (role === 'READ_ONLY') mustHaveReaders(parts, proxy);
  return proxies.write(() => {
    if (proxies.findEndpoint(name) !== undefined) throw endpointAlreadyExists();
    const most = quotas?.endpoints ?? defaultQuotas.endpoints;
    if (proxy.endpoints.length >= most)
      throw endpointQuotaExceeded(
        `The DB proxy already has the maximum number of endpoints, ${most}: delete one that is no longer needed.`,
      );
    const port = choosePort(ports, proxies.takenPorts(), undefined);
    if (port === undefined && role === 'READ_ONLY')
      throw endpointQuotaExceeded(
        `All ports from ${ports.from} to ${ports.to} have a proxy or an endpoint: give Sluice a wider range, or delete an endpoint.`,
      );
    const endpoint = proxies.createEndpoint(proxy, {
      name,
      role,
      subnetIds,
      securityGroupIds: input.VpcSecurityGroupIds ?? [],
      networkType: input.EndpointNetworkType ?? 'IPV4',
      // Clients of databases do not say which host they want: only another port can lead elsewhere.
      listenPort: role === 'READ_ONLY' ? port : undefined,
    });
    proxies.tags.add(proxies.arn('endpoint', endpoint.id), tags);
    return { DBProxyEndpoint: endpointShape(parts, endpoint, 'creating') };
  });
}

/** Where there is no target yet, nothing speaks against it. Throws InvalidParameterValue, InvalidDBProxyStateFault. */
function mustHaveReaders({ proxies }: RdsParts, { name, engineFamily, group }: StoredProxy): void {
  if (engineFamily === 'SQLSERVER')
    throw invalidValue('TargetRole READ_ONLY is not supported for the engine family SQLSERVER.');
  const { target } = group;
  if (target === undefined) return;
  const members =
    target.kind === 'cluster' ? proxies.databases.findCluster(target.identifier)?.members : [];
  if (members?.some(({ role }) => role === 'reader') !== true)
    throw invalidProxyState(
      `The target of the DB proxy ${name}, ${target.identifier}, has no readers, which an endpoint with TargetRole READ_ONLY needs.`,
    );
}

/** The proxy that it belongs to. Throws InvalidDBProxyEndpointStateFault, InvalidDBProxyStateFault. */
function mustBeAlterableEndpoint(
  parts: RdsParts,
  { name, proxyId, phase }: StoredEndpoint,
): StoredProxy {
  if (phase === 'deleting') throw invalidEndpointState(name);
  const proxy = parts.proxies.findById(proxyId);
  if (proxy === undefined) throw endpointNotFound(name);
  mustBeAlterable(proxy);
  return proxy;
}

function mustNotBeDefault(name: string): void {
  if (name.toLowerCase() === DEFAULT)
    throw invalidValue(
      `The endpoint that comes with the proxy is called ${DEFAULT}: give this one another name.`,
    );
}
