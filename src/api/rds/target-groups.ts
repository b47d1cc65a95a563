import { z } from 'zod';
import { members } from '../fields.ts';
import type { Operation } from '../service.ts';
import { operation } from '../service.ts';
import type { EngineFamily, GivenPool } from '../../state/rds-types.ts';
import { poolOf } from '../../state/rds-types.ts';
import { complain, invalidCombination, invalidValue } from './faults.ts';
import { findGroup, mustBeAlterable } from './find.ts';
import type { PoolInput } from './inputs.ts';
import { modifyGroupInput, reference } from './inputs.ts';
import { pageFields, pageOf } from './paging.ts';
import type { RdsParts } from './parts.ts';
import { groupShape } from './shapes.ts';

/** DescribeDBProxyTargetGroups, ModifyDBProxyTargetGroup. A proxy has exactly one, `default`, which comes and goes with it. */
export function groupOperations(parts: RdsParts): Readonly<Record<string, Operation>> {
  const { proxies } = parts;
  return {
    DescribeDBProxyTargetGroups: operation(
      z.object({ DBProxyName: reference, TargetGroupName: reference.optional(), ...pageFields }),
      (input, call) => {
        const proxy = findGroup(parts, call, 'DescribeDBProxyTargetGroups', input);
        const { items, marker } = pageOf([groupShape(parts, proxy)], () => 'default', input);
        return { TargetGroups: members(items), Marker: marker };
      },
      complain,
    ),

    ModifyDBProxyTargetGroup: operation(
      modifyGroupInput,
      (input, call) => {
        const proxy = findGroup(parts, call, 'ModifyDBProxyTargetGroup', input);
        mustBeAlterable(proxy);
        if (input.NewName !== undefined && input.NewName !== 'default')
          throw invalidValue('The default target group cannot be renamed: leave NewName out.');
        const pool = { ...proxy.group.given, ...readPool(input.ConnectionPoolConfig ?? {}) };
        checkPool(proxy.engineFamily, pool);
        return { DBProxyTargetGroup: groupShape(parts, proxies.setPool(proxy.id, pool)) };
      },
      complain,
    ),
  };
}

/** Only what is given: the rest stays as it is. */
function readPool(input: PoolInput): GivenPool {
  const { MaxConnectionsPercent: max, MaxIdleConnectionsPercent: idle } = input;
  const { ConnectionBorrowTimeout: timeout, SessionPinningFilters: filters } = input;
  return {
    ...(max === undefined ? {} : { maxConnectionsPercent: max }),
    ...(idle === undefined ? {} : { maxIdleConnectionsPercent: idle }),
    ...(timeout === undefined ? {} : { connectionBorrowTimeoutS: timeout }),
    ...(filters === undefined ? {} : { excludeVariableSets: filters.length > 0 }),
    ...(input.InitQuery === undefined ? {} : { initQuery: input.InitQuery }),
  };
}

/** Throws InvalidParameterCombination. */
function checkPool(family: EngineFamily, given: GivenPool): void {
  const { maxConnectionsPercent: max, maxIdleConnectionsPercent: idle } = poolOf(family, given);
  if (idle > max)
    throw invalidCombination(
      `MaxIdleConnectionsPercent (${idle}) must not be greater than MaxConnectionsPercent (${max}): give both.`,
    );
  if (given.excludeVariableSets === true && family !== 'MYSQL')
    throw invalidCombination(
      `SessionPinningFilters are only supported for the engine family MYSQL: leave them out for ${family}.`,
    );
}
