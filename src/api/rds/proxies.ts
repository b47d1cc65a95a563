import { z } from 'zod';
import { members } from '../fields.ts';
import type { Call, Operation } from '../service.ts';
import { operation } from '../service.ts';
import type { ProxySettings, StoredProxy } from '../../state/rds-types.ts';
import { withDebugLogging } from '../../state/rds-debug-logging.ts';
import { defaultPort } from '../../state/rds-types.ts';
import { readAuth, checkSettings } from './auth.ts';
import {
  complain,
  invalidSubnet,
  invalidValue,
  proxyAlreadyExists,
  proxyQuotaExceeded,
} from './faults.ts';
import { findProxy, mustBeAlterable } from './find.ts';
import type { CreateProxyInput, ModifyProxyInput } from './inputs.ts';
import { createProxyInput, modifyProxyInput, reference } from './inputs.ts';
import { pageFields, pageOf } from './paging.ts';
import type { RdsParts } from './parts.ts';
import { authorize, defaultQuotas } from './parts.ts';
import { choosePort } from './ports.ts';
import { proxyShape, statusOf } from './shapes.ts';
import { readTags } from './tags.ts';

const FEWEST_SUBNETS = 2;
const IDLE_CLIENT_TIMEOUT_S = 1800;

/** CreateDBProxy, ModifyDBProxy, DeleteDBProxy, DescribeDBProxies. */
export function proxyOperations(parts: RdsParts): Readonly<Record<string, Operation>> {
  const { proxies } = parts;
  return {
    CreateDBProxy: operation(
      createProxyInput,
      (input, call) => create(parts, input, call),
      complain,
    ),
    ModifyDBProxy: operation(
      modifyProxyInput,
      (input, call) => modify(parts, input, call),
      complain,
    ),

    DeleteDBProxy: operation(
      z.object({ DBProxyName: reference }),
      ({ DBProxyName: name }, call) => {
        const proxy = findProxy(parts, call, 'DeleteDBProxy', name);
        mustBeAlterable(proxy);
        return { DBProxy: proxyShape(parts, proxies.startDeleting(proxy.id)) };
      },
      complain,
    ),

    DescribeDBProxies: operation(
      z.object({ DBProxyName: reference.optional(), ...pageFields }),
      ({ DBProxyName: name, ...page }, call) => {
        if (name === undefined) authorize(parts, call, 'DescribeDBProxies', 'proxy');
        else findProxy(parts, call, 'DescribeDBProxies', name);
        proxies.settle(parts.dataPlane);
        const found =
          name === undefined
            ? proxies.listAll()
            : // Once more: it may just have gone.
              [findProxy(parts, call, 'DescribeDBProxies', name)];
        const { items, marker } = pageOf(found, (proxy) => proxy.name, page);
        return {
          DBProxies: members(items.map((proxy) => proxyShape(parts, proxy))),
          Marker: marker,
        };
      },
      complain,
    ),
  };
}

