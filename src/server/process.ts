import { systemClock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import { systemRandom } from '../base/random.ts';
import type { Surroundings } from './running-proxy.ts';
import { Server } from './server.ts';
import { loadSettings, SettingsError } from './settings/load.ts';
import type { Settings } from './settings/settings.ts';

export interface ServeOptions {
  readonly settingsPath: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly version: string;
}

/** The settings file and what runs by it: starts, reads the file again, drains. */
export class ServerProcess {
  readonly server: Server;
  readonly log: Log;
  readonly #options: ServeOptions;
  #settings: Settings;
  #reloading = Promise.resolve();

  constructor(
    options: ServeOptions,
    settings: Settings,
    around: Omit<Surroundings, 'clock' | 'random'>,
  ) {
    this.#options = options;
    this.#settings = settings;
    this.log = around.log;
    this.server = new Server({ ...around, clock: systemClock, random: systemRandom });
  }

  get settings(): Settings {
    return this.#settings;
  }

  /** True where everything runs; otherwise the log says what does not, and nothing runs. */
  async start(): Promise<boolean> {
    const problems = await this.server.apply(this.#settings);
    if (problems.length === 0) return true;
    tell(this.log, 'error', 'startFailed', problems);
    await this.server.drain(0);
    return false;
  }

  /** Reads the settings again, one reading after the other. A file that is of no use changes nothing. */
  reload(): void {
    this.#reloading = this.#reloading.then(() => this.#reload());
  }

  /** Lets what is under way end, within the settings' limit. */
  async drain(): Promise<void> {
    await this.server.drain(this.#settings.drainTimeoutMs);
    this.log.event('info', 'stopped', { message: 'All connections are closed.' });
  }

  async #reload(): Promise<void> {
    const { settingsPath, env } = this.#options;
    try {
      const renewed = loadSettings(settingsPath, env);
      tell(this.log, 'warn', 'settings', renewed.warnings);
      const trouble = await this.server.apply(renewed);
      if (trouble.length > 0) {
        tell(this.log, 'error', 'reloadFailed', trouble);
        return;
      }
      if (needsRestart(this.#settings) !== needsRestart(renewed)) {
        tell(this.log, 'warn', 'settings', [
          'Changes of `admin`, `log` and `workers` take effect at a restart.',
        ]);
      }
      this.#settings = renewed;
      this.log.event('info', 'reloaded', {
        message: 'The settings were read again.',
        proxies: this.server.proxies.length,
      });
    } catch (error) {
      if (!(error instanceof SettingsError)) throw error;
      tell(this.log, 'error', 'reloadFailed', error.problems);
    }
  }
}

/** What is read at the start only. */
function needsRestart({ admin, log, workers }: Settings): string {
  return JSON.stringify([admin, log, workers]);
}

/** One log line for each sentence. */
export function tell(
  log: Log,
  level: 'warn' | 'error',
  event: string,
  sentences: readonly string[],
): void {
  for (const message of sentences) log.event(level, event, { message });
}
