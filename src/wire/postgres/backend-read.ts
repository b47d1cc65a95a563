// What a database says to us. Each function reads the body of one message: all of it after type and length.
import { BodyReader } from '../../base/body-reader.ts';
import { authenticationCodes } from './backend.ts';
import type { TransactionStatus } from './backend.ts';
import { reportDetails } from './report.ts';
import type { Report, ReportDetails } from './report.ts';
import { readSecret } from './startup.ts';

export type AuthenticationRequest =
  | { readonly kind: 'ok' }
  | { readonly kind: 'cleartextPassword' }
  /** `salt` is a copy of four bytes. */
  | { readonly kind: 'md5Password'; readonly salt: Uint8Array }
  | { readonly kind: 'sasl'; readonly mechanisms: readonly string[] }
  | { readonly kind: 'saslContinue'; readonly data: string }
  | { readonly kind: 'saslFinal'; readonly data: string }
  /** A method we do not speak; the name is for people. */
  | { readonly kind: 'unsupported'; readonly method: string };

export function readAuthentication(body: Uint8Array): AuthenticationRequest {
  const reader = new BodyReader('authentication request', body);
  const code = reader.i32be();
  switch (code) {
    case authenticationCodes.ok:
      return whole(reader, { kind: 'ok' });
    case authenticationCodes.cleartextPassword:
      return whole(reader, { kind: 'cleartextPassword' });
    case authenticationCodes.md5Password:
      return whole(reader, { kind: 'md5Password', salt: reader.take(4).slice() });
    case authenticationCodes.sasl:
      return whole(reader, { kind: 'sasl', mechanisms: readMechanisms(reader) });
    case authenticationCodes.saslContinue:
      return { kind: 'saslContinue', data: reader.takeText(reader.remaining) };
    case authenticationCodes.saslFinal:
      return { kind: 'saslFinal', data: reader.takeText(reader.remaining) };
    default:
      return { kind: 'unsupported', method: methodName(code) };
  }
}

function whole<T>(reader: BodyReader, request: T): T {
  reader.end();
  return request;
}

function readMechanisms(reader: BodyReader): string[] {
  const mechanisms: string[] = [];
  for (let name = reader.cstring(); name !== ''; name = reader.cstring()) mechanisms.push(name);
  return mechanisms;
}

function methodName(code: number): string {
  switch (code) {
    case authenticationCodes.kerberosV5:
      return 'Kerberos V5';
    case authenticationCodes.gss:
    case authenticationCodes.gssContinue:
      return 'GSSAPI';
    case authenticationCodes.sspi:
      return 'SSPI';
    default:
      return `method ${code}`;
  }
}

export function readParameterStatus(body: Uint8Array): {
  readonly name: string;
  readonly value: string;
} {
  const reader = new BodyReader('ParameterStatus', body);
  const name = reader.cstring();
  const value = reader.cstring();
  reader.end();
  return { name, value };
}

/** `pid` is unsigned; `secret` is a copy, four bytes in protocol 3.0 and 4 to 256 in 3.2 (trap PG-27). */
export function readBackendKeyData(body: Uint8Array): {
  readonly pid: number;
  readonly secret: Uint8Array;
} {
  const reader = new BodyReader('BackendKeyData', body);
  const pid = reader.u32be();
  return { pid, secret: readSecret(reader) };
}

export function readReadyForQuery(body: Uint8Array): TransactionStatus {
  const reader = new BodyReader('ReadyForQuery', body);
  const status = String.fromCharCode(reader.u8());
  reader.end();
  if (status === 'I' || status === 'T' || status === 'E') return status;
  throw reader.violation('a transaction status that does not exist');
}

/** Reads an ErrorResponse or a NoticeResponse. Fields that nobody has defined yet are passed over. */
export function readReport(body: Uint8Array): Report {
  const reader = new BodyReader('ErrorResponse', body);
  const fields = new Map<string, string>();
  for (let letter = reader.u8(); letter !== 0; letter = reader.u8()) {
    fields.set(String.fromCharCode(letter), reader.cstring());
  }
  reader.end();
  const details: ReportDetails = {};
  for (const [name, letter] of reportDetails) {
    const value = fields.get(letter);
    if (value !== undefined) details[name] = value;
  }
  const code = fields.get('C');
  return {
    severity: fields.get('V') ?? fields.get('S') ?? '',
    ...(code !== undefined && { code }),
    message: fields.get('M') ?? '',
    ...details,
  };
}

/** The newest minor version of protocol 3 that the database speaks, and the options it does not know. */
export function readNegotiateProtocolVersion(body: Uint8Array): {
  readonly minor: number;
  readonly unknownOptions: readonly string[];
} {
  const reader = new BodyReader('NegotiateProtocolVersion', body);
  // PostgreSQL sends the whole version, the documentation promises the minor one alone: the lower half is right for both.
  const minor = reader.u32be() & 0xffff;
  const unknownOptions: string[] = [];
  for (let left = reader.u32be(); left > 0; left -= 1) unknownOptions.push(reader.cstring());
  reader.end();
  return { minor, unknownOptions };
}

/** What a completed command calls itself, for instance `SELECT 1`. */
export function readCommandComplete(body: Uint8Array): string {
  const reader = new BodyReader('CommandComplete', body);
  const tag = reader.cstring();
  reader.end();
  return tag;
}

/** Table, attribute number, type, type size, type modifier and format of a column. */
const COLUMN_FACTS_BYTES = 4 + 2 + 4 + 2 + 4 + 2;

/** The names of the columns. */
export function readRowDescription(body: Uint8Array): string[] {
  const reader = new BodyReader('RowDescription', body);
  const names: string[] = [];
  for (let left = reader.u16be(); left > 0; left -= 1) {
    names.push(reader.cstring());
    reader.skip(COLUMN_FACTS_BYTES);
  }
  reader.end();
  return names;
}

/** The columns of a row in text format, as the simple protocol sends them. */
export function readDataRow(body: Uint8Array): (string | null)[] {
  const reader = new BodyReader('DataRow', body);
  const columns: (string | null)[] = [];
  for (let left = reader.u16be(); left > 0; left -= 1) {
    const bytes = reader.i32be();
    columns.push(bytes === -1 ? null : reader.takeText(bytes));
  }
  reader.end();
  return columns;
}
