// What we say to clients, whose server we play. Each function returns one whole message.
import { concat, EMPTY, utf8 } from '../../base/bytes.ts';
import { byte, cstring, int32, message, numbered } from './build.ts';
import { backend } from './message-types.ts';
import { reportDetails } from './report.ts';
import type { Report } from './report.ts';

/** Idle, in a transaction, in a failed transaction. */
export type TransactionStatus = 'I' | 'T' | 'E';

/** The codes of AuthenticationRequest, which all share one message type. */
export const authenticationCodes = {
  ok: 0,
  kerberosV5: 2,
  cleartextPassword: 3,
  md5Password: 5,
  gss: 7,
  gssContinue: 8,
  sspi: 9,
  sasl: 10,
  saslContinue: 11,
  saslFinal: 12,
} as const;

export function authenticationOk(): Uint8Array {
  return authentication(authenticationCodes.ok);
}

export function authenticationCleartextPassword(): Uint8Array {
  return authentication(authenticationCodes.cleartextPassword);
}

/** `salt` has four bytes. */
export function authenticationMd5Password(salt: Uint8Array): Uint8Array {
  return authentication(authenticationCodes.md5Password, salt);
}

/** The mechanisms in the order of our preference. */
export function authenticationSasl(mechanisms: readonly string[]): Uint8Array {
  return authentication(authenticationCodes.sasl, concat([...mechanisms.map(cstring), byte(0)]));
}

export function authenticationSaslContinue(data: Uint8Array): Uint8Array {
  return authentication(authenticationCodes.saslContinue, data);
}

export function authenticationSaslFinal(data: Uint8Array): Uint8Array {
  return authentication(authenticationCodes.saslFinal, data);
}

export function parameterStatus(name: string, value: string): Uint8Array {
  return message(backend.parameterStatus, cstring(name), cstring(value));
}

/** `pid` is unsigned; a secret of other than four bytes needs a client of protocol 3.2. */
export function backendKeyData(pid: number, secret: Uint8Array): Uint8Array {
  return numbered(backend.backendKeyData, pid, secret);
}

export function readyForQuery(status: TransactionStatus): Uint8Array {
  return message(backend.readyForQuery, utf8(status));
}

export function errorResponse(report: Report): Uint8Array {
  return message(backend.errorResponse, ...reportFields(report), byte(0));
}

export function noticeResponse(report: Report): Uint8Array {
  return message(backend.noticeResponse, ...reportFields(report), byte(0));
}

/** We speak at most protocol 3.`minor`, and know none of `unknownOptions` (full names, `_pq_.` included). */
export function negotiateProtocolVersion(
  minor: number,
  unknownOptions: readonly string[],
): Uint8Array {
  // The documentation says "minor version"; PostgreSQL sends, and libpq expects, major and minor together.
  const version = (3 << 16) | minor;
  const options = unknownOptions.map(cstring);
  return message(
    backend.negotiateProtocolVersion,
    int32(version),
    int32(options.length),
    ...options,
  );
}

function authentication(code: number, data: Uint8Array = EMPTY): Uint8Array {
  return numbered(backend.authentication, code, data);
}

/** S is the severity as shown to people, V the one for programs: we do not translate, so both are the same. */
function reportFields(report: Report): Uint8Array[] {
  const fields = [cstring(`S${report.severity}`), cstring(`V${report.severity}`)];
  if (report.code !== undefined) fields.push(cstring(`C${report.code}`));
  fields.push(cstring(`M${report.message}`));
  for (const [name, letter] of reportDetails) {
    const value = report[name];
    if (value !== undefined) fields.push(cstring(letter + value));
  }
  return fields;
}
