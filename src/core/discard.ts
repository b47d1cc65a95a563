/** Why a server connection was closed. When in doubt about one, discard it and say why. */
export type DiscardReason =
  | 'bytesWhileIdle'
  | 'clientGoneMidRequest'
  | 'clientTooSlow'
  | 'databaseClosed'
  | 'draining'
  | 'evicted'
  | 'idleLimit'
  | 'lifetime'
  | 'loginFailed'
  | 'overBudget'
  | 'pingFailed'
  | 'resetFailed'
  | 'resetImpossible'
  | 'restoreFailed'
  | 'retired'
  | 'violation';

/** What each reason means, for logs and documentation. */
export const discardReasons = {
  bytesWhileIdle: 'The database sent something that belongs to no request.',
  clientGoneMidRequest:
    'The client connection that borrowed this database connection from the connection pool was closed in the middle of a request.',
  clientTooSlow: 'The client that borrowed it stopped reading its result.',
  databaseClosed: 'The database closed the connection.',
  draining: 'The proxy is stopping.',
  evicted:
    'Its place was needed for a waiting client with another user, database or start-up parameters.',
  idleLimit: 'It was idle, and more than the allowed idle connections were open.',
  lifetime: 'It reached its greatest age.',
  loginFailed: 'The database did not let the proxy in.',
  overBudget: 'The allowed number of database connections became smaller.',
  pingFailed: 'It did not answer a ping.',
  resetFailed: 'It could not be brought back to its first state.',
  resetImpossible: 'What its session left behind cannot be reset.',
  restoreFailed: "It could not be brought to a session's state.",
  retired: 'Its credentials or its target changed.',
  violation: 'The database broke its protocol.',
} as const satisfies Record<DiscardReason, string>;
