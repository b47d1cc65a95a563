import { resolve } from 'node:path';
import type { ServeOptions } from '../server/process.ts';
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

const dataDirectoryFlag: Flag = {
  name: 'data-dir',
  value: 'DIRECTORY',
  what: 'Serve the AWS API at `admin.listen`, and keep there what it makes.',
};

function optionsFrom(given: ReadonlyMap<string, string>, env: ServeOptions['env']): ServeOptions {
  const dataDirectory = given.get(dataDirectoryFlag.name);
  const settings = { settingsPath: settingsPath(given), env, version };
  return dataDirectory === undefined
    ? settings
    : { ...settings, dataDirectory: resolve(dataDirectory) };
}

/** What `configFlag` says. */
export function settingsPath(given: ReadonlyMap<string, string>): string {
  return given.get(configFlag.name) ?? DEFAULT_FILE;
}

/** What `serve` starts when the settings want several workers; not for people. */
export const workerCommand: Command = {
  summary: 'One of several workers. Started by `sluice serve`.',
  flags: [configFlag, dataDirectoryFlag],
  run: (given, io) => work(optionsFrom(given, io.env)),
};

export const serveCommand: Command = {
  summary:
    'Run the proxies. SIGHUP reads the settings again; SIGTERM lets work under way end, then stops.',
  flags: [configFlag, dataDirectoryFlag],
  run: (given, io) => serve(optionsFrom(given, io.env)),
};
