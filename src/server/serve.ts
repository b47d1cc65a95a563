import { systemClock } from '../base/clock.ts';
import { openLog } from '../base/log.ts';
import { systemRandom } from '../base/random.ts';
import { WHOLE } from '../core/budget.ts';
import { watchProcess } from '../metrics/process.ts';
import { renderMetrics } from '../metrics/render.ts';
import type { AdminOptions } from './admin.ts';
import { openAdmin } from './admin.ts';
import type { ServeOptions } from './process.ts';
import { ServerProcess, tell } from './process.ts';
import { SALT_KEY_BYTES } from './running-proxy.ts';
import { loadSettings } from './settings/load.ts';
import type { Settings } from './settings/settings.ts';
import { untilStopped } from './signals.ts';
import { GeneratedCertificates } from './tls-material.ts';
import { Supervisor } from './workers/supervisor.ts';

/**
 * Runs until SIGTERM or SIGINT has drained it, and returns the exit code. SIGHUP reads the settings again. A second
 * SIGTERM or SIGINT ends at once. Throws `SettingsError` where it cannot start for the settings' sake.
 */
export async function serve(options: ServeOptions): Promise<number> {
  const settings = loadSettings(options.settingsPath, options.env);
  const opened = openLog({ ...settings.log, clock: systemClock });
  tell(opened.log, 'warn', 'settings', settings.warnings);
  try {
    return settings.workers === 1
      ? await serveAlone(options, settings, opened.log)
      : await new Supervisor(options, settings, opened.log).run();
  } finally {
    opened.flush();
  }
}

async function serveAlone(
  options: ServeOptions,
  settings: Settings,
  log: AdminOptions['log'],
): Promise<number> {
  const { version } = options;
  const running = new ServerProcess(options, settings, {
    log,
    certificates: new GeneratedCertificates(),
    share: WHOLE,
    saltKey: systemRandom.bytes(SALT_KEY_BYTES),
  });
  if (!(await running.start())) return 1;
  const { server } = running;
  const facts = watchProcess(systemClock, version);
  const admin = openAdmin(settings.admin.listen, {
    log,
    metrics: async () => renderMetrics(server.sources(), await facts.facts()),
    readiness: async () => server.readiness(),
  });
  log.event('info', 'ready', {
    message: `Sluice ${version} is ready.`,
    version,
    proxies: server.proxies.length,
  });
  const code = await untilStopped(log, {
    reload: () => running.reload(),
    drain: () => running.drain(),
  });
  facts.stop();
  await admin?.stop();
  return code;
}
