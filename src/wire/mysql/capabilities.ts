// What a client and a server can do: sets of flags, told in the handshake. MySQL documentation, "Capabilities Flags";
// MariaDB documentation, "Client/Server Protocol: Connecting".

/** The flags that both families share, and after them MySQL's own. `compression` and the like cost nothing to test. */
export const capability = {
  /** MariaDB calls it CLIENT_MYSQL: a server or client that does not set it has `extension`s. */
  longPassword: 1 << 0,
  /** Matched rows are counted instead of changed ones. */
  foundRows: 1 << 1,
  longFlag: 1 << 2,
  connectWithDb: 1 << 3,
  noSchema: 1 << 4,
  /** By zlib. */
  compress: 1 << 5,
  odbc: 1 << 6,
  localFiles: 1 << 7,
  ignoreSpace: 1 << 8,
  protocol41: 1 << 9,
  interactive: 1 << 10,
  ssl: 1 << 11,
  ignoreSigpipe: 1 << 12,
  transactions: 1 << 13,
  reserved: 1 << 14,
  secureConnection: 1 << 15,
  multiStatements: 1 << 16,
  multiResults: 1 << 17,
  psMultiResults: 1 << 18,
  pluginAuth: 1 << 19,
  connectAttrs: 1 << 20,
  pluginAuthLenencClientData: 1 << 21,
  canHandleExpiredPasswords: 1 << 22,
  sessionTrack: 1 << 23,
  deprecateEof: 1 << 24,
  optionalResultsetMetadata: 1 << 25,
  zstdCompression: 1 << 26,
  queryAttributes: 1 << 27,
  multiFactorAuthentication: 1 << 28,
  capabilityExtension: 1 << 29,
  sslVerifyServerCert: 1 << 30,
  rememberOptions: 1 << 31,
} as const;

/** MariaDB's, which travel apart from the others, in what is filler elsewhere. */
export const extension = {
  progress: 1 << 0,
  comMulti: 1 << 1,
  stmtBulkOperations: 1 << 2,
  /** Column definitions name their extended type and format. */
  extendedMetadata: 1 << 3,
  /** Column definitions are not sent again for a statement whose result has not changed. */
  cacheMetadata: 1 << 4,
  bulkUnitResults: 1 << 5,
} as const;

/** `flags` of `capability` and `extensions` of `extension`: test them with `&`, for what is set may be negative. */
export interface Capabilities {
  readonly flags: number;
  readonly extensions: number;
}

/** What both sides can do. */
export function common(one: Capabilities, other: Capabilities): Capabilities {
  return { flags: one.flags & other.flags, extensions: one.extensions & other.extensions };
}

/** Whether who has these flags tells extensions too. */
export function tellsExtensions(flags: number): boolean {
  return (flags & capability.longPassword) === 0;
}
