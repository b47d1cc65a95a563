/**
 * A fault is a named, expected failure. Each engine says every one of them in its own protocol's words
 * (`engine/<name>/faults`), and the log has its own text. A detail is for people: never a secret, never another session's data.
 */
export type FaultName =
  | 'borrowTimeout'
  | 'cancelled'
  | 'channelBindingFailed'
  | 'channelBindingUnseen'
  | 'clientLimit'
  | 'clientTooSlow'
  | 'databaseLost'
  | 'databaseRefused'
  | 'draining'
  | 'iamExpected'
  | 'iamNeedsTls'
  | 'iamRefused'
  | 'idleClient'
  | 'internal'
  | 'killed'
  | 'loginRefused'
  | 'loginTimeout'
  | 'protocolViolation'
  | 'restoreFailed'
  | 'tlsRequired'
  | 'tooManyStatements'
  | 'unsupported'
  | 'userMissing';

/** What an engine needs beside the name to say a fault: all of it may be shown to the client. */
export interface Fault {
  readonly name: FaultName;
  /** The login the fault is about, where the text names it. */
  readonly user?: string;
  /** A limit the text names. */
  readonly limit?: number;
  /** A sentence for the client in addition to the fault's own text. */
  readonly detail?: string;
  /**
   * With `databaseRefused`: is it the credentials, is it final for this principal, or may a later attempt succeed? Or `again`:
   * at once and on a new connection, with the lesson that the engine has drawn.
   */
  readonly refusal?: 'credentials' | 'final' | 'later' | 'again';
  /** The database's own error, passed through when the fault is `databaseRefused`: code, text and the like, in the engine's words. */
  readonly original?: Uint8Array;
}

/** A fault as an exception: for use inside a conversation. */
export class FaultError extends Error {
  override readonly name = 'FaultError';
  readonly fault: Fault;
  /** What the client must hear, where that depends on how far the conversation has come. */
  readonly words: Uint8Array | undefined;

  constructor(fault: Fault, words?: Uint8Array) {
    super(fault.detail ?? fault.name);
    this.fault = fault;
    this.words = words;
  }
}

/** How loudly each fault is logged, and whose doing it is. */
export const faultFacts = {
  borrowTimeout: { level: 'warn', side: 'server' },
  cancelled: { level: 'info', side: 'client' },
  channelBindingFailed: { level: 'warn', side: 'client' },
  channelBindingUnseen: { level: 'warn', side: 'client' },
  clientLimit: { level: 'warn', side: 'client' },
  clientTooSlow: { level: 'warn', side: 'client' },
  databaseLost: { level: 'warn', side: 'server' },
  databaseRefused: { level: 'warn', side: 'server' },
  draining: { level: 'info', side: 'sluice' },
  iamExpected: { level: 'warn', side: 'client' },
  iamNeedsTls: { level: 'warn', side: 'client' },
  iamRefused: { level: 'warn', side: 'client' },
  idleClient: { level: 'info', side: 'client' },
  internal: { level: 'error', side: 'sluice' },
  killed: { level: 'info', side: 'client' },
  loginRefused: { level: 'warn', side: 'client' },
  loginTimeout: { level: 'info', side: 'client' },
  protocolViolation: { level: 'warn', side: 'client' },
  restoreFailed: { level: 'warn', side: 'server' },
  tlsRequired: { level: 'warn', side: 'client' },
  tooManyStatements: { level: 'warn', side: 'client' },
  unsupported: { level: 'warn', side: 'client' },
  userMissing: { level: 'warn', side: 'client' },
} as const satisfies Record<
  FaultName,
  { level: 'info' | 'warn' | 'error'; side: 'client' | 'server' | 'sluice' }
>;
