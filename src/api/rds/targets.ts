import { z } from 'zod';
import type { ApiError } from '../api-error.ts';
import { members } from '../fields.ts';
import type { Call, Operation } from '../service.ts';
import { operation } from '../service.ts';
import type { Health } from '../../state/rds-data-plane.ts';
import { leadsTo } from '../../state/rds-registering.ts';
import type { StoredProxy, Target } from '../../state/rds-types.ts';
import { familyOf } from '../../state/rds-types.ts';
import {
  clusterNotFound,
  complain,
  instanceNotFound,
  invalidClusterState,
  invalidCombination,
  invalidInstanceState,
  invalidValue,
  targetAlreadyRegistered,
  targetNotFound,
} from './faults.ts';
import { findGroup, mustBeAlterable } from './find.ts';
import type { TargetsInput } from './inputs.ts';
import { reference, targetsInput } from './inputs.ts';
import { pageFields, pageOf } from './paging.ts';
import type { RdsParts } from './parts.ts';
import { targetShapes } from './shapes.ts';

const REGISTRABLE = ['AVAILABLE', 'MODIFYING', 'BACKING_UP', 'CREATING'];

/** RegisterDBProxyTargets, DeregisterDBProxyTargets, DescribeDBProxyTargets. */
export function targetOperations(parts: RdsParts): Readonly<Record<string, Operation>> {
  return {
    RegisterDBProxyTargets: operation(
      targetsInput,
      (input, call) => register(parts, input, call),
      complain,
    ),

    DeregisterDBProxyTargets: operation(
      targetsInput,
      (input, call) => {
        const proxy = findGroup(parts, call, 'DeregisterDBProxyTargets', input);
        mustBeAlterable(proxy);
        const target = targetOf(input);
        if (!leadsTo(proxy, target)) throw targetNotFound(target.identifier);
        parts.proxies.setTarget(proxy.id, undefined);
        return {};
      },
      complain,
    ),

    DescribeDBProxyTargets: operation(
      z.object({ DBProxyName: reference, TargetGroupName: reference.optional(), ...pageFields }),
      (input, call) => {
        const proxy = findGroup(parts, call, 'DescribeDBProxyTargets', input);
        const targets = targetShapes(parts, proxy).map((shape, at) => ({ shape, at }));
        const { items, marker } = pageOf(targets, placeOf, input);
        return { Targets: members(items.map(({ shape }) => shape)), Marker: marker };
      },
      complain,
    ),
  };
}

/** The cluster comes first, the writer next: by their place, not by their name. */
function placeOf({ at }: { readonly at: number }): string {
  return String(at).padStart(4, '0');
}

/** Of what has only just been registered. */
function registering(): Health {
  return { state: 'REGISTERING' };
}

async function register(parts: RdsParts, input: TargetsInput, call: Call) {
  const asked = findGroup(parts, call, 'RegisterDBProxyTargets', input);
  mustBeAlterable(asked);
  const target = targetOf(input);
  // That may take a while: it may be another proxy then.
  const proxy = (await adopt(parts, target))
    ? findGroup(parts, call, 'RegisterDBProxyTargets', input)
    : asked;
  mustBeAlterable(proxy);
  const known = target.kind === 'instance' ? checkInstance : checkCluster;
  const identifier = known(parts, proxy, target.identifier);
  const { target: before } = proxy.group;
  if (before !== undefined)
    throw targetAlreadyRegistered(
      leadsTo(proxy, target)
        ? 'The proxy is already associated with the specified RDS DB instance or Aurora DB cluster.'
        : `The proxy is already associated with ${before.identifier}, and it can have one target only: deregister that one first.`,
    );
  const led = parts.proxies.setTarget(proxy.id, { kind: target.kind, identifier });
  return { DBProxyTargets: members(targetShapes(parts, led, registering)) };
}

/** What nobody has registered may be known elsewhere; true where it comes from there. Throws InvalidParameterValue, InvalidDBInstanceState, InvalidDBClusterStateFault. */
async function adopt(parts: RdsParts, target: Target): Promise<boolean> {
  const { databases } = parts.proxies;
  const { kind, identifier } = target;
  const known =
    kind === 'instance' ? databases.find(identifier) : databases.findCluster(identifier);
  const adoption = known === undefined ? await parts.adopt?.(target) : undefined;
  if (adoption?.kind === 'memberOf') throw memberOf(identifier, adoption.cluster);
  if (adoption?.kind === 'trouble')
    throw kind === 'instance'
      ? invalidInstanceState(adoption.why)
      : invalidClusterState(adoption.why);
  return adoption?.kind === 'adopted';
}

function memberOf(identifier: string, cluster: string): ApiError {
  return invalidValue(
    `DB Instance ${identifier} is a member of the DB cluster ${cluster}: register the cluster, in DBClusterIdentifiers.`,
  );
}

/** Throws InvalidParameterCombination. */
function targetOf(input: TargetsInput): Target {
  const instances = input.DBInstanceIdentifiers ?? [];
  const clusters = input.DBClusterIdentifiers ?? [];
  const [identifier] = [...instances, ...clusters];
  if (identifier === undefined)
    throw invalidCombination('Give either DBInstanceIdentifiers or DBClusterIdentifiers.');
  if (instances.length > 0 && clusters.length > 0)
    throw invalidCombination(
      'Give either DBInstanceIdentifiers or DBClusterIdentifiers, not both.',
    );
  if (instances.length + clusters.length > 1)
    throw invalidCombination('A proxy can have one target only: give one identifier.');
  return { kind: instances.length > 0 ? 'instance' : 'cluster', identifier };
}

/** The instance's identifier, as it is written. */
function checkInstance(parts: RdsParts, proxy: StoredProxy, identifier: string): string {
  const database = parts.proxies.databases.find(identifier);
  if (database === undefined) throw instanceNotFound(identifier);
  if (database.cluster !== undefined) throw memberOf(database.identifier, database.cluster);
  if (familyOf[database.engine] !== proxy.engineFamily)
    throw invalidValue(
      `Unsupported Database engine for DB Instance ${database.identifier}: it is ${database.engine}, and the proxy is for the engine family ${proxy.engineFamily}.`,
    );
  const status = database.status.toUpperCase().replaceAll('-', '_');
  if (!REGISTRABLE.includes(status))
    throw invalidInstanceState(
      `DB Instance ${database.identifier} is in an unsupported state - ${status}, needs to be in [${REGISTRABLE.join(', ')}]`,
    );
  return database.identifier;
}

/** The cluster's identifier, as it is written. */
function checkCluster(parts: RdsParts, proxy: StoredProxy, identifier: string): string {
  const cluster = parts.proxies.databases.findCluster(identifier);
  if (cluster === undefined) throw clusterNotFound(identifier);
  if (familyOf[cluster.engine] !== proxy.engineFamily)
    throw invalidValue('Unsupported Database engine or engine mode for DB Cluster');
  return cluster.identifier;
}
