import { z } from 'zod';
import type { StoredEndpoint, StoredProxy, TargetGroup } from './rds-types.ts';
import { endpointSettingsSchema, poolOf, poolSchema, proxySettingsSchema } from './rds-types.ts';
import type { Row } from './store.ts';

const phases = ['creating', 'live', 'deleting'] as const;

const proxyRow = z.object({
  id: z.string(),
  name: z.string(),
  settings: z.string(),
  listen_host: z.string(),
  listen_port: z.number(),
  phase: z.enum(phases),
  revision: z.number(),
  modified_in: z.number(),
  origin: z.enum(['api', 'declared']),
  created_ms: z.number(),
  updated_ms: z.number(),
});

const groupRow = z.object({
  group_id: z.string(),
  group_pool: z.string(),
  target_kind: z.enum(['instance', 'cluster']).nullable(),
  target: z.string().nullable(),
  group_created_ms: z.number(),
  group_updated_ms: z.number(),
});

const endpointRow = z.object({
  id: z.string(),
  name: z.string(),
  proxy: z.string(),
  settings: z.string(),
  listen_port: z.number().nullable(),
  phase: z.enum(phases),
  changed_in: z.number(),
  created_ms: z.number(),
});

/** Proxies with their target groups, as `readProxy` reads them. */
export const SELECT_PROXIES = `SELECT p.*, g.id AS group_id, g.pool AS group_pool, g.target_kind, g.target,
  g.created_ms AS group_created_ms, g.updated_ms AS group_updated_ms
  FROM rds_proxies p JOIN rds_target_groups g ON g.proxy = p.id`;

export function readProxy(row: Row, endpoints: readonly StoredEndpoint[]): StoredProxy {
  const stored = proxyRow.parse(row);
  const settings = proxySettingsSchema.parse(JSON.parse(stored.settings));
  return {
    ...settings,
    id: stored.id,
    name: stored.name,
    listenHost: stored.listen_host,
    listenPort: stored.listen_port,
    phase: stored.phase,
    revision: stored.revision,
    modifiedIn: stored.modified_in,
    origin: stored.origin,
    createdMs: stored.created_ms,
    updatedMs: stored.updated_ms,
    group: readGroup(row, settings.engineFamily),
    endpoints,
  };
}

function readGroup(row: Row, family: StoredProxy['engineFamily']): TargetGroup {
  const stored = groupRow.parse(row);
  const given = poolSchema.parse(JSON.parse(stored.group_pool));
  const { target_kind: kind, target: identifier } = stored;
  return {
    id: stored.group_id,
    given,
    pool: poolOf(family, given),
    target: kind === null || identifier === null ? undefined : { kind, identifier },
    createdMs: stored.group_created_ms,
    updatedMs: stored.group_updated_ms,
  };
}

export function readEndpoint(row: Row): StoredEndpoint {
  const stored = endpointRow.parse(row);
  return {
    ...endpointSettingsSchema.parse(JSON.parse(stored.settings)),
    id: stored.id,
    name: stored.name,
    proxyId: stored.proxy,
    listenPort: stored.listen_port ?? undefined,
    phase: stored.phase,
    changedIn: stored.changed_in,
    createdMs: stored.created_ms,
  };
}
