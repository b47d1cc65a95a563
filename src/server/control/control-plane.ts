import { ApiFront } from '../../api/front/front.ts';
import { PolicyReader } from '../../api/iam/documents.ts';
import { iamService } from '../../api/iam/service.ts';
import type { IamParts } from '../../api/iam/service.ts';
import { rdsService } from '../../api/rds/service.ts';
import { Rotations } from '../../api/secretsmanager/rotation.ts';
import type { RotationOutcome } from '../../api/secretsmanager/rotation.ts';
import { secretsManagerService } from '../../api/secretsmanager/service.ts';
import { stsService } from '../../api/sts/service.ts';
import { AwsAccount } from '../../aws/account.ts';
import { systemClock } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import { systemRandom } from '../../base/random.ts';
import { SecretText } from '../../base/secret-text.ts';
import { endDebugLogging } from '../../state/rds-debug-logging.ts';
import { declare } from '../../state/rds-declaring.ts';
import { isSame } from '../../state/rds-registering.ts';
import type { DataPlane, Health } from '../../state/rds-data-plane.ts';
import type { PortSettings } from '../../api/rds/ports.ts';
import type { Address } from '../../core/network.ts';
import type { KeyRing } from '../../iam/caller.ts';
import { listen } from '../../net/listener.ts';
import { isLost, located, lookUp, wantedOf } from '../located.ts';
import { EitherKeys } from '../made.ts';
import type { Made } from '../made.ts';
import { declaredKeys } from '../plans.ts';
import type { ServeOptions } from '../process.ts';
import type { Settings } from '../settings/settings.ts';
import { GeneratedCertificates } from '../tls-material.ts';
import { makeAdministrator } from './administrator.ts';
import { AwsRegistry } from './aws-registry.ts';
import { CertificateShelf } from './certificate-shelf.ts';
import { openData } from './data.ts';
import type { Data } from './data.ts';
import { declaredIn } from './declared.ts';
import type { ProxyFacts } from './facts.ts';
import { DatabaseRotator } from './rotation/database-rotator.ts';
import { hostName } from './stored-settings.ts';
import { StoredMade } from './stored-made.ts';
import { ToldSecrets } from './told-secrets.ts';

const KEY_VARIABLE = 'SLUICE_DATA_KEY';
const SETTLE_EVERY_MS = 200;
const CLEAN_EVERY_MS = 60_000;
const ROTATE_EVERY_MS = 60_000;
const FOLLOW_EVERY_MS = 500;
const ROTATION_GRACE_MS = 5_000;
const UNAVAILABLE = { state: 'UNAVAILABLE' } as const;

/** The API in one process with what it has made. */
export class ControlPlane {
  readonly made: Made;
  /** Kept in the data directory: those who trust one can do so after a restart. */
  readonly certificates: GeneratedCertificates;
  /** Answers a request to the API. */
  readonly answer: (request: Request) => Promise<Response>;
  /** What runs, to be told of. */
  facts: () => readonly ProxyFacts[] = () => [];
  /** Resolves once all that runs knows what was changed before. */
  untilHeard: () => Promise<void> = async () => {};
  readonly #data: Data;
  readonly #rotations: Rotations;
  readonly #toldSecrets: ToldSecrets;
  readonly #ends: (() => void)[];
  readonly #log: Log;
  #settings: Settings;
  #isClosed = false;
  #declaredKeys: KeyRing;
  /** Undefined where AWS is not to be asked. */
  #aws: { readonly account: AwsAccount; readonly registry: AwsRegistry } | undefined;

