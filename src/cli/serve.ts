import { serve } from '../server/serve.ts';
import { work } from '../server/workers/worker.ts';
import type { Command, Flag } from './command.ts';
import { version } from './version.ts';

const DEFAULT_FILE = 'sluice.yaml';

export const configFlag: Flag = {
  name: 'config',
  value: 'FILE',
  what: `The settings, in YAML. Default: ${DEFAULT_FILE}`,
};

/** What `configFlag` says. */
export function settingsPath(given: ReadonlyMap<string, string>): string {
  return given.get(configFlag.name) ?? DEFAULT_FILE;
}

/** What `serve` starts when the settings want several workers; not for people. */
export const workerCommand: Command = {
  summary: 'One of several workers. Started by `sluice serve`.',
  flags: [configFlag],
  run: (given, io) => work({ settingsPath: settingsPath(given), env: io.env, version }),
};

export const serveCommand: Command = {
  summary:
    'Run the proxies. SIGHUP reads the settings again; SIGTERM lets work under way end, then stops.',
  flags: [configFlag],
  run: (given, io) => serve({ settingsPath: settingsPath(given), env: io.env, version }),
};
