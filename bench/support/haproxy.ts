import { join } from 'node:path';
import { launch } from './launch.ts';
import { newestProgram } from './newest.ts';
import type { Line } from './line.ts';
import type { Pooler } from './pooler.ts';

/** HAProxy as it passes bytes on, TLS or not, and shares nothing: what a pooler costs beyond that. */
export async function haproxy<Database extends Line>(
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<Pooler<Database>> {
  const { command, said } = await newestProgram(
    {
      title: 'HAProxy',
      packageName: 'haproxy',
      path: 'usr/sbin/haproxy',
      own: ['haproxy', '/usr/sbin/haproxy'],
      versionArgs: ['-v'],
      otherwise: 'measure without: another --rival, or none',
    },
    say,
    signal,
  );
  return {
    key: 'haproxy',
    title: 'HAProxy',
    version: /version (\S+)/.exec(said)?.[1] ?? said,
    start: (surroundings) =>
      launch(
        {
          key: 'haproxy',
          files: (listen) => ({ 'haproxy.cfg': configure(listen, surroundings.database) }),
          command: (directory) => [...command, '-db', '-q', '-f', join(directory, 'haproxy.cfg')],
          env: { PATH: process.env['PATH'] ?? '' },
        },
        surroundings,
      ),
  };
}

function configure(
  listen: { readonly host: string; readonly port: number },
  { host, port }: Line,
): string {
  // As many clients as it has files for: its own default.
  return `global
  # One, as Sluice has.
  nbthread 1
defaults
  mode tcp
  timeout connect 10s
  timeout client 1h
  timeout server 1h
listen bench
  bind ${listen.host}:${listen.port}
  server database ${host}:${port}
`;
}
