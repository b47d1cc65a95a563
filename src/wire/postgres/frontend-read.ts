// What clients say and we look at. During the login each function reads a body; after it, `bytes[start, end)` is the body
// and the results are offsets into `bytes`: nothing is copied.
import { SecretText } from '../../base/secret-text.ts';
import { BodyReader } from '../../base/body-reader.ts';

/** Empty passwords are passed on as they are: whether they are allowed is not a question of form. */
export function readPasswordMessage(body: Uint8Array): SecretText {
  const reader = new BodyReader('PasswordMessage', body);
  const password = new SecretText(reader.cstring());
  reader.end();
  return password;
}

export function readSaslInitialResponse(body: Uint8Array): {
  readonly mechanism: string;
  /** A copy. Undefined where the client waits for the server to speak first. */
  readonly response: Uint8Array | undefined;
} {
  const reader = new BodyReader('SASLInitialResponse', body);
  const mechanism = reader.cstring();
  const length = reader.i32be();
  const start = reader.at;
  if (length !== -1) reader.skip(length);
  reader.end();
  const response = length === -1 ? undefined : body.slice(start);
  return { mechanism, response };
}

/** Returns where the SQL text, which begins at `start`, ends. */
export function readQuery(bytes: Uint8Array, start: number, end: number): number {
  const reader = new BodyReader('Query', bytes, start, end);
  const sqlEnd = reader.skipCstring();
  reader.end();
  return sqlEnd;
}

export interface ParseMessage {
  /** The statement's name begins where the body does; empty is the unnamed statement. */
  readonly nameEnd: number;
  readonly sqlStart: number;
  readonly sqlEnd: number;
}

export function readParse(bytes: Uint8Array, start: number, end: number): ParseMessage {
  const reader = new BodyReader('Parse', bytes, start, end);
  const nameEnd = reader.skipCstring();
  const sqlStart = reader.at;
  const sqlEnd = reader.skipCstring();
  const typeBytes = reader.u16be() * 4;
  reader.skip(typeBytes);
  reader.end();
  return { nameEnd, sqlStart, sqlEnd };
}

export interface BindMessage {
  /** The portal's name begins where the body does. */
  readonly portalEnd: number;
  readonly statementStart: number;
  readonly statementEnd: number;
}

/** Looks at the names only: the values that follow are the database's to judge, and may not have arrived yet. */
export function readBind(bytes: Uint8Array, start: number, end: number): BindMessage {
  const reader = new BodyReader('Bind', bytes, start, end);
  const portalEnd = reader.skipCstring();
  const statementStart = reader.at;
  return { portalEnd, statementStart, statementEnd: reader.skipCstring() };
}

export interface NamedThing {
  readonly kind: 'statement' | 'portal';
  readonly nameStart: number;
  readonly nameEnd: number;
}

/** Reads a Describe or a Close: both name a statement or a portal. */
export function readNamedThing(bytes: Uint8Array, start: number, end: number): NamedThing {
  const reader = new BodyReader('Describe or Close', bytes, start, end);
  const letter = reader.u8();
  if (letter !== STATEMENT && letter !== PORTAL)
    throw reader.violation('neither statement nor portal');
  const nameStart = reader.at;
  const nameEnd = reader.skipCstring();
  reader.end();
  return { kind: letter === STATEMENT ? 'statement' : 'portal', nameStart, nameEnd };
}

const STATEMENT = 0x53; // S
const PORTAL = 0x50; // P

/** Returns where the portal's name, which begins at `start`, ends. */
export function readExecute(bytes: Uint8Array, start: number, end: number): number {
  const reader = new BodyReader('Execute', bytes, start, end);
  const portalEnd = reader.skipCstring();
  reader.i32be();
  reader.end();
  return portalEnd;
}
