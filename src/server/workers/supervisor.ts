import { fileURLToPath } from 'node:url';
import type { Subprocess } from 'bun';
import { systemClock } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import { systemRandom } from '../../base/random.ts';
import { mergeExpositions } from '../../metrics/merge.ts';
import type { Readiness } from '../admin.ts';
import { openAdmin } from '../admin.ts';
import type { ControlPlane } from '../control/control-plane.ts';
import { readFacts, worstFacts } from '../control/facts.ts';
import { listen } from '../../net/listener.ts';
import type { ServeOptions } from '../process.ts';
import { problemsOf, tell } from '../process.ts';
import { SALT_KEY_BYTES } from '../running-proxy.ts';
import { loadSettings } from '../settings/load.ts';
import { listensOf } from '../settings/settings.ts';
import type { Settings } from '../settings/settings.ts';
import { untilStopped } from '../signals.ts';
import { GeneratedCertificates } from '../tls-material.ts';
import type { CancelMessage, FromWorker, ToWorker } from './messages.ts';
import { readFromWorker } from './messages.ts';
import { worstOf } from './readiness.ts';

const MAIN = fileURLToPath(new URL('../../main.ts', import.meta.url));
/** By question. A rotation goes on without the worker that has not heard of it by then. */
const ANSWER_TIMEOUT_MS = {
  metrics: 2_000,
  readiness: 2_000,
  facts: 2_000,
  renewal: 10_000,
} as const;
/** How old what the API tells of proxies may be. */
const FACTS_EVERY_MS = 500;
/** Between the death of a worker and its successor; more where it dies young again and again. */
const RESTART_MS = { first: 100, last: 5_000, young: 10_000 } as const;
/** What a worker may need beyond its drain limit before it is killed. */
const GRACE_MS = 5_000;

type Question = Extract<ToWorker, { kind: 'ask' }>['what'];

interface Worker {
  readonly index: number;
  process: Subprocess;
  startedAtMs: number;
  /** Deaths in a row soon after the start. */
  youngDeaths: number;
  ready: boolean;
}

/**
 * Keeps as many worker processes as the settings say: they share the listening ports, each has its part of the
 * connection budget, and one that dies takes only its own sessions with it and is started again. The supervisor itself
 * touches no client: it hears the signals, answers at the admin port, and passes cancel requests to the right worker.
 */
export class Supervisor {
  readonly #options: ServeOptions;
  readonly #settings: Settings;
  readonly #log: Log;
  readonly #control: ControlPlane | undefined;
  readonly #workers: Worker[] = [];
  readonly #answers = new Map<number, (text: string) => void>();
  readonly #saltKey = Buffer.from(systemRandom.bytes(SALT_KEY_BYTES)).toString('hex');
  readonly #certificates: GeneratedCertificates;
  #nextAnswer = 0;
  #stopping = false;
  #allReady: () => void = () => {};
  #failed: () => void = () => {};

  constructor(
    options: ServeOptions,
    settings: Settings,
    log: Log,
    control: ControlPlane | undefined,
  ) {
    this.#control = control;
    this.#certificates = control?.certificates ?? new GeneratedCertificates();
    this.#options = options;
    this.#settings = settings;
    this.#log = log;
  }

