import type { Principal } from './engine.ts';
import type { TargetGauges } from './observer.ts';
import type { ServerConnection } from './server-connection.ts';

/** What is true of a pool's connections at this moment. Walks all of them: for scrapes, not for the data path. */
export function gaugesOf<Memory, Who extends Principal>(
  connections: ReadonlySet<ServerConnection<Memory, Who>>,
  allowed: number,
): TargetGauges {
  const gauges = {
    databaseConnections: connections.size,
    databaseConnectionsWithTls: 0,
    databaseConnectionsIdle: 0,
    databaseConnectionsCurrentlyBorrowed: 0,
    databaseConnectionsCurrentlyInTransaction: 0,
    databaseConnectionsCurrentlySessionPinned: 0,
    maxDatabaseConnectionsAllowed: allowed,
  };
  for (const { link, state, pinned, borrower } of connections) {
    if (link.tlsVersion !== undefined) gauges.databaseConnectionsWithTls += 1;
    if (state === 'idle') gauges.databaseConnectionsIdle += 1;
    if (state === 'borrowed') gauges.databaseConnectionsCurrentlyBorrowed += 1;
    if (borrower?.inTransaction === true) gauges.databaseConnectionsCurrentlyInTransaction += 1;
    if (pinned) gauges.databaseConnectionsCurrentlySessionPinned += 1;
  }
  return gauges;
}
