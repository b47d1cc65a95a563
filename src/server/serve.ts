import { systemClock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import { openLog } from '../base/log.ts';
import { systemRandom } from '../base/random.ts';
import { watchProcess } from '../metrics/process.ts';
import type { HttpServer } from '../net/http.ts';
import { startAdmin } from './admin.ts';
import { Server } from './server.ts';
import { loadSettings } from './settings/load.ts';
import { SettingsError } from './settings/problems.ts';
import type { Settings } from './settings/settings.ts';
import { GeneratedCertificates } from './tls-material.ts';

export interface ServeOptions {
  readonly settingsPath: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly version: string;
}

/**
 * Runs until SIGTERM or SIGINT has drained it, and returns the exit code. SIGHUP reads the settings again. A second
 * SIGTERM or SIGINT ends at once. Throws `SettingsError` where it cannot start for the settings' sake.
 */
export async function serve({ settingsPath, env, version }: ServeOptions): Promise<number> {
  let settings = loadSettings(settingsPath, env);
  const { log, flush } = openLog({ ...settings.log, clock: systemClock });
  warn(log, settings);
  const server = new Server({
    log,
    clock: systemClock,
    random: systemRandom,
    certificates: new GeneratedCertificates(),
    reusePort: false,
  });
  const problems = await server.apply(settings);
  if (problems.length > 0) {
    tell(log, 'error', 'startFailed', problems);
    await server.drain(0);
    flush();
    return 1;
  }
  const facts = watchProcess(systemClock, version);
  const admin = openAdmin(settings, server, log, facts);
  log.event('info', 'ready', { message: `Sluice ${version} is ready.`, version, proxies: server.proxies.length });

  const reload = async (): Promise<void> => {
    try {
      const renewed = loadSettings(settingsPath, env);
      warn(log, renewed);
      const trouble = await server.apply(renewed);
      settings = renewed;
      if (trouble.length > 0) tell(log, 'error', 'reloadFailed', trouble);
      log.event('info', 'reloaded', { message: 'The settings were read again.', proxies: server.proxies.length });
    } catch (error) {
      if (!(error instanceof SettingsError)) throw error;
      tell(log, 'error', 'reloadFailed', error.problems);
    }
  };
  let reloading = Promise.resolve();
  const onReload = (): void => {
    reloading = reloading.then(reload, reload);
  };
  process.on('SIGHUP', onReload);
  const code = await untilDrained(server, log, () => settings.drainTimeoutMs);
  process.off('SIGHUP', onReload);
  facts.stop();
  await admin?.stop();
  flush();
  return code;
}

function openAdmin(
  settings: Settings,
  server: Server,
  log: Log,
  facts: ReturnType<typeof watchProcess>,
): HttpServer | undefined {
  const { listen } = settings.admin;
  if (listen === undefined) return undefined;
  return startAdmin({
    listen,
    log,
    sources: () => server.sources(),
    readiness: () => server.readiness(),
    facts: () => facts.facts(),
  });
}

/** Waits for the signal to stop, then lets work end; a second signal cuts that short. */
function untilDrained(server: Server, log: Log, limitMs: () => number): Promise<number> {
  return new Promise((resolve) => {
    let draining = false;
    const stop = (signal: NodeJS.Signals): void => {
      if (draining) {
        log.event('warn', 'stopped', { message: `${signal} again: ending at once.` });
        resolve(1);
        return;
      }
      draining = true;
      log.event('info', 'draining', { message: `${signal}: no new clients; what is under way may end.`, limitMs: limitMs() });
      void server.drain(limitMs()).then(() => {
        log.event('info', 'stopped', { message: 'All connections are closed.' });
        resolve(0);
      });
    };
    process.on('SIGTERM', stop);
    process.on('SIGINT', stop);
  });
}

function warn(log: Log, settings: Settings): void {
  tell(log, 'warn', 'settings', settings.warnings);
}

function tell(log: Log, level: 'warn' | 'error', event: string, sentences: readonly string[]): void {
  for (const message of sentences) log.event(level, event, { message });
}