  constructor(data: Data, settings: Settings, log: Log, shelf: CertificateShelf) {
    this.certificates = new GeneratedCertificates((names) => shelf.of(names));
    const iam: IamParts = { state: data.iam, reader: new PolicyReader() };
    this.#data = data;
    this.#toldSecrets = new ToldSecrets(data.secrets, systemClock);
    this.#log = log;
    this.#settings = settings;
    this.#declaredKeys = declaredKeys(settings);
    const made = new StoredMade(data, iam);
    this.made = made;
    const rotations = new Rotations({
      secrets: data.secrets,
      random: systemRandom,
      rotator: new DatabaseRotator(
        () => located(made.merge(this.#settings), this.#aws?.account).databases,
        systemClock,
      ),
      untilHeard: () => this.untilHeard(),
      report: (outcome) => tellOfRotation(log, outcome),
    });
    this.#rotations = rotations;
    const front = new ApiFront({
      services: [
        rdsService({
          proxies: data.proxies,
          dataPlane: this.#dataPlane(),
          ports: this.#ports(),
          hostName: (name, id) => hostName(settings, name, id),
          // Others are AWS's, which says whether there are such when they are assumed.
          roleExists: (arn) => this.#aws !== undefined || made.hasRole(arn),
          adopt: async (target) => (await this.#aws?.registry.adopt(target)) ?? { kind: 'none' },
        }),
        secretsManagerService({ secrets: data.secrets, random: systemRandom, rotations }),
        iamService(iam),
        stsService(iam),
      ],
      keys: new EitherKeys({ find: (id) => this.#declaredKeys.find(id) }, made.keys),
      signed: (accessKeyId, use) => made.keys.noteUse(accessKeyId, use),
      region: settings.region,
      clock: systemClock,
      random: systemRandom,
      failed: (error, { service, operation, requestId }) =>
        log.event('error', 'apiFailed', {
          message: `The API could not answer ${service ?? 'a request'} ${operation ?? ''}: ${String(error)}`,
          service,
          operation,
          requestId,
          stack: error instanceof Error ? error.stack : undefined,
        }),
    });
    this.answer = (request) => front.answer(request);
    this.#ends = [
      regularly(log, SETTLE_EVERY_MS, () => data.proxies.settle(this.#dataPlane())),
      regularly(log, CLEAN_EVERY_MS, () => data.secrets.purge(systemClock.wallMs())),
      regularly(log, CLEAN_EVERY_MS, () => this.#toldSecrets.renew()),
      regularly(log, CLEAN_EVERY_MS, () => endDebugLogging(data.proxies)),
      regularly(log, ROTATE_EVERY_MS, () => rotations.runDue(systemClock.wallMs())),
      regularly(log, FOLLOW_EVERY_MS, () => this.#aws?.registry.follow(this.#unreachable())),
    ];
    this.declare(settings);
  }

  /** The settings file was read: what it declares is told of, too. Throws `DeclarationConflict`. */
  declare(settings: Settings): void {
    this.#toldSecrets.check(settings.secrets);
    declare(this.#data.proxies, declaredIn(located(settings, this.#aws?.account)));
    this.#toldSecrets.declare(settings.secrets);
    this.#settings = settings;
    this.#declaredKeys = declaredKeys(settings);
    this.#askAws(settings);
  }

  /** As these settings say. Addresses that it tells are told on. */
  #askAws(settings: Settings): void {
    const before = this.#aws;
    if (JSON.stringify(settings.aws) !== JSON.stringify(before?.account.settings)) {
      before?.account.stop();
      this.#aws = settings.aws && this.#openAws(settings.aws);
    }
    if (this.#aws === undefined) return;
    void lookUp(settings, this.#aws.account).then(() => this.#declareAgain());
  }

  #openAws(settings: NonNullable<Settings['aws']>) {
    const { proxies } = this.#data;
    const parts = { clock: systemClock, changed: () => this.#declareAgain() };
    const account = new AwsAccount(settings, parts);
    account.wanted = () => wantedOf(this.#settings);
    const troubled = (why: string): void =>
      this.#log.event('warn', 'awsTrouble', { message: `AWS could not be asked. ${why}` });
    const { client } = account;
    const { refreshMs } = settings;
    return {
      account,
      registry: new AwsRegistry({ client, proxies, clock: systemClock, refreshMs, troubled }),
    };
  }

  #declareAgain(): void {
    if (this.#isClosed) return;
    declare(this.#data.proxies, declaredIn(located(this.#settings, this.#aws?.account)));
  }

  /** Of databases that proxies lead to, those that may be elsewhere by now. */
  #unreachable(): readonly string[] {
    const facts = this.facts();
    return [...facts, ...facts.flatMap(({ readers }) => readers)]
      .filter(isLost)
      .map(({ target }) => target);
  }

  /** Calls `listener` after every change; returns what ends that. */
  onChange(listener: () => void): () => void {
    return this.#data.store.onWrite(listener);
  }

  /** Waits a while for rotations that are under way; the next start takes up those that were cut off. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const end of this.#ends) end();
    this.#aws?.account.stop();
    const late = Promise.withResolvers<void>();
    const stop = systemClock.after(ROTATION_GRACE_MS, late.resolve);
    await Promise.race([this.#rotations.settled(), late.promise]);
    stop();
    this.#data.store.close();
  }

  #dataPlane(): DataPlane {
    const find = (id: string): ProxyFacts | undefined => this.facts().find((one) => one.id === id);
    return {
      statusOf: (id) => {
        const found = find(id);
        const stored = this.#data.proxies.findById(id);
        const isEnding = stored?.phase === 'deleting';
        // Without a target there is nothing to run, and nothing to wait for.
        if (found?.stage !== 'failed' && !isEnding && stored?.group.target === undefined)
          return { listening: true, port: undefined };
        const { stage, port, revision, trouble } = found ?? {};
        const listening = stage === 'running' || (isEnding && stage === 'ending');
        return { listening, port, revision, trouble };
      },
      healthOf: (id, identifier) => this.#healthOf(find(id), identifier),
    };
  }

  #healthOf(fact: ProxyFacts | undefined, identifier: string): Health {
    const isTarget = isSame(fact?.target, identifier);
    const isReader = this.#data.proxies.databases.find(identifier)?.role === 'reader';
    if (fact === undefined || fact.stage === 'ending') return { state: 'REGISTERING' };
    if (fact.stage === 'failed')
      return { ...UNAVAILABLE, reason: 'PENDING_PROXY_CAPACITY', description: fact.trouble };
    if (isTarget) return fact;
    const reader = fact.readers.find(({ target }) => isSame(target, identifier));
    // Nobody looks after readers that no endpoint leads to.
    return reader ?? { state: isReader ? 'UNUSED' : 'REGISTERING' };
  }

  /** For what is made from now on. */
  #ports(): PortSettings {
    const { listenHost: host, ports } = this.#settings.api;
    return {
      host,
      preferDefault: true,
      ...ports,
      isFree: (port) => !this.#declaredPorts().includes(port) && isFree({ host, port }),
    };
  }

  /** Read again at every reload. */
  #declaredPorts(): readonly number[] {
    const { admin, proxies } = this.#settings;
    return [
      ...proxies.map(({ listen: { port } }) => port),
      ...(admin.listen ? [admin.listen.port] : []),
    ];
  }
}

/** Undefined where there is to be no API. Throws an Error where the data directory cannot be used. */
export function openControl(
  options: ServeOptions,
  settings: Settings,
  log: Log,
): ControlPlane | undefined {
  const { dataDirectory: directory } = options;
  if (directory === undefined) return undefined;
  const data = open(directory, options, settings);
  const { region } = settings;
  const file = makeAdministrator(data, { directory, region, nowMs: systemClock.wallMs() });
  if (file !== undefined)
    log.event('info', 'administratorMade', {
      message: `An administrator was made for the API. The access key is in ${file}, and nowhere else.`,
      file,
    });
  return new ControlPlane(data, settings, log, new CertificateShelf(directory, systemClock));
}

/** What the API in another process has made. */
export function openMade(options: ServeOptions, settings: Settings): Made | undefined {
  const { dataDirectory: directory } = options;
  if (directory === undefined) return undefined;
  const data = open(directory, options, settings);
  return new StoredMade(data, { state: data.iam, reader: new PolicyReader() });
}

function open(directory: string, { env }: ServeOptions, { region, account }: Settings): Data {
  const key = env[KEY_VARIABLE];
  return openData({
    directory,
    region,
    account,
    key: key === undefined ? undefined : new SecretText(key),
    clock: systemClock,
    random: systemRandom,
  });
}

/** A full disk must not end the proxies: what goes wrong is told, once until it has gone well. Returns what ends it. */
function regularly(log: Log, periodMs: number, work: () => unknown): () => void {
  let told: string | undefined;
  const run = async (): Promise<void> => {
    try {
      await work();
      told = undefined;
    } catch (error) {
      const message = `The API could not do its regular work: ${String(error)}`;
      if (message !== told) log.event('error', 'apiFailed', { message });
      told = message;
    }
  };
  return systemClock.every(periodMs, () => void run());
}

function tellOfRotation(log: Log, { arn, error }: RotationOutcome): void {
  if (error === undefined)
    log.event('info', 'secretRotated', { message: `The secret ${arn} was rotated.`, secret: arn });
  else
    log.event('error', 'secretRotationFailed', {
      message: `The secret ${arn} could not be rotated: ${error.message}`,
      secret: arn,
    });
}

/** Whether a proxy could listen there, whoever else is on the machine. */
function isFree(address: Address): boolean {
  try {
    listen(address, false, (link) => link.destroy()).stop();
    return true;
  } catch {
    return false;
  }
}
