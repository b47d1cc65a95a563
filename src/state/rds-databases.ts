import { z } from 'zod';
import type { Place } from './rds-names.ts';
import { resourceId } from './rds-names.ts';
import type { Database, DatabaseOrigin, StoredCluster, StoredDatabase } from './rds-types.ts';
import { databaseConnectionSchema, databaseEngines } from './rds-types.ts';
import type { Row, Store } from './store.ts';

/** Where nobody has said otherwise. */
const AVAILABLE = 'available';

const databaseRow = z.object({
  identifier: z.string(),
  engine: z.enum(databaseEngines),
  host: z.string(),
  port: z.number(),
  resource_id: z.string(),
  cluster: z.string().nullable(),
  role: z.enum(['writer', 'reader']),
  connection: z.string(),
  status: z.string(),
  origin: z.enum(['api', 'declared', 'aws']),
  created_ms: z.number(),
});

const clusterRow = z.object({
  identifier: z.string(),
  engine: z.enum(databaseEngines),
  resource_id: z.string(),
  created_ms: z.number(),
});

/**
 * The database servers that proxies can lead to, and the clusters that some are members of. A cluster is there as long as it has
 * members. It only keeps them: `registerDatabase` and `deregisterDatabase` look after the proxies, too.
 */
export class DatabaseStore {
  readonly #store: Store;
  readonly #place: Place;

  constructor(store: Store, place: Place) {
    this.#store = store;
    this.#place = place;
  }

  /** By identifier. */
  list(): readonly StoredDatabase[] {
    return this.#store.all('SELECT * FROM rds_databases ORDER BY identifier').map(readDatabase);
  }

  find(identifier: string): StoredDatabase | undefined {
    const row = this.#store.one('SELECT * FROM rds_databases WHERE identifier = ?', identifier);
    return row && readDatabase(row);
  }

  /** By identifier. */
  clusters(): readonly StoredCluster[] {
    return this.#store
      .all('SELECT * FROM rds_clusters ORDER BY identifier')
      .map((row) => this.#readCluster(row));
  }

  findCluster(identifier: string): StoredCluster | undefined {
    const row = this.#store.one('SELECT * FROM rds_clusters WHERE identifier = ?', identifier);
    return row && this.#readCluster(row);
  }

  /** Adds it, or replaces what is known of it. */
  put(database: Database, origin: DatabaseOrigin, nowMs: number): void {
    this.#store.write(() => {
      if (database.cluster !== undefined)
        this.#store.run(
          'INSERT INTO rds_clusters (identifier, engine, resource_id, created_ms) VALUES (?, ?, ?, ?) ON CONFLICT (identifier) DO UPDATE SET engine = excluded.engine',
          database.cluster,
          database.engine,
          database.clusterResourceId ?? resourceId('cluster-', this.#place, database.cluster),
          nowMs,
        );
      this.#store.run(
        `INSERT INTO rds_databases (identifier, engine, host, port, resource_id, cluster, role, connection, status, origin, created_ms)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (identifier) DO UPDATE SET
           engine = excluded.engine, host = excluded.host, port = excluded.port, cluster = excluded.cluster, role = excluded.role,
           connection = excluded.connection, status = excluded.status, origin = excluded.origin`,
        database.identifier,
        database.engine,
        database.host,
        database.port,
        database.resourceId ?? resourceId('db-', this.#place, database.identifier),
        database.cluster ?? null,
        database.role,
        JSON.stringify(database.connection),
        AVAILABLE,
        origin,
        nowMs,
      );
      this.#removeEmptyClusters();
    });
  }

  remove(identifier: string): void {
    this.#store.write(() => {
      this.#store.run('DELETE FROM rds_databases WHERE identifier = ?', identifier);
      this.#removeEmptyClusters();
    });
  }

  #removeEmptyClusters(): void {
    this.#store.run(
      'DELETE FROM rds_clusters WHERE identifier NOT IN (SELECT cluster FROM rds_databases WHERE cluster IS NOT NULL)',
    );
  }

  #readCluster(row: Row): StoredCluster {
    const { identifier, engine, resource_id, created_ms } = clusterRow.parse(row);
    const members = this.#store
      .all(
        "SELECT * FROM rds_databases WHERE cluster = ? ORDER BY role = 'reader', identifier",
        identifier,
      )
      .map(readDatabase);
    return { identifier, engine, resourceId: resource_id, createdMs: created_ms, members };
  }
}

function readDatabase(row: Row): StoredDatabase {
  const { resource_id, cluster, connection, created_ms, ...same } = databaseRow.parse(row);
  return {
    ...same,
    resourceId: resource_id,
    cluster: cluster ?? undefined,
    connection: databaseConnectionSchema.parse(JSON.parse(connection)),
    createdMs: created_ms,
  };
}
