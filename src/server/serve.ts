import { systemClock } from '../base/clock.ts';
import { openLog } from '../base/log.ts';
import { systemRandom } from '../base/random.ts';
import { WHOLE } from '../core/budget.ts';
import { watchProcess } from '../metrics/process.ts';
import { renderMetrics } from '../metrics/render.ts';
import type { AdminOptions } from './admin.ts';
import { openAdmin } from './admin.ts';
import type { ServeOptions } from './process.ts';
import type { ControlPlane } from './control/control-plane.ts';
import { openControl } from './control/control-plane.ts';
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
  const hasApi = options.dataDirectory !== undefined;
  const settings = loadSettings(options.settingsPath, options.env, { hasApi });
  const opened = openLog({ ...settings.log, clock: systemClock });
  tell(opened.log, 'warn', 'settings', settings.warnings);
  try {
    const control = openControl(options, settings, opened.log);
    return settings.workers === 1
      ? await serveAlone(options, settings, opened.log, control)
      : await new Supervisor(options, settings, opened.log, control).run();
  } finally {
    opened.flush();
  }
}

async function serveAlone(
  options: ServeOptions,
  settings: Settings,
  log: AdminOptions['log'],
  control: ControlPlane | undefined,
): Promise<number> {
  const { version } = options;
  const running = new ServerProcess(options, settings, {
    log,
    certificates: control?.certificates ?? new GeneratedCertificates(),
    share: WHOLE,
    saltKey: systemRandom.bytes(SALT_KEY_BYTES),
    ...(control && { made: control.made, reloaded: (renewed) => control.declare(renewed) }),
  });
  if (!(await running.start())) return 1;
  const { server } = running;
  if (control !== undefined) {
    control.onChange(() => void running.renewMade());
    control.untilHeard = () => running.renewMade();
    control.facts = () => server.facts();
  }
  const facts = watchProcess(systemClock, version);
  const admin = await openAdmin(settings.admin, {
    log,
    metrics: async () => renderMetrics(server.sources(), await facts.facts()),
    readiness: async () => server.readiness(),
    ...(control && { api: control.answer }),
  });
  log.event('info', 'ready', {
    message: `Sluice ${version} is ready.`,
    version,
    proxies: server.proxies.length,
  });
  const code = await untilStopped(log, {
    reload: () => {
      running.reload();
      void admin.renew();
    },
    drain: () => running.drain(),
  });
  facts.stop();
  await admin.stop();
  await control?.close();
  return code;
}