  /** Runs until stopped; returns the exit code. */
  async run(): Promise<number> {
    // Workers share their ports, with whoever else does: find out first that nobody is there.
    for (const address of this.#settings.proxies.flatMap(listensOf))
      listen(address, false, (link) => link.destroy()).stop();
    const started = new Promise<boolean>((resolve) => {
      this.#allReady = () => resolve(true);
      this.#failed = () => resolve(false);
    });
    for (let index = 0; index < this.#settings.workers; index += 1)
      this.#workers.push(this.#start(index));
    if (!(await started)) {
      await this.#drain();
      return 1;
    }
    this.#failed = () => {};
    const stopAsking = this.#control && this.#followControl(this.#control);
    const admin = await openAdmin(this.#settings.admin, {
      ...(this.#control && { api: this.#control.answer }),
      log: this.#log,
      metrics: async () => mergeExpositions(await this.#askAll('metrics')),
      readiness: async () => this.#readiness(),
    });
    this.#log.event('info', 'ready', {
      message: `Sluice ${this.#options.version} is ready, with ${this.#workers.length} workers.`,
      version: this.#options.version,
      proxies: this.#settings.proxies.length,
      workers: this.#workers.length,
    });
    const code = await untilStopped(this.#log, {
      reload: () => {
        this.#reload();
        void admin.renew();
      },
      drain: () => this.#drain(),
    });
    for (const worker of this.#workers) worker.process.kill('SIGKILL');
    await admin.stop();
    stopAsking?.();
    await this.#control?.close();
    return code;
  }

  /** Workers are told when the API has changed something, and asked what the API is to tell. */
  #followControl(control: ControlPlane): () => void {
    const stopListening = control.onChange(() => this.#tellAll({ kind: 'made' }));
    control.untilHeard = async () => void (await this.#askAll('renewal'));
    const look = async (): Promise<void> => {
      const facts = worstFacts((await this.#askAll('facts')).map(readFacts));
      control.facts = () => facts;
    };
    const stopLooking = systemClock.every(FACTS_EVERY_MS, () => void look());
    return () => {
      stopListening();
      stopLooking();
    };
  }

  #reload(): void {
    try {
      const { settingsPath, env, dataDirectory } = this.#options;
      const renewed = loadSettings(settingsPath, env, { hasApi: dataDirectory !== undefined });
      this.#control?.declare(renewed);
    } catch (error) {
      tell(this.#log, 'error', 'reloadFailed', problemsOf(error));
      return;
    }
    this.#tellAll({ kind: 'reload' });
  }

  #start(index: number, youngDeaths = 0): Worker {
    const { settingsPath, env, dataDirectory } = this.#options;
    const worker: Worker = {
      index,
      startedAtMs: systemClock.nowMs(),
      youngDeaths,
      ready: false,
      process: Bun.spawn({
        cmd: [
          process.execPath,
          MAIN,
          'worker',
          '--config',
          settingsPath,
          ...dataFlag(dataDirectory),
        ],
        env: { ...env },
        stdio: ['ignore', 'inherit', 'inherit'],
        serialization: 'json',
        ipc: (message) => this.#hear(worker, readFromWorker(message)),
        onExit: (_process, code, signal) => this.#ended(worker, code, signal),
      }),
    };
    return worker;
  }

  #hear(worker: Worker, message: FromWorker): void {
    switch (message.kind) {
      case 'hello':
        worker.process.send({
          kind: 'begin',
          index: worker.index,
          count: this.#settings.workers,
          saltKey: this.#saltKey,
        } satisfies ToWorker);
        return;
      case 'ready':
        worker.ready = true;
        // Something may have changed since it has looked.
        if (this.#control !== undefined) worker.process.send({ kind: 'made' } satisfies ToWorker);
        if (this.#workers.every(({ ready }) => ready)) this.#allReady();
        return;
      case 'certificate': {
        const { names } = message;
        const made = this.#certificates.of(names);
        worker.process.send({ kind: 'certificate', names, ...made } satisfies ToWorker);
        return;
      }
      case 'answer':
        this.#answers.get(message.id)?.(message.text);
        return;
      case 'cancel':
        this.#passOn(message);
        return;
    }
  }

  #passOn(message: CancelMessage): void {
    const worker = this.#workers[message.worker];
    if (worker?.ready === true) worker.process.send(message);
  }

  /** A worker is gone: its place is filled, unless everything is stopping. */
  #ended(worker: Worker, code: number | null, signal: string | number | null): void {
    const wasReady = worker.ready;
    worker.ready = false;
    if (this.#stopping) return;
    if (!wasReady && code === 1) this.#failed(); // it could not start, and has said why
    const livedMs = systemClock.nowMs() - worker.startedAtMs;
    const youngDeaths = livedMs < RESTART_MS.young ? worker.youngDeaths + 1 : 0;
    const pauseMs = Math.min(RESTART_MS.last, RESTART_MS.first * 2 ** youngDeaths);
    this.#log.event('error', 'workerEnded', {
      message: `Worker ${worker.index} ended (${signal === null ? `exit code ${code ?? 0}` : `signal ${signal}`}); its sessions are gone. A new one starts in ${pauseMs} ms.`,
      worker: worker.index,
    });
    systemClock.after(pauseMs, () => {
      if (!this.#stopping) this.#workers[worker.index] = this.#start(worker.index, youngDeaths);
    });
  }

  #tellAll(message: ToWorker): void {
    for (const worker of this.#workers) if (worker.ready) worker.process.send(message);
  }

  /** Each ready worker's answer; one that is too slow is left out. */
  async #askAll(what: Question): Promise<readonly string[]> {
    const asked = this.#workers
      .filter(({ ready }) => ready)
      .map((worker) => this.#ask(worker, what));
    return (await Promise.all(asked)).filter((text) => text !== undefined);
  }

  #ask(worker: Worker, what: Question): Promise<string | undefined> {
    const id = this.#nextAnswer++;
    return new Promise((resolve) => {
      const settle = (text: string | undefined): void => {
        this.#answers.delete(id);
        stop();
        resolve(text);
      };
      const stop = systemClock.after(ANSWER_TIMEOUT_MS[what], () => settle(undefined));
      this.#answers.set(id, settle);
      worker.process.send({ kind: 'ask', id, what } satisfies ToWorker);
    });
  }

  async #readiness(): Promise<Readiness> {
    const answers = await this.#askAll('readiness');
    return worstOf(answers, this.#workers.length);
  }

  async #drain(): Promise<void> {
    this.#stopping = true;
    this.#tellAll({ kind: 'drain' });
    const patience = systemClock.after(this.#settings.drainTimeoutMs + GRACE_MS, () => {
      for (const worker of this.#workers) worker.process.kill('SIGKILL');
    });
    for (const worker of this.#workers) if (!worker.ready) worker.process.kill('SIGKILL');
    await Promise.all(this.#workers.map((worker) => worker.process.exited));
    patience();
  }
}

function dataFlag(directory: string | undefined): readonly string[] {
  return directory === undefined ? [] : ['--data-dir', directory];
}
