import { CERTIFICATE, launch } from '../support/launch.ts';
import { DATABASE, USER } from '../support/line.ts';
import { newestProgram } from '../support/newest.ts';
import type { Pooler } from '../support/pooler.ts';
import { MAX_CLIENTS, POOL_SIZE } from '../support/pooler.ts';
import type { BenchDatabase } from './database.ts';

/** Debian's, and nearly everybody's. */
const NOBODY = { name: 'nobody', uid: 65_534, gid: 65_534 } as const;

/** PgBouncer: the newest that Debian has; otherwise the machine's own. Rejects with what to install where there is neither. */
export async function pgbouncer(
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<Pooler<BenchDatabase>> {
  const { command, said } = await newestProgram(
    {
      title: 'PgBouncer',
      packageName: 'pgbouncer',
      path: 'usr/sbin/pgbouncer',
      own: ['pgbouncer', '/usr/sbin/pgbouncer'],
      versionArgs: ['--version'],
      otherwise: 'measure without: --rival none',
    },
    say,
    signal,
  );
  // It refuses to be root.
  const account = process.getuid?.() === 0 ? NOBODY : undefined;
  const flags = ['--quiet', ...(account === undefined ? [] : [`--user=${account.name}`])];
  return {
    key: 'pgbouncer',
    title: 'PgBouncer',
    version: /^PgBouncer (\S+)/.exec(said)?.[1] ?? said,
    start: (surroundings) =>
      launch(
        {
          key: 'pgbouncer',
          files: (listen) => filesFor(listen, surroundings.database),
          command: () => [...command, ...flags, 'pgbouncer.ini'],
          env: { PATH: process.env['PATH'] ?? '' },
          ...(account === undefined ? {} : { account }),
        },
        surroundings,
      ),
  };
}

/** Its manual's recommendations where it has any, otherwise its own defaults. */
function filesFor(
  listen: { readonly host: string; readonly port: number },
  { host, port, scramSecret }: BenchDatabase,
): Readonly<Record<string, string>> {
  const settings = {
    listen_addr: listen.host,
    listen_port: listen.port,
    unix_socket_dir: '',
    auth_type: 'scram-sha-256',
    auth_file: 'users.txt',
    pool_mode: 'transaction',
    default_pool_size: POOL_SIZE,
    max_client_conn: MAX_CLIENTS,
    max_prepared_statements: 200,
    server_tls_sslmode: 'disable',
    client_tls_sslmode: 'allow',
    client_tls_protocols: 'tlsv1.3',
    client_tls_cert_file: CERTIFICATE.certFile,
    client_tls_key_file: CERTIFICATE.keyFile,
    log_connections: 0,
    log_disconnections: 0,
    log_stats: 0,
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name} = ${value}`);
  return {
    'pgbouncer.ini': [
      '[databases]',
      `${DATABASE} = host=${host} port=${port} dbname=${DATABASE}`,
      '[pgbouncer]',
      ...lines,
      '',
    ].join('\n'),
    // The secret that the database has: nothing needs to be derived from a password, not even once.
    'users.txt': `"${USER}" "${scramSecret.reveal()}"\n`,
  };
}
