import { runToEnd } from '../support/command.ts';
import type { Listen } from '../support/launch.ts';
import { CERTIFICATE, launch } from '../support/launch.ts';
import type { Found } from '../support/newest.ts';
import { newestProgram } from '../support/newest.ts';
import type { Pooler, RunningPooler } from '../support/pooler.ts';
import { MAX_CLIENTS } from '../support/pooler.ts';
import type { BenchDatabase } from './database.ts';
import { connectionsWith } from './sharing.ts';

/** For clients without TLS, who show their password sealed with an RSA key; it has no use for the other certificate. */
const RSA_FILES = { certFile: 'rsa.crt', keyFile: 'rsa.key' } as const;
/** So many clients that come one after the other need no more than these connections, if any are shared. */
const SHARING = { clients: 50, connections: 10 } as const;

/** MySQL Router, which shares connections. */
export async function router(
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<Pooler<BenchDatabase>> {
  const found = await newestProgram(
    {
      title: 'MySQL Router',
      packageName: 'mysql-router',
      path: 'usr/bin/mysqlrouter',
      libraries: ['usr/lib/mysql-router'],
      own: ['mysqlrouter'],
      versionArgs: ['--version'],
      otherwise: 'measure without: --rival haproxy, or none',
    },
    say,
    signal,
  );
  const rsa = await rsaCertificate(signal);
  return {
    key: 'router',
    title: 'Router',
    version: /Ver (\S+)/.exec(found.said)?.[1] ?? found.said,
    async start(surroundings) {
      const { database } = surroundings;
      const running = await launch(
        {
          key: 'router',
          tlsApart: true,
          files: (listen) => ({ 'router.conf': configure(listen, database, found), ...rsa }),
          command: () => [
            ...found.command,
            ...['--config', 'router.conf'],
            // It becomes somebody else where nobody says so.
            ...(process.getuid?.() === 0 ? ['--user=root'] : []),
          ],
          env: { PATH: process.env['PATH'] ?? '' },
        },
        surroundings,
      );
      try {
        await expectSharing(running, database);
        return running;
      } catch (problem) {
        await running[Symbol.asyncDispose]();
        throw problem;
      }
    },
  };
}

/** The files by their names. */
async function rsaCertificate(signal: AbortSignal): Promise<Readonly<Record<string, string>>> {
  const request = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '30'];
  const { out } = await runToEnd(
    ['openssl', ...request, '-subj', '/CN=localhost', '-keyout', '-', '-out', '-'],
    { signal },
  );
  return { [RSA_FILES.certFile]: out, [RSA_FILES.keyFile]: out };
}

/** Its documentation's example of sharing; where that leaves something open, what makes it do least. */
function configure(listen: Listen, database: BenchDatabase, { root }: Found): string {
  const everywhere = {
    bind_address: listen.host,
    destinations: `${database.host}:${database.port}`,
    routing_strategy: 'first-available',
    protocol: 'classic',
    connection_sharing: 1,
    // A connection is another client's as soon as it is free; its default keeps it for a second.
    connection_sharing_delay: 0,
    client_ssl_mode: 'PREFERRED',
    server_ssl_mode: 'DISABLED',
    max_connect_errors: 4_294_967_295,
  };
  const sections = {
    DEFAULT: {
      logging_folder: '',
      ...{ runtime_folder: '.', data_folder: '.', pid_file: 'router.pid' },
      ...(root === undefined ? {} : { plugin_folder: `${root}/usr/lib/mysqlrouter/plugin` }),
      max_total_connections: MAX_CLIENTS,
    },
    logger: { level: 'WARNING' },
    // One, as Sluice has: with more of them each query costs more.
    io: { threads: 1 },
    // Its own default where it sets itself up.
    connection_pool: { max_idle_server_connections: 64 },
    'routing:plain': {
      ...everywhere,
      bind_port: listen.port,
      ...{ client_ssl_cert: RSA_FILES.certFile, client_ssl_key: RSA_FILES.keyFile },
    },
    'routing:tls': {
      ...everywhere,
      bind_port: listen.tlsPort,
      ...{ client_ssl_cert: CERTIFICATE.certFile, client_ssl_key: CERTIFICATE.keyFile },
    },
  };
  const lines = (settings: Readonly<Record<string, string | number>>): string =>
    Object.entries(settings)
      .map(([name, value]) => `${name}=${value}`)
      .join('\n');
  return Object.entries(sections)
    .map(([name, settings]) => `[${name}]\n${lines(settings)}\n`)
    .join('\n');
}

/** It falls back to a connection for each client without a word where something does not suit it. */
async function expectSharing(running: RunningPooler, database: BenchDatabase): Promise<void> {
  for (const tls of [false, true]) {
    const count = await connectionsWith(SHARING.clients, running.line(tls), database);
    if (count > SHARING.connections) {
      throw new Error(
        `MySQL Router does not share: ${SHARING.clients} clients have ${count} connections`,
      );
    }
  }
}
