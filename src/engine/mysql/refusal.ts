import type { Fault } from '../../core/fault.ts';
import { FaultError } from '../../core/fault.ts';
import { capability } from '../../wire/mysql/capabilities.ts';
import { error, readError } from '../../wire/mysql/err.ts';

/** Codes of both families by which a database says what another attempt, or another password, would come to. */
const codes = {
  credentials: [
    1045, // access denied
    1251, // an authentication protocol that the client does not support
    1698, // access denied without a password
    1275, // a password in the old format
  ],
  later: [
    1040, // too many connections
    1042, // bad host name: it could not be looked up
    1053, // server shutdown
    1129, // host blocked after too many failed attempts
    1158,
    1159,
    1160,
    1161, // trouble with reading or writing
    1203, // too many connections of this user
    1226, // the user has reached another of its limits
    1927, // MariaDB: the connection was killed
    3032, // the server is offline for now
    3168, // server not available
    65_535, // no error but a report of progress, as whose the client would take it
  ],
} as const satisfies Partial<Record<NonNullable<Fault['refusal']>, readonly number[]>>;

/** The database's own error, the payload of an ERR packet, as the client shall see it. */
export function refusedBy(payload: Uint8Array): FaultError {
  const { code, sqlState, message } = readError(payload);
  const refusal = refusalOf(code, sqlState);
  const said = message === '' ? 'the database gave no reason' : message;
  const original = error({ code, sqlState: sqlState || 'HY000', message }, capability.protocol41);
  return new FaultError({
    name: 'databaseRefused',
    refusal,
    detail: `${said} (${code})`,
    ...(refusal === 'final' ? { original } : {}),
  });
}

function refusalOf(code: number, sqlState: string): 'credentials' | 'final' | 'later' {
  for (const refusal of ['credentials', 'later'] as const)
    if (codes[refusal].some((one) => one === code)) return refusal;
  return sqlState.startsWith('08') ? 'later' : 'final';
}
