import { AwsAccount } from '../aws/account.ts';
import { systemClock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import { systemRandom } from '../base/random.ts';
import { receives } from '../net/receives.ts';
import { sends } from '../net/sends.ts';
import { DeclarationConflict } from '../state/rds-declaring.ts';
import { located, lookUp, wantedOf } from './located.ts';
import type { Made } from './made.ts';
import type { Surroundings } from './running-proxy.ts';
import { Server } from './server.ts';
import { loadSettings, SettingsError } from './settings/load.ts';
import type { Settings } from './settings/settings.ts';

/** How often what could not be done of what the API has made is tried again: a port may be free by now. */
const RETRY_EVERY_MS = 5_000;

export interface ServeOptions {
  readonly settingsPath: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly version: string;
  /** Where the API keeps what it makes; undefined for none. */
  readonly dataDirectory?: string;
}

interface ReloadListener {
  /** Called with new settings before they are applied. */
  readonly reloaded?: (settings: Settings) => void;
}

/** The settings file and what runs by it: starts, reads the file again, drains. */
export class ServerProcess {
  readonly server: Server;
  readonly log: Log;
  readonly #options: ServeOptions;
  readonly #made: Made | undefined;
  readonly #reloaded: (settings: Settings) => void;
  #settings: Settings;
  /** By the settings that were applied last; undefined where AWS is not to be asked. */
  #aws: AwsAccount | undefined;
  #reloading = Promise.resolve();
  /** It has been asked for, and has not begun. */
  #isRenewalDue = false;
  /** What has been said of what the API has made. */
  #told: readonly string[] = [];
  #stopRetrying = (): void => {};

  constructor(
    options: ServeOptions,
    settings: Settings,
    around: Omit<Surroundings, 'clock' | 'random'> & ReloadListener,
  ) {
    this.#options = options;
    this.#settings = settings;
    this.#made = around.made;
    this.#reloaded = around.reloaded ?? (() => {});
    this.log = around.log;
    this.server = new Server({ ...around, clock: systemClock, random: systemRandom });
  }

  get settings(): Settings {
    return this.#settings;
  }

  /** True where everything runs; otherwise the log says what does not, and nothing runs. */
  async start(): Promise<boolean> {
    sends.allow(this.#settings.ioUring);
    receives.allow(this.#settings.ioUring);
    if (this.#settings.ioUring && !sends.isBatching) {
      this.log.event('info', 'noIoUring', {
        message:
          'The system does not let this process use io_uring: each message is a system call of its own, which takes about half as much processor time again.',
      });
    }
    this.#aws = this.#accountFor(this.#settings);
    await lookUp(this.#settings, this.#aws);
    const problems = await this.#apply(this.#all(this.#settings, this.#aws), this.#aws);
    if (problems.length === 0) {
      this.#stopRetrying = systemClock.every(RETRY_EVERY_MS, () => {
        if (this.server.troubles.length > 0) void this.renewMade();
      });
      return true;
    }
    tell(this.log, 'error', 'startFailed', problems);
    await this.server.drain(0);
    return false;
  }

  /** What is wrong with what the API has made is told once, and keeps nothing else from being done. */
  async #apply(settings: Settings, aws: AwsAccount | undefined): Promise<readonly string[]> {
    const problems = await this.server.apply(settings, aws);
    const { troubles } = this.server;
    const news = troubles.filter((one) => !this.#told.includes(one));
    this.#told = troubles;
    tell(this.log, 'error', 'changeFailed', news);
    return problems;
  }

  /** Reads the settings again, one reading after the other. A file that is of no use changes nothing. */
  reload(): void {
    this.#reloading = this.#reloading.then(() => this.#reload());
  }

  /** The API or AWS has changed something: makes what runs what they say now. Resolves once that is so, as far as it can be. */
  renewMade(): Promise<void> {
    // Whatever is written until it begins is part of it.
    if (this.#isRenewalDue) return this.#reloading;
    this.#isRenewalDue = true;
    this.#reloading = this.#reloading.then(async () => {
      this.#isRenewalDue = false;
      try {
        await this.#renewMade();
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        tell(this.log, 'error', 'changeFailed', [why]);
      }
    });
    return this.#reloading;
  }

  async #renewMade(): Promise<void> {
    const settings = this.#all(this.#settings, this.#aws);
    if (this.server.troubles.length > 0 || differ(this.server.settings, settings))
      tell(this.log, 'error', 'changeFailed', await this.#apply(settings, this.#aws));
    await this.server.renew();
  }

  /** Lets what is under way end, within the settings' limit. */
  async drain(): Promise<void> {
    this.#stopRetrying();
    this.#aws?.stop();
    await this.server.drain(this.#settings.drainTimeoutMs);
    this.log.event('info', 'stopped', { message: 'All connections are closed.' });
  }

  /** With what the API has made, and what AWS has told. */
  #all(settings: Settings, aws: AwsAccount | undefined): Settings {
    return located(this.#made?.merge(settings) ?? settings, aws);
  }

  /** The one that there is, where it is for the same. */
  #accountFor({ aws }: Settings): AwsAccount | undefined {
    if (JSON.stringify(aws) === JSON.stringify(this.#aws?.settings)) return this.#aws;
    if (aws === undefined) return undefined;
    const account = new AwsAccount(aws, {
      clock: systemClock,
      changed: () => void this.renewMade(),
    });
    account.wanted = () => wantedOf(this.#settings, this.server.readiness().targets);
    return account;
  }

  async #reload(): Promise<void> {
    const { settingsPath, env } = this.#options;
    try {
      const renewed = loadSettings(settingsPath, env, { hasApi: this.#made !== undefined });
      tell(this.log, 'warn', 'settings', renewed.warnings);
      this.#reloaded(renewed);
      const aws = this.#accountFor(renewed);
      await lookUp(renewed, aws);
      const all = this.#all(renewed, aws);
      const trouble = await this.#apply(all, aws);
      const before = this.#settings;
      // Where only some of it could be done, what the API changes later must not undo the rest.
      const isApplied = this.server.settings === all;
      if (isApplied) this.#settings = renewed;
      const [kept, left] = isApplied ? [aws, this.#aws] : [this.#aws, aws];
      if (left !== kept) left?.stop();
      this.#aws = kept;
      if (trouble.length > 0) {
        tell(this.log, 'error', 'reloadFailed', trouble);
        return;
      }
      if (needsRestart(before) !== needsRestart(renewed)) {
        tell(this.log, 'warn', 'settings', [
          'Changes of `admin`, `api`, `log`, `workers` and `ioUring` take effect at a restart.',
        ]);
      }
      this.log.event('info', 'reloaded', {
        message: 'The settings were read again.',
        proxies: this.server.proxies.length,
      });
    } catch (error) {
      tell(this.log, 'error', 'reloadFailed', problemsOf(error));
    }
  }
}

/** What keeps settings from being used, as sentences. Throws any other error again. */
export function problemsOf(error: unknown): readonly string[] {
  if (error instanceof SettingsError) return error.problems;
  if (error instanceof DeclarationConflict) return [error.message];
  throw error;
}

function differ(before: Settings | undefined, now: Settings): boolean {
  return before === undefined || made(before) !== made(now);
}

/** What the API makes: the rest stands in the settings file. */
function made({ proxies, databases }: Settings): string {
  return JSON.stringify([proxies, databases]);
}

/** What is read at the start only. */
function needsRestart({ admin, api, log, workers, ioUring }: Settings): string {
  return JSON.stringify([admin, api, log, workers, ioUring]);
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
