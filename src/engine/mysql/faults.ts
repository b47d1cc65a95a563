import type { Fault, FaultName } from '../../core/fault.ts';
import type { ServerError } from '../../wire/mysql/err.ts';
import { error, readError } from '../../wire/mysql/err.ts';
import { packet } from '../../wire/mysql/framing.ts';

interface Words {
  readonly code: number;
  /** A SQLSTATE. */
  readonly sqlState: string;
  readonly text: string | ((fault: Fault) => string);
}

/** The host is RDS Proxy's way to say it: the client's own does not matter here. */
const accessDenied = {
  code: 1045,
  sqlState: '28000',
  text: ({ user = '' }: Fault) => `Access denied for user '${user}'@'%' (using password: YES)`,
} as const satisfies Words;

/** Every fault in MySQL's words; where Amazon RDS Proxy's code and text are known, they are these. */
export const faults = {
  borrowTimeout: {
    code: 9501,
    sqlState: 'HY000',
    text: 'Timed-out waiting to acquire database connection',
  },
  cancelled: { code: 1317, sqlState: '70100', text: 'Query execution was interrupted' },
  channelBindingFailed: { code: 1105, sqlState: 'HY000', text: 'Unknown error' },
  channelBindingUnseen: { code: 1105, sqlState: 'HY000', text: 'Unknown error' },
  clientLimit: {
    code: 1040,
    sqlState: 'HY000',
    text: ({ limit = 0 }) => `Number simultaneous connections exceeded (${limit})`,
  },
  clientTooSlow: {
    code: 1161,
    sqlState: '08S01',
    text: 'Got timeout writing communication packets',
  },
  databaseLost: {
    code: 2013,
    sqlState: 'HY000',
    text: 'Lost connection to MySQL server during query. Whether it took effect is not known.',
  },
  databaseRefused: {
    code: 1105,
    sqlState: 'HY000',
    text: ({ detail = 'the database refused the connection' }) =>
      `Request returned an error: ${detail}`,
  },
  draining: { code: 1053, sqlState: '08S01', text: 'Server shutdown in progress' },
  iamExpected: accessDenied,
  iamNeedsTls: {
    code: 3159,
    sqlState: 'HY000',
    text: 'IAM authentication is allowed only with SSL connections.',
  },
  iamRefused: accessDenied,
  idleClient: {
    code: 4031,
    sqlState: 'HY000',
    text: 'The client was disconnected by the server because of inactivity.',
  },
  internal: { code: 1105, sqlState: 'HY000', text: 'Unknown error' },
  killed: { code: 1927, sqlState: '70100', text: 'Connection was killed' },
  loginRefused: accessDenied,
  loginTimeout: {
    code: 1159,
    sqlState: '08S01',
    text: 'Got timeout reading communication packets',
  },
  protocolViolation: {
    code: 1835,
    sqlState: 'HY000',
    text: ({ detail = 'unexpected packet' }) => `Malformed communication packet: ${detail}`,
  },
  restoreFailed: {
    code: 1105,
    sqlState: 'HY000',
    text: "The session's settings could not be restored on a database connection. Nothing was run.",
  },
  tlsRequired: {
    code: 3159,
    sqlState: 'HY000',
    text: 'This RDS Proxy requires TLS connections.',
  },
  tooManyStatements: {
    code: 1461,
    sqlState: '42000',
    text: ({ limit = 0 }) => `A client may have ${limit} prepared statements at a time.`,
  },
  unsupported: {
    code: 1235,
    sqlState: '42000',
    text: ({ detail = '' }) => `Feature not supported: ${detail}`,
  },
  userMissing: accessDenied,
} as const satisfies Record<FaultName, Words>;

/** Faults whose text already carries their detail. */
export const DETAIL_IN_TEXT: readonly FaultName[] = [
  'databaseRefused',
  'protocolViolation',
  'unsupported',
];

/** The fault as an ERR packet says it; the database's own error where that is what it is about. */
export function wordsOf(fault: Fault): ServerError {
  if (fault.original !== undefined) return readError(fault.original);
  const { code, sqlState, text }: Words = faults[fault.name];
  const message = typeof text === 'string' ? text : text(fault);
  const { detail } = fault;
  const isSaid = detail === undefined || DETAIL_IN_TEXT.includes(fault.name);
  return { code, sqlState, message: isSaid ? message : `${message}: ${detail}` };
}

/** The fault as a packet. @param number its own @param flags what both sides can do; none before the client has told */
export function say(fault: Fault, number: number, flags: number): Uint8Array {
  return packet(number, error(wordsOf(fault), flags));
}
