import { concat } from '../../base/bytes.ts';
import type { Fault } from '../../core/fault.ts';
import { FaultError } from '../../core/fault.ts';
import type { ServerError } from '../../wire/tds/tokens.ts';
import { error } from '../../wire/tds/tokens.ts';

/** Numbers by which a database says what another attempt, or another password, would come to. What else it says is for later. */
const numbers = {
  final: [
    911, // there is no such database
    916, // the login must not use the database
    4060, // the database cannot be opened
    4063,
    4064, // nor the login's default one
    2759, // the language is not known
  ],
  credentials: [
    18_452, // the login comes from an untrusted domain
    18_456, // login failed
    18_463,
    18_464,
    18_465,
    18_466,
    18_467,
    18_468, // the password cannot be used any more, or not as it is
    18_470, // the account is disabled
    18_486, // the account is locked
    18_487, // the password has expired
    18_488, // the password must be changed
  ],
} as const satisfies Partial<Record<NonNullable<Fault['refusal']>, readonly number[]>>;

/** The database's errors, as the client shall see them. There is at least one. @param version of TDS that the client speaks */
export function refusedBy(errors: readonly ServerError[], version: number): FaultError {
  const refusal = refusalOf(errors);
  const [first] = errors;
  const said = first === undefined || first.message === '' ? NO_REASON : first.message;
  return new FaultError({
    name: 'databaseRefused',
    refusal,
    detail: first === undefined ? said : `${said} (${first.number})`,
    ...(refusal === 'final' ? { original: concat(errors.map((one) => error(one, version))) } : {}),
  });
}

const NO_REASON = 'the database gave no reason';

/** Where it is about the database, it says as well that the login has failed. */
function refusalOf(errors: readonly ServerError[]): 'credentials' | 'final' | 'later' {
  for (const refusal of ['final', 'credentials'] as const) {
    const of: readonly number[] = numbers[refusal];
    if (errors.some(({ number }) => of.includes(number))) return refusal;
  }
  return 'later';
}
