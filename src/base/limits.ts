/** Everything that a peer announces or that can queue has a limit here: name, value, unit. The documentation table is tested against it. */
export const limits = {
  proxyLineBytes: {
    value: 107,
    unit: 'bytes',
    what: "the longest PROXY protocol header of version 1 (the protocol's own limit)",
  },
  proxyHeaderBytes: {
    value: 16_384,
    unit: 'bytes',
    what: 'the longest PROXY protocol header of version 2, extensions included',
  },
  startupPacketBytes: {
    value: 10_000,
    unit: 'bytes',
    what: 'the largest start-up packet a client may send (PostgreSQL has the same limit)',
  },
  signInPacketBytes: {
    value: 135_168,
    unit: 'bytes',
    what: 'the largest packet of a MySQL client or database before its sign-in is over',
  },
  connectAttributeBytes: {
    value: 65_535,
    unit: 'bytes',
    what: 'the most connection attributes of a MySQL client (MySQL has the same limit)',
  },
  authPluginNameBytes: {
    value: 255,
    unit: 'bytes',
    what: 'the longest name of an authentication plug-in of MySQL or MariaDB',
  },
  passwordMessageBytes: {
    value: 65_536,
    unit: 'bytes',
    what: 'the largest password, token or SASL message during login',
  },
  saslNonceBytes: {
    value: 1_024,
    unit: 'bytes',
    what: 'the longest SCRAM nonce accepted from a peer',
  },
  scramIterations: {
    value: 1_000_000,
    unit: 'iterations',
    what: 'the most SCRAM iterations a database may ask of us',
  },
  carriedVariableBytes: {
    value: 4_096,
    unit: 'bytes',
    what: 'the longest value of a MySQL user variable, as SQL writes it, that is carried to other connections; a longer one pins',
  },
  parsecIterations: {
    value: 1_048_576,
    unit: 'iterations',
    what: 'the most iterations of PARSEC that a MariaDB database may ask of us',
  },
  inspectedMessageBytes: {
    value: 262_144,
    unit: 'bytes',
    what: 'the largest message assembled to be looked at; larger ones are streamed',
  },
  messageBytes: {
    value: 1_073_741_823,
    unit: 'bytes',
    what: 'the largest PostgreSQL message in either direction (PostgreSQL has the same limit)',
  },
  resultColumns: {
    value: 65_535,
    unit: 'columns',
    what: 'the most columns that a result of MySQL or MariaDB may announce (both allow for 4,096)',
  },
  requestParameters: {
    value: 65_535,
    unit: 'parameters',
    what: 'the most parameters and attributes of one request of a MySQL client (MySQL has the same limit)',
  },
  tdsPreloginBytes: {
    value: 4_096,
    unit: 'bytes',
    what: 'the largest PRELOGIN of a SQL Server client or database',
  },
  tdsLoginBytes: {
    value: 131_072,
    unit: 'bytes',
    what: 'the largest LOGIN7 of a SQL Server client, and the largest answer of a database to one',
  },
  tdsColumns: {
    value: 4_096,
    unit: 'columns',
    what: 'the most columns that a result of SQL Server may announce (SQL Server has the same limit)',
  },
  tdsTokenBytes: {
    value: 4_194_304,
    unit: 'bytes',
    what: 'the longest part of a reply of SQL Server, rows and values excepted, that is put together to be looked at',
  },
  zstdLevel: {
    value: 9,
    unit: 'levels',
    what: 'the highest level of zstd at which a MySQL client is served, whatever it asks for',
  },
  linkQueueBytes: {
    value: 262_144,
    unit: 'bytes',
    what: 'what may be queued towards a slow peer before its source is paused',
  },
  pendingRequestBytes: {
    value: 65_536,
    unit: 'bytes',
    what: 'what is read ahead from a client that waits for a connection before it is paused',
  },
  serverParameters: {
    value: 256,
    unit: 'parameters',
    what: 'the most parameters that a database may report on one connection',
  },
  owedReplies: {
    value: 4_194_304,
    unit: 'messages',
    what: 'the most replies that one session may be owed at a time',
  },
  statementNameBytes: {
    value: 8_192,
    unit: 'bytes',
    what: 'the longest name of a prepared statement or portal',
  },
  sessionStatements: {
    value: 65_536,
    unit: 'statements',
    what: 'the most prepared statements that one client may have at a time',
  },
  sharedStatements: {
    value: 4_096,
    unit: 'statements',
    what: 'the most prepared statements of one user and database that are known by their text',
  },
  sharedStatementBytes: {
    value: 65_536,
    unit: 'bytes',
    what: 'the longest prepared statement that clients share on a database connection',
  },
  knownSettingValues: {
    value: 1_024,
    unit: 'values',
    what: "the most values of settings whose form in the server's own words is remembered",
  },
  knownOutfits: {
    value: 1_024,
    unit: 'sets',
    what: 'the most sets of start-up parameters of one user and database that are remembered',
  },
  knownSchemas: {
    value: 1_024,
    unit: 'schemas',
    what: 'the most schemas of MySQL users that are known to be there',
  },
  knownPrincipals: {
    value: 256,
    unit: 'packets',
    what: 'the most start-up packets of which it is remembered what they ask for',
  },
  knownSalts: {
    value: 256,
    unit: 'users',
    what: 'the most users whose salts for SCRAM are remembered; others are made again',
  },
  inspectedRequestBytes: {
    value: 4_194_304,
    unit: 'bytes',
    what: 'the longest request of a SQL Server client that is put together before it is looked at; a longer one is read as it passes',
  },
  cancelsInFlight: {
    value: 16,
    unit: 'connections',
    what: 'the most cancel requests under way to one database at a time',
  },
  ownAnswerRows: {
    value: 4_096,
    unit: 'rows',
    what: "the most rows of a MySQL or SQL Server database's answer to a query of the proxy's own",
  },
  statementDigestBytes: {
    value: 1_024,
    unit: 'bytes',
    what: 'how much of a statement a log line shows, values removed',
  },
  derivedKeys: {
    value: 1_024,
    unit: 'keys',
    what: 'the most derived password keys kept in memory',
  },
  apiRequestBytes: {
    value: 1_048_576,
    unit: 'bytes',
    what: 'the largest body of a request to the API',
  },
  apiRequestsAtOnce: {
    value: 128,
    unit: 'requests',
    what: 'the most requests that the API deals with at a time',
  },
  seenSignatures: {
    value: 65_536,
    unit: 'signatures',
    what: 'the most signatures of API requests that are remembered, so that none of them is used again',
  },
} as const satisfies Record<string, { value: number; unit: string; what: string }>;
