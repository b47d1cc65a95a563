/** Everything that a peer announces or that can queue has a limit here: name, value, unit. The documentation table is tested against it. */
export const limits = {
  startupPacketBytes: {
    value: 10_000,
    unit: 'bytes',
    what: 'the largest start-up packet a client may send (PostgreSQL has the same limit)',
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
  cancelsInFlight: {
    value: 16,
    unit: 'connections',
    what: 'the most cancel requests under way to one database at a time',
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
} as const satisfies Record<string, { value: number; unit: string; what: string }>;
