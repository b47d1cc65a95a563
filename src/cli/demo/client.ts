import { HOSTNAME } from './proxy.ts';

/** How somebody signs in at the proxy by hand. */
export interface ClientLogin {
  readonly port: number;
  /** A file with the proxy's certificate. */
  readonly certPath: string;
  readonly database: string;
  readonly user: string;
  /** Or the command that prints an IAM token, for a shell. */
  readonly password: string | { readonly by: string };
}

/** A database's own client: the command to paste into a shell. */
export type Client = (login: ClientLogin) => string;

export function psql({ port, certPath, database, user, password }: ClientLogin): string {
  const place = `${HOSTNAME}:${port}/${database}?sslmode=verify-full&sslrootcert=${pathForUrl(certPath)}`;
  if (typeof password === 'string') return `psql 'postgresql://${user}:${password}@${place}'`;
  return `PGPASSWORD="$(${password.by})" \\
  psql 'postgresql://${user}@${place}'`;
}

export function mysql(login: ClientLogin): string {
  const trust = `--ssl-mode=VERIFY_IDENTITY --ssl-ca=${quoted(login.certPath)}`;
  // By itself it sends nothing that can be read, encrypted or not.
  const token = typeof login.password === 'string' ? '' : ' --enable-cleartext-plugin';
  return `mysql ${mysqlOptions(login)}${token} \\\n  ${trust} ${login.database}`;
}

export function mariadb(login: ClientLogin): string {
  const trust = `--ssl-verify-server-cert --ssl-ca=${quoted(login.certPath)}`;
  return `mariadb ${mysqlOptions(login)} \\\n  ${trust} ${login.database}`;
}

/** Without the protocol's name, `localhost` would mean a Unix socket. */
function mysqlOptions({ port, user, password }: ClientLogin): string {
  const proof = typeof password === 'string' ? password : `"$(${password.by})"`;
  return `--protocol=TCP --host=${HOSTNAME} --port=${port} --user=${user} --password=${proof}`;
}

/** The password stands in the environment, where nobody else on the machine sees it. Nobody looks at the certificate. */
export function sqlcmd({ port, database, user, password }: ClientLogin): string {
  const proof = typeof password === 'string' ? quoted(password) : `"$(${password.by})"`;
  return `SQLCMDPASSWORD=${proof} \\
  sqlcmd -S tcp:${HOSTNAME},${port} -U ${quoted(user)} -d ${quoted(database)} -N -C`;
}

function pathForUrl(path: string): string {
  return path.split('/').map(encodeURIComponent).join('/').replaceAll("'", '%27');
}

/** For a shell, inside double quotes' command substitution or outside. */
export function quoted(word: string): string {
  return /^[\w./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
