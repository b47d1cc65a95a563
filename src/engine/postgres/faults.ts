import type { Fault, FaultName } from '../../core/fault.ts';
import { errorResponse } from '../../wire/postgres/backend.ts';
import { readReport } from '../../wire/postgres/backend-read.ts';
import { HEADER_BYTES } from '../../wire/postgres/framing.ts';

interface Words {
  /** A SQLSTATE. */
  readonly code: string;
  readonly text: string | ((fault: Fault) => string);
}

/** Every fault in PostgreSQL's words; where Amazon RDS Proxy's code and text are known, they are these. */
export const faults = {
  borrowTimeout: { code: '08000', text: 'Timed-out waiting to acquire database connection.' },
  cancelled: { code: '57014', text: 'canceling statement due to user request' },
  channelBindingFailed: { code: '28000', text: 'SCRAM channel binding check failed' },
  channelBindingUnseen: { code: '28000', text: 'SCRAM channel binding negotiation error' },
  clientLimit: {
    code: '53300',
    text: (fault) =>
      `The maximum number of client connections to the proxy exceeded ${fault.limit ?? 0}.`,
  },
  clientTooSlow: { code: '08006', text: 'The client did not read its result in time.' },
  databaseLost: {
    code: '08006',
    text: 'The database connection was lost. Whether the request took effect is not known.',
  },
  databaseRefused: {
    code: 'XX000',
    text: (fault) =>
      `Request returned an error: ${fault.detail ?? 'the database refused the connection'}`,
  },
  draining: { code: '57P01', text: 'terminating connection due to administrator command' },
  iamExpected: {
    code: '28000',
    text: 'Enable IAM authentication for the client connection to the proxy and try again.',
  },
  iamNeedsTls: { code: '28000', text: 'IAM authentication is allowed only with SSL connections.' },
  iamRefused: {
    code: '28P01',
    text: (fault) =>
      `The IAM authentication failed for the role ${fault.user ?? ''}. Check the IAM token for this role and try again.`,
  },
  idleClient: { code: '57P05', text: 'terminating connection due to idle-session timeout' },
  internal: { code: 'XX000', text: 'Unknown error.' },
  killed: { code: '57P01', text: 'terminating connection due to administrator command' },
  loginRefused: {
    code: '28P01',
    text: (fault) => `The password that was provided for the role ${fault.user ?? ''} is wrong.`,
  },
  loginTimeout: { code: '08006', text: 'The client did not finish its login in time.' },
  protocolViolation: {
    code: '08P01',
    text: (fault) => `protocol violation: ${fault.detail ?? 'unexpected message'}`,
  },
  restoreFailed: {
    code: '08006',
    text: "The session's settings could not be restored on a database connection. Nothing was run.",
  },
  tlsRequired: { code: '28000', text: 'This RDS Proxy requires TLS connections.' },
  tooManyStatements: {
    code: '53400',
    text: (fault) => `A client may have ${fault.limit ?? 0} prepared statements at a time.`,
  },
  unsupported: { code: '0A000', text: (fault) => `Feature not supported: ${fault.detail ?? ''}` },
  userMissing: {
    code: '28000',
    text: 'A user name is missing from the connection startup packet. Provide a user name for this connection.',
  },
} as const satisfies Record<FaultName, Words>;

/** Faults whose text already carries their detail. */
const DETAIL_IN_TEXT: readonly FaultName[] = [
  'databaseRefused',
  'protocolViolation',
  'unsupported',
];

/** The fault as an ErrorResponse. FATAL ends the connection; ERROR ends the request. */
export function say(fault: Fault, severity: 'FATAL' | 'ERROR'): Uint8Array {
  // What ended a login of ours with FATAL may end no more than a request of the client's.
  if (fault.original !== undefined) {
    return errorResponse({ ...readReport(fault.original.subarray(HEADER_BYTES)), severity });
  }
  const { code, text }: Words = faults[fault.name];
  const detail = DETAIL_IN_TEXT.includes(fault.name) ? undefined : fault.detail;
  return errorResponse({
    severity,
    code,
    message: typeof text === 'string' ? text : text(fault),
    ...(detail === undefined ? {} : { detail }),
  });
}
