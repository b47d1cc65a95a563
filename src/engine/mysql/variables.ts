// What setting a system variable means for a session that changes its connection.

/**
 * Variables that cannot be carried along by their values: SET again on another connection, they would not mean the same.
 * Whoever sets one keeps the connection.
 */
const unmovable: ReadonlySet<string> = new Set([
  // Used up by the next INSERT.
  'insert_id',
  // They move on with every RAND().
  'rand_seed1',
  'rand_seed2',
  // Reads as the present where it is not set; DEFAULT and 0 mean that.
  'timestamp',
  // Whose temporary tables a replica's statements see, and CONNECTION_ID().
  'pseudo_thread_id',
  'pseudo_slave_mode',
  'pseudo_replica_mode',
  // For one transaction each, and what it is written down as.
  'gtid_next',
  'gtid_seq_no',
  'wsrep_gtid_seq_no',
  'original_commit_timestamp',
  'original_server_version',
  'immediate_server_version',
  // What they gather stays on the connection, and is asked for later.
  'profiling',
  'profiling_history_size',
  'optimizer_trace',
  // Traces, and points to stop at.
  'debug',
  'debug_dbug',
  'debug_sync',
]);

/** What else is SET for LAST_INSERT_ID(). */
const lastInsertId: ReadonlySet<string> = new Set(['last_insert_id', 'identity']);

/** They change how the texts behind them are read. */
const dialectal: ReadonlySet<string> = new Set([
  'sql_mode',
  'character_set_client',
  'names',
  'character set',
]);

/** Variables that Amazon RDS Proxy tracks, as its documentation lists them; all others pin. */
const trackedByAws: ReadonlySet<string> = new Set([
  'autocommit',
  'auto_increment_increment',
  'character set',
  'character_set_client',
  'character_set_database',
  'character_set_filesystem',
  'character_set_connection',
  'character_set_results',
  'character_set_server',
  'collation_connection',
  'collation_database',
  'collation_server',
  'interactive_timeout',
  'names',
  'net_write_timeout',
  'query_cache_type',
  'session_track_schema',
  'sql_mode',
  'time_zone',
  'transaction_isolation',
  'tx_isolation',
  'transaction_read_only',
  'tx_read_only',
  'wait_timeout',
]);

export function isMovable(variable: string, isUnset: boolean): boolean {
  return !unmovable.has(variable) || (isUnset && variable === 'timestamp');
}

export function isLastInsertId(variable: string): boolean {
  return lastInsertId.has(variable);
}

export function changesDialect(variable: string): boolean {
  return dialectal.has(variable);
}

export function isTrackedByAws(variable: string): boolean {
  return trackedByAws.has(variable);
}
