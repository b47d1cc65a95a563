import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { runToEnd } from './command.ts';
import { CERTIFICATE, launch } from './launch.ts';
import type { Line } from './line.ts';
import type { Pooler } from './pooler.ts';
import { MAX_CLIENTS, POOL_SIZE } from './pooler.ts';
import { SLUICE } from './report.ts';

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

/** This checkout. */
const OURS: readonly string[] = [process.execPath, main];

/** What Sluice is told of the database and its protocol. */
export interface Engine {
  readonly engine: string;
  readonly engineFamily: string;
}

/** What is measured: this checkout, or the Sluice that this command runs. */
export function ourSluice<Database extends Line>(
  command: string | undefined,
  engine: Engine,
  signal: AbortSignal,
): Promise<Pooler<Database>> {
  const words = command === undefined ? OURS : shell(command);
  return sluice(SLUICE, 'Sluice', words, engine, signal);
}

/** The `number`th other Sluice, which this command runs. */
export function otherSluice<Database extends Line>(
  number: number,
  command: string,
  engine: Engine,
  signal: AbortSignal,
): Promise<Pooler<Database>> {
  const suffix = number === 1 ? '' : String(number);
  return sluice(`other${suffix}`, `Other${suffix}`, shell(command), engine, signal);
}

/** A command as it is typed here, to which arguments are added. */
function shell(command: string): readonly string[] {
  return ['/bin/sh', '-c', `cd "$0" && exec ${command} "$@"`, process.cwd()];
}

/** Sluice as one process, by the command that runs it, to which `serve` and its flags are added. */
async function sluice<Database extends Line>(
  key: string,
  title: string,
  command: readonly string[],
  engine: Engine,
  signal: AbortSignal,
): Promise<Pooler<Database>> {
  const { out } = await runToEnd([...command, 'version'], { signal });
  return {
    ...{ key, title },
    version: /\d\S*/.exec(out)?.[0] ?? out.trim(),
    start: (surroundings) =>
      launch(
        {
          key,
          files: (listen) => ({ 'sluice.yaml': settings(listen, surroundings.database, engine) }),
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
  { host, port, user, database }: Line,
  { engine, engineFamily }: Engine,
): string {
  return stringify({
    region: 'eu-central-1',
    account: '123456789012',
    secrets: [{ name: 'bench', value: { username: user, password: '${BENCH_PASSWORD}' } }],
    databases: [
      {
        identifier: 'db',
        engine,
        ...{ host, port },
        tls: 'disable',
        database,
        // One is for watching the database.
        maxConnections: POOL_SIZE + 1,
      },
    ],
    proxies: [
      {
        name: 'bench',
        engineFamily,
        listen: `${listen.host}:${listen.port}`,
        target: 'db',
        auth: [{ secret: 'bench' }],
        // By default it is a tenth with SQL Server, as with RDS Proxy.
        pool: { maxConnectionsPercent: 100 },
        tls: CERTIFICATE,
        maxClientConnections: MAX_CLIENTS,
      },
    ],
    workers: 1,
  });
}
