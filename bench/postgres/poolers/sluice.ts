import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { runToEnd } from '../../support/command.ts';
import type { BenchDatabase } from '../database.ts';
import { DATABASE, USER } from '../line.ts';
import { CERTIFICATE, launch } from './launch.ts';
import type { Pooler } from './pooler.ts';
import { MAX_CLIENTS, POOL_SIZE } from './pooler.ts';

const main = fileURLToPath(new URL('../../../src/main.ts', import.meta.url));

/** This checkout. */
export const OURS: readonly string[] = [process.execPath, main];

/** Sluice as one process, by the command that runs it, to which `serve` and its flags are added. */
export async function sluice(
  key: string,
  title: string,
  command: readonly string[],
  signal: AbortSignal,
): Promise<Pooler> {
  const { out } = await runToEnd([...command, 'version'], { signal });
  return {
    ...{ key, title },
    version: /\d\S*/.exec(out)?.[0] ?? out.trim(),
    start: (surroundings) =>
      launch(
        {
          key,
          files: (listen) => ({ 'sluice.yaml': settings(listen, surroundings.database) }),
          // In full: the command may run somewhere else.
          command: (directory) => [
            ...command,
            ...['serve', '--config', join(directory, 'sluice.yaml')],
          ],
          env: {
            PATH: process.env['PATH'] ?? '',
            BENCH_PASSWORD: surroundings.database.password.reveal(),
          },
        },
        surroundings,
      ),
  };
}

function settings(
  listen: { readonly host: string; readonly port: number },
  { host, port }: BenchDatabase,
): string {
  return stringify({
    region: 'eu-central-1',
    account: '123456789012',
    secrets: [{ name: USER, value: { username: USER, password: '${BENCH_PASSWORD}' } }],
    databases: [
      {
        identifier: 'db',
        engine: 'postgres',
        ...{ host, port },
        tls: 'disable',
        database: DATABASE,
        // One is for watching the database.
        maxConnections: POOL_SIZE + 1,
      },
    ],
    proxies: [
      {
        name: 'bench',
        engineFamily: 'POSTGRESQL',
        listen: `${listen.host}:${listen.port}`,
        target: 'db',
        auth: [{ secret: USER }],
        tls: CERTIFICATE,
        maxClientConnections: MAX_CLIENTS,
      },
    ],
    workers: 1,
  });
}
