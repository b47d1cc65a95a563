import { SecretText } from '../../../base/secret-text.ts';
import { listenAddress } from '../../../server/settings/fields.ts';
import type { Flag, Given } from '../../command.ts';
import { oneOf, UsageError } from '../../command.ts';

/** A server of the user's, and how to sign in there. */
export interface GivenServer {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: SecretText;
  /** Undefined for one of our own, which is dropped afterwards. */
  readonly database: string | undefined;
  readonly tls: (typeof tlsModes)[number];
  /** A file with the certificates to trust, for `verify-full`; undefined for those that the system knows. */
  readonly tlsCaFile: string | undefined;
}

const tlsModes = ['prefer', 'disable', 'require', 'verify-full'] as const;
/** Of SQL Server's own client. */
const PASSWORD_VARIABLE = 'SQLCMDPASSWORD';

/** They go with `--engine sqlserver`, and with no other. */
export const serverFlags: readonly Flag[] = [
  { name: 'server', value: 'HOST:PORT', what: 'With sqlserver: where yours is.' },
  { name: 'user', value: 'USER', what: 'With sqlserver: the login to use.' },
  {
    name: 'password',
    value: 'PASSWORD',
    what: `With sqlserver: its password, which others on this machine can see. Default: ${PASSWORD_VARIABLE} of the environment`,
  },
  {
    name: 'database',
    value: 'NAME',
    what: 'With sqlserver: where to make the tables. Default: a database that is made and dropped',
  },
  {
    name: 'tls',
    value: 'MODE',
    what: `With sqlserver: ${oneOf(tlsModes)}. Default: ${tlsModes[0]}`,
  },
  { name: 'tls-ca', value: 'FILE', what: 'With verify-full: whom to trust, in PEM.' },
];

/** Reads them. Throws a `UsageError` that says what is missing or wrong. */
export function readServer(
  given: Given,
  env: Readonly<Record<string, string | undefined>>,
): GivenServer {
  const server = given.get('server');
  if (server === undefined)
    throw new UsageError(
      'no SQL Server can be brought along: give one of yours, SQL Server or Babelfish, ' +
        'by --server HOST:PORT, --user USER and its password',
    );
  const address = listenAddress('').safeParse(server);
  if (!address.success)
    throw new UsageError('--server must be HOST:PORT, such as localhost:1433 or [::1]:1433');
  const user = given.get('user');
  if (user === undefined) throw new UsageError('--user USER is missing');
  const password = given.get('password') ?? env[PASSWORD_VARIABLE] ?? '';
  if (password === '')
    throw new UsageError(`a password is missing: set ${PASSWORD_VARIABLE}, or give --password`);
  const mode = given.get('tls') ?? tlsModes[0];
  const tls = tlsModes.find((one) => one === mode);
  if (tls === undefined) throw new UsageError(`--tls must be one of ${tlsModes.join(', ')}`);
  const tlsCaFile = given.get('tls-ca');
  if (tlsCaFile !== undefined && tls !== 'verify-full')
    throw new UsageError('--tls-ca goes with --tls verify-full');
  const { host, port } = address.data;
  const database = given.get('database');
  return { host, port, user, password: new SecretText(password), database, tls, tlsCaFile };
}
