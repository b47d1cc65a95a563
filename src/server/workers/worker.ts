import { systemClock } from '../../base/clock.ts';
import { openLog } from '../../base/log.ts';
import { watchProcess } from '../../metrics/process.ts';
import { renderMetrics } from '../../metrics/render.ts';
import type { ServeOptions } from '../process.ts';
import { openMade } from '../control/control-plane.ts';
import { ServerProcess } from '../process.ts';
import { loadSettings } from '../settings/load.ts';
import { ToldCertificates } from '../tls-material.ts';
import type { FromWorker, ToWorker } from './messages.ts';
import { readToWorker } from './messages.ts';

type Begin = Extract<ToWorker, { kind: 'begin' }>;

/** One of several processes behind the same addresses. Does what its supervisor says, and drains when that is gone. */
export async function work(options: ServeOptions): Promise<number> {
  if (process.send === undefined)
    throw new Error('a worker is started by `sluice serve`, not by hand');
  // The supervisor hears the signals and passes on what follows from them.
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, () => {});
  const mailbox = new Mailbox();
  say({ kind: 'hello' });
  return runWorker(options, mailbox, await mailbox.begin);
}

async function runWorker(options: ServeOptions, mailbox: Mailbox, begin: Begin): Promise<number> {
  const hasApi = options.dataDirectory !== undefined;
  const settings = loadSettings(options.settingsPath, options.env, { hasApi });
  const opened = openLog({ ...settings.log, clock: systemClock });
  const log = opened.log.with({ worker: begin.index });
  const made = openMade(options, settings);
  const running = new ServerProcess(options, settings, {
    log,
    certificates: mailbox.certificates,
    share: { index: begin.index, count: begin.count },
    saltKey: new Uint8Array(Buffer.from(begin.saltKey, 'hex')),
    ...(made === undefined ? {} : { made }),
    forwardCancel: (proxy, worker, number, secret) =>
      say({ kind: 'cancel', proxy, worker, number, secret: Buffer.from(secret).toString('hex') }),
  });
  if (!(await running.start())) {
    opened.flush();
    return 1;
  }
  const facts = watchProcess(systemClock, options.version);
  const { server } = running;
  const label = { worker: String(begin.index) };
  const answers = {
    metrics: async () => renderMetrics(server.sources(), await facts.facts(), label),
    readiness: () => JSON.stringify(server.readiness()),
    facts: () => JSON.stringify(server.facts()),
    renewal: async () => {
      await running.renewMade();
      return '';
    },
  } as const;
  say({ kind: 'ready' });
  await mailbox.untilDrain(async (message) => {
    switch (message.kind) {
      case 'reload':
        running.reload();
        return;
      case 'made':
        void running.renewMade();
        return;
      case 'cancel':
        server.cancel(
          message.proxy,
          message.number,
          new Uint8Array(Buffer.from(message.secret, 'hex')),
        );
        return;
      case 'ask': {
        say({ kind: 'answer', id: message.id, text: await answers[message.what]() });
        return;
      }
      case 'begin':
      case 'certificate':
      case 'drain':
        return;
    }
  });
  await running.drain();
  facts.stop();
  opened.flush();
  return 0;
}

function say(message: FromWorker): void {
  process.send?.(message);
}

/** What the supervisor has said. */
class Mailbox {
  readonly certificates = new ToldCertificates((names) =>
    say({ kind: 'certificate', names: [...names] }),
  );
  #handle: ((message: ToWorker) => Promise<void>) | undefined;
  readonly #began = Promise.withResolvers<Begin>();
  readonly #ended = Promise.withResolvers<void>();

  constructor() {
    process.on('message', (message: unknown) => this.#receive(readToWorker(message)));
    process.on('disconnect', () => {
      this.certificates.giveUp('the supervisor is gone');
      this.#ended.resolve();
    });
  }

  get begin(): Promise<Begin> {
    return this.#began.promise;
  }

  /** Handles messages until one says `drain`, or the supervisor is gone. */
  untilDrain(handle: (message: ToWorker) => Promise<void>): Promise<void> {
    this.#handle = handle;
    return this.#ended.promise;
  }

  #receive(message: ToWorker): void {
    if (message.kind === 'begin') this.#began.resolve(message);
    else if (message.kind === 'certificate') this.certificates.tell(message.names, message);
    else if (message.kind === 'drain') this.#ended.resolve();
    else void this.#handle?.(message);
  }
}
