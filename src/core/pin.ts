/** Why a session must keep its server connection. One session may have several at a time. */
export type PinReason =
  | 'setting'
  | 'preparedStatement'
  | 'temporaryObject'
  | 'listen'
  | 'sessionLock'
  | 'tableLock'
  | 'userVariable'
  | 'handler'
  | 'heldCursor'
  | 'cursor'
  | 'longStatement'
  | 'sequence'
  | 'library'
  | 'hiddenState';

/** Reasons that can be gone before the session is, unless pins are those of RDS Proxy. */
export const passingReasons: ReadonlySet<PinReason> = new Set([
  'setting',
  'preparedStatement',
  'temporaryObject',
  'listen',
  'sessionLock',
  'tableLock',
  'userVariable',
  'handler',
  'heldCursor',
  'sequence',
]);

/** What each reason means, for logs and documentation. */
export const pinReasons = {
  setting: 'A session setting was changed.',
  preparedStatement: 'A prepared statement was made on the connection.',
  temporaryObject: 'A temporary object was created.',
  listen: 'The session listens for notifications.',
  sessionLock: 'A session-level lock was taken.',
  tableLock: 'Tables, or the whole server, were locked.',
  userVariable: 'A user variable was set that cannot be carried along.',
  handler: 'A table was opened by HANDLER.',
  heldCursor: 'A cursor was declared to outlive its transaction.',
  cursor: 'A cursor was declared.',
  longStatement: 'The connection ran a SQL query which exceeded the 16384 byte limit.',
  sequence: "The session's own view of a sequence was used.",
  library: 'A library was loaded.',
  hiddenState: 'The database reported or may hold state that the statement does not show.',
} as const satisfies Record<PinReason, string>;
