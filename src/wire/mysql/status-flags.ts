/** What an OK or EOF packet says of the session. MySQL documentation, SERVER_STATUS_flags_enum. */
export const serverStatus = {
  inTransaction: 0x0001,
  autocommit: 0x0002,
  moreResultsExist: 0x0008,
  noGoodIndexUsed: 0x0010,
  noIndexUsed: 0x0020,
  cursorExists: 0x0040,
  lastRowSent: 0x0080,
  databaseDropped: 0x0100,
  noBackslashEscapes: 0x0200,
  metadataChanged: 0x0400,
  queryWasSlow: 0x0800,
  /** The result set holds the output parameters of a procedure. */
  psOutParameters: 0x1000,
  inReadOnlyTransaction: 0x2000,
  sessionStateChanged: 0x4000,
  /** MariaDB's alone. */
  ansiQuotes: 0x8000,
} as const;
