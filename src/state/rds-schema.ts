import type { Schema } from './store.ts';

/** Proxies and databases. Names are told as they were given, and compared without regard to case, since host names have none. */
export const rdsSchema: Schema = {
  part: 'rds',
  steps: [
    `CREATE TABLE rds_clusters (
      identifier TEXT PRIMARY KEY COLLATE NOCASE,
      engine TEXT NOT NULL,
      resource_id TEXT NOT NULL,
      created_ms INTEGER NOT NULL
    ) STRICT`,
    `CREATE TABLE rds_databases (
      identifier TEXT PRIMARY KEY COLLATE NOCASE,
      engine TEXT NOT NULL,
      host TEXT NOT NULL,
      port INTEGER NOT NULL,
      resource_id TEXT NOT NULL,
      cluster TEXT COLLATE NOCASE REFERENCES rds_clusters (identifier),
      role TEXT NOT NULL,
      connection TEXT NOT NULL,
      status TEXT NOT NULL,
      origin TEXT NOT NULL,
      created_ms INTEGER NOT NULL
    ) STRICT`,
    `CREATE TABLE rds_proxies (
      id TEXT PRIMARY KEY,
      name TEXT NOT NULL UNIQUE COLLATE NOCASE,
      settings TEXT NOT NULL,
      listen_host TEXT NOT NULL,
      listen_port INTEGER NOT NULL,
      phase TEXT NOT NULL,
      revision INTEGER NOT NULL,
      modified_in INTEGER NOT NULL,
      origin TEXT NOT NULL,
      created_ms INTEGER NOT NULL,
      updated_ms INTEGER NOT NULL
    ) STRICT`,
    `CREATE TABLE rds_target_groups (
      id TEXT PRIMARY KEY,
      proxy TEXT NOT NULL UNIQUE REFERENCES rds_proxies (id) ON DELETE CASCADE,
      pool TEXT NOT NULL,
      target_kind TEXT,
      target TEXT COLLATE NOCASE,
      created_ms INTEGER NOT NULL,
      updated_ms INTEGER NOT NULL
    ) STRICT`,
    `CREATE TABLE rds_endpoints (
      id TEXT PRIMARY KEY,
      name TEXT NOT NULL UNIQUE COLLATE NOCASE,
      proxy TEXT NOT NULL REFERENCES rds_proxies (id) ON DELETE CASCADE,
      settings TEXT NOT NULL,
      listen_port INTEGER,
      phase TEXT NOT NULL,
      changed_in INTEGER NOT NULL,
      created_ms INTEGER NOT NULL
    ) STRICT`,
    `CREATE INDEX rds_endpoints_of ON rds_endpoints (proxy)`,
    `CREATE TABLE rds_tags (
      arn TEXT NOT NULL,
      key TEXT NOT NULL,
      value TEXT NOT NULL,
      PRIMARY KEY (arn, key)
    ) STRICT`,
    `CREATE TABLE rds_events (
      number INTEGER PRIMARY KEY AUTOINCREMENT,
      at_ms INTEGER NOT NULL,
      event_id TEXT NOT NULL,
      source_type TEXT NOT NULL,
      source TEXT NOT NULL COLLATE NOCASE,
      source_arn TEXT NOT NULL,
      category TEXT NOT NULL,
      message TEXT NOT NULL
    ) STRICT`,
  ],
};