function create(parts: RdsParts, input: CreateProxyInput, call: Call) {
  const { proxies, ports, quotas } = parts;
  authorize(parts, call, 'CreateDBProxy', 'proxy');
  mayPass(parts, call, input.RoleArn);
  const given: ProxySettings = {
    engineFamily: input.EngineFamily,
    roleArn: input.RoleArn,
    auth: readAuth(input.Auth ?? []),
    defaultAuthScheme: input.DefaultAuthScheme ?? 'NONE',
    requireTls: input.RequireTLS ?? false,
    idleClientTimeoutS: input.IdleClientTimeout ?? IDLE_CLIENT_TIMEOUT_S,
    debugLogging: false,
    subnetIds: subnetsOf(input.VpcSubnetIds),
    securityGroupIds: input.VpcSecurityGroupIds ?? [],
    endpointNetworkType: input.EndpointNetworkType ?? 'IPV4',
    targetConnectionNetworkType: input.TargetConnectionNetworkType ?? 'IPV4',
  };
  const settings = withDebugLogging(given, input.DebugLogging ?? false, proxies.nowMs());
  checkSettings(settings);
  const tags = readTags(input.Tags ?? []);
  return proxies.write(() => {
    if (proxies.find(input.DBProxyName) !== undefined) throw proxyAlreadyExists();
    const most = quotas?.proxies ?? defaultQuotas.proxies;
    if (proxies.listAll().filter(({ origin }) => origin === 'api').length >= most)
      throw proxyQuotaExceeded(
        `Your account already has the maximum number of proxies, ${most}: delete one that is no longer needed.`,
      );
    const port = choosePort(ports, proxies.takenPorts(), defaultPort[input.EngineFamily]);
    if (port === undefined)
      // AWS has no such limit; of the codes that this operation has, its clients understand this one best.
      throw proxyQuotaExceeded(
        `All ports from ${ports.from} to ${ports.to} have a proxy or an endpoint: give Sluice a wider range, or delete a proxy.`,
      );
    const proxy = proxies.create({
      name: input.DBProxyName,
      settings,
      pool: {},
      target: undefined,
      listenHost: ports.host,
      listenPort: port,
      origin: 'api',
    });
    proxies.tags.add(proxies.arn('proxy', proxy.id), tags);
    return { DBProxy: proxyShape(parts, proxy, 'creating') };
  });
}

function modify(parts: RdsParts, input: ModifyProxyInput, call: Call) {
  const { proxies, dataPlane } = parts;
  const before = findProxy(parts, call, 'ModifyDBProxy', input.DBProxyName);
  if (input.RoleArn !== undefined) mayPass(parts, call, input.RoleArn);
  mustBeAlterable(before);
  const isDebugging = input.DebugLogging ?? before.debugLogging;
  const settings: ProxySettings = {
    ...withDebugLogging(before, isDebugging, proxies.nowMs()),
    roleArn: input.RoleArn ?? before.roleArn,
    auth: input.Auth === undefined ? before.auth : readAuth(input.Auth),
    defaultAuthScheme: input.DefaultAuthScheme ?? before.defaultAuthScheme,
    requireTls: input.RequireTLS ?? before.requireTls,
    idleClientTimeoutS: input.IdleClientTimeout ?? before.idleClientTimeoutS,
    securityGroupIds: input.SecurityGroups ?? before.securityGroupIds,
  };
  checkSettings(settings);
  const name = input.NewDBProxyName;
  return proxies.write(() => {
    const other = name === undefined ? undefined : proxies.find(name);
    if (other !== undefined && other.id !== before.id) throw proxyAlreadyExists();
    const proxy = proxies.modify(before.id, { name, settings });
    return { DBProxy: proxyShape(parts, proxy, statusWhileModifying(before, proxy, dataPlane)) };
  });
}

/** AWS always says `modifying`, however quick it is, and tools wait for what comes behind it. */
function statusWhileModifying(
  before: StoredProxy,
  proxy: StoredProxy,
  dataPlane: RdsParts['dataPlane'],
) {
  const was = statusOf(before, dataPlane);
  return was === 'creating' || was === 'reactivating' ? statusOf(proxy, dataPlane) : 'modifying';
}

/** Throws AccessDenied, InvalidParameterValue. */
function mayPass({ roleExists }: RdsParts, call: Call, roleArn: string): void {
  call.authorize('iam:PassRole', roleArn);
  if (roleExists?.(roleArn) === false)
    throw invalidValue(
      `IAM role ARN value is invalid or there is no such role: create ${roleArn} first, or name another one in RoleArn.`,
    );
}

/** Throws InvalidSubnet. */
export function subnetsOf(ids: readonly string[]): string[] {
  const different = [...new Set(ids)];
  if (different.length < FEWEST_SUBNETS)
    throw invalidSubnet(
      `Give at least ${FEWEST_SUBNETS} subnets in VpcSubnetIds, as in AWS, where they must be in different Availability Zones. Sluice tells them back and does not use them.`,
    );
  return different;
}
