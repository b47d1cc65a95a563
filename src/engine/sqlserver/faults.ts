import { concat } from '../../base/bytes.ts';
import type { Fault, FaultName } from '../../core/fault.ts';
import { MIN_PACKET_BYTES, message, packetType } from '../../wire/tds/packets.ts';
import type { ServerError } from '../../wire/tds/tokens.ts';
import { done, doneStatus, error, token } from '../../wire/tds/tokens.ts';

interface Words {
  readonly number: number;
  /** From 20 on, the connection ends with the error: drivers count on that. */
  readonly severity: number;
  readonly text: string | ((fault: Fault) => string);
}

/** The database's words for whoever is not let in. */
const loginFailed = {
  number: 18_456,
  severity: 14,
  text: ({ user = '' }: Fault) => `Login failed for user '${user}'.`,
} as const satisfies Words;

const internal = { number: 40_197, severity: 20, text: 'Unknown error.' } as const satisfies Words;

/**
 * Every fault in SQL Server's words. The numbers are those of errors that mean the same, so that what drivers and their retries know
 * of them holds; where Amazon RDS Proxy's texts are known, they are these.
 */
export const faults = {
  borrowTimeout: {
    number: 40_501,
    severity: 16,
    text: 'Timed-out waiting to acquire database connection.',
  },
  cancelled: { number: 3_980, severity: 16, text: 'The request was cancelled by the client.' },
  channelBindingFailed: internal,
  channelBindingUnseen: internal,
  clientLimit: {
    number: 17_809,
    severity: 20,
    text: ({ limit = 0 }) =>
      `The maximum number of client connections to the proxy exceeded ${limit}.`,
  },
  clientTooSlow: {
    number: 10_053,
    severity: 20,
    text: 'The connection was closed because the client did not read its result.',
  },
  databaseLost: {
    number: 10_054,
    severity: 20,
    text: 'The database connection was lost during the request. Whether it took effect is not known.',
  },
  databaseRefused: {
    number: 40_613,
    severity: 20,
    text: ({ detail = 'the database refused the connection' }) =>
      `Request returned an error: ${detail}`,
  },
  draining: { number: 6_005, severity: 20, text: 'SHUTDOWN is in progress.' },
  iamExpected: loginFailed,
  iamNeedsTls: {
    number: 18_456,
    severity: 14,
    text: 'IAM authentication is allowed only with SSL connections.',
  },
  iamRefused: loginFailed,
  idleClient: {
    number: 10_053,
    severity: 20,
    text: 'The connection was closed because the client was inactive.',
  },
  internal,
  killed: {
    number: 596,
    severity: 21,
    text: 'Cannot continue the execution because the session is in the kill state.',
  },
  loginRefused: loginFailed,
  loginTimeout: { number: 17_830, severity: 20, text: 'The login took too long.' },
  protocolViolation: {
    number: 4_002,
    severity: 20,
    text: ({ detail = 'unexpected packet' }) =>
      `The incoming tabular data stream (TDS) protocol stream is incorrect: ${detail}`,
  },
  restoreFailed: {
    number: 18_056,
    severity: 20,
    text: "The session's settings could not be restored on a database connection. Nothing was run.",
  },
  tlsRequired: {
    number: 17_835,
    severity: 20,
    text: 'This RDS Proxy requires TLS connections.',
  },
  tooManyStatements: {
    number: 8_180,
    severity: 16,
    text: ({ limit = 0 }) => `A client may have ${limit} prepared statements at a time.`,
  },
  unsupported: {
    number: 40_510,
    severity: 16,
    text: ({ detail = '' }) => `Feature not supported: ${detail}`,
  },
  userMissing: loginFailed,
} as const satisfies Record<FaultName, Words>;

/** Faults whose text already carries their detail. */
export const DETAIL_IN_TEXT: readonly FaultName[] = [
  'databaseRefused',
  'protocolViolation',
  'unsupported',
];

/** What errors of ours call the server that says them. */
export const OWN_SERVER = 'RDS Proxy';

/** The fault as an ERROR token says it. */
export function wordsOf(fault: Fault): ServerError {
  const { number, severity, text }: Words = faults[fault.name];
  const said = typeof text === 'string' ? text : text(fault);
  const { detail } = fault;
  const isSaid = detail === undefined || DETAIL_IN_TEXT.includes(fault.name);
  return {
    number,
    state: 1,
    severity,
    message: isSaid ? said : `${said.replace(/\.$/, '')}: ${detail}`,
    server: OWN_SERVER,
    procedure: '',
    line: 1,
  };
}

/** The fault as ERROR tokens: the database's own where that is what it is about. @param version of TDS, as the client speaks it */
export function errorTokens(fault: Fault, version: number): Uint8Array {
  return fault.original ?? error(wordsOf(fault), version);
}

/** The fault as a whole reply, in packets of the smallest size. @param version of TDS, as the client speaks it */
export function say(fault: Fault, version: number): Uint8Array {
  const end = done(token.done, doneStatus.error, 0, 0n, version);
  return message(packetType.result, concat([errorTokens(fault, version), end]), MIN_PACKET_BYTES);
}
