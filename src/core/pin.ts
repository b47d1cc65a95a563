/** Why a session must keep its server connection. One session may have several at a time. */
export type PinReason =
  | 'setting'
  | 'preparedStatement'
  | 'temporaryObject'
  | 'listen'
  | 'sessionLock'
  | 'heldCursor'
  | 'cursor'
  | 'longStatement'
  | 'sequence'
  | 'library'
  | 'tableLock'
  | 'handler'
  | 'userVariable'
  | 'sessionContext'
  | 'explicitTransaction'
  | 'nextTransaction'
  | 'globalTransaction'
  | 'previousStatement'
  | 'hiddenState';

/** Reasons that can be gone before the session is, unless pins are those of RDS Proxy. */
export const passingReasons: ReadonlySet<PinReason> = new Set([
  'setting',
  'preparedStatement',
  'temporaryObject',
  'listen',
  'sessionLock',
  'heldCursor',
  'cursor',
  'sequence',
  'tableLock',
  'handler',
  'sessionContext',
  'nextTransaction',
  'globalTransaction',
]);

/** What each reason means, for logs and documentation. */
export const pinReasons = {
  setting: 'A session setting was changed.',
  preparedStatement: 'A prepared statement was made on the connection.',
  temporaryObject: 'A temporary object was created.',
  listen: 'The session listens for notifications.',
  sessionLock: 'A session-level lock was taken.',
  heldCursor: 'A cursor was declared to outlive its transaction.',
  cursor: 'A cursor was declared.',
  longStatement: 'The connection ran a SQL query which exceeded the 16384 byte limit.',
  sequence: "The session's own view of a sequence was used.",
  library: 'A library was loaded.',
  tableLock: 'Tables were locked.',
  handler: 'A table was opened by HANDLER.',
  userVariable: 'A user variable was set.',
  sessionContext: "A key of the session's context was set.",
  explicitTransaction: 'A transaction was begun.',
  nextTransaction: 'The next transaction was given properties of its own.',
  globalTransaction: 'A global transaction has not been ended.',
  previousStatement: 'What the statement before has left behind was asked for.',
  hiddenState: 'The database reported or may hold state that the statement does not show.',
} as const satisfies Record<PinReason, string>;
