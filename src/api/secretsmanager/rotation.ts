import type { Random } from '../../base/random.ts';
import type { RotationSettings, Secret, SecretStore } from '../../state/secrets.ts';
import { invalidRequest } from './problems.ts';
import { databasePassword } from './random-password.ts';
import type { RotatableFields } from './rotation-plan.ts';
import {
  checkAgreed,
  checkSameServer,
  nextUsername,
  originalOf,
  readFields,
  strategyOf,
  withLogin,
} from './rotation-plan.ts';
import { nextRotationMs } from './rotation-schedule.ts';
import type { Login, PasswordChange, Rotator } from './rotator.ts';
import { openValue } from './versions.ts';

/** How long after a failure a rotation by schedule is tried again. */
const RETRY_MS = 3_600_000;

/** How one rotation has ended. */
export interface RotationOutcome {
  readonly arn: string;
  readonly versionId: string;
  /** Undefined where it has succeeded. Shows no password. */
  readonly error: Error | undefined;
}

interface Pending {
  readonly versionId: string;
  readonly isNew: boolean;
}

/**
 * Rotates secrets in the four steps of AWS's own rotation functions: a version AWSPENDING with a new password, the password set in
 * the database, tested, and the version made AWSCURRENT. What fails leaves AWSPENDING, which the next attempt takes up: its password
 * may be in the database already.
 */
export class Rotations {
  readonly #secrets: SecretStore;
  readonly #random: Random;
  readonly #rotator: Rotator;
  readonly #untilHeard: () => Promise<void>;
  readonly #report: (outcome: RotationOutcome) => void;
  readonly #underWay = new Map<
    string,
    { readonly versionId: string; readonly end: Promise<void> }
  >();
  #isRunningDue = false;

  constructor(parts: {
    readonly secrets: SecretStore;
    readonly random: Random;
    readonly rotator: Rotator;
    /** Resolves once the proxies let clients in with a pending version that was written before. */
    readonly untilHeard?: () => Promise<void>;
    /** Called at the end of each. */
    readonly report?: (outcome: RotationOutcome) => void;
  }) {
    this.#secrets = parts.secrets;
    this.#random = parts.random;
    this.#rotator = parts.rotator;
    this.#untilHeard = parts.untilHeard ?? (async () => {});
    this.#report = parts.report ?? (() => {});
  }

  /** The version that a rotation under way makes. */
  underWay(arn: string): string | undefined {
    return this.#underWay.get(arn)?.versionId;
  }

  /**
   * The superuser's secret that a rotation by this function would use, and for whom. Throws InvalidRequestException where the secret
   * is none that can be rotated.
   */
  superuserFor(arn: string, lambdaArn: string | undefined): RotationSettings['superuser'] {
    const current = this.#current(arn, 'The secret');
    if (strategyOf(current, lambdaArn) === 'single') return undefined;
    return { secretArn: current.masterArn ?? '', user: originalOf(current.login.username) };
  }

  /**
   * Saves the secret, makes the pending version, or takes up the one that there is, and goes on in the background. Returns its id. Throws
   * InvalidRequestException where the secret is none that can be rotated.
   * @param token the id of a version that is made
   */
  begin(secret: Secret, token: string, nowMs: number): string {
    const pending = this.#secrets.write(() => {
      this.#secrets.save(secret);
      return this.#pend(secret, token, nowMs);
    });
    const { versionId } = pending;
    const end = this.#finish(secret.arn, pending, nowMs)
      .then(() => undefined, asError)
      .then((error) => {
        this.#underWay.delete(secret.arn);
        this.#report({ arn: secret.arn, versionId, error });
        if (error !== undefined) this.#postpone(secret.arn, nowMs);
      })
      // A disk that is full, say, as the report has told already. It stays due.
      .catch(() => {});
    this.#underWay.set(secret.arn, { versionId, end });
    return versionId;
  }

  /** Rotates what is due, one after the other; to be called about every minute. */
  async runDue(nowMs: number): Promise<void> {
    if (this.#isRunningDue) return;
    this.#isRunningDue = true;
    try {
      for (const { arn } of this.#secrets.due(nowMs)) await this.#runOne(arn, nowMs);
    } finally {
      this.#isRunningDue = false;
    }
  }

  /** Once all that is under way has ended. */
  async settled(): Promise<void> {
    await Promise.all(Array.from(this.#underWay.values(), ({ end }) => end));
  }

  async #runOne(arn: string, nowMs: number): Promise<void> {
    // Those before it took their time.
    const secret = this.#secrets.due(nowMs).find((one) => one.arn === arn);
    if (secret === undefined || this.#underWay.has(arn)) return;
    const token = newVersionId(this.#random);
    try {
      this.begin(secret, token, nowMs);
    } catch (error) {
      this.#postpone(arn, nowMs);
      this.#report({ arn, versionId: token, error: asError(error) });
    }
    await this.#underWay.get(arn)?.end;
  }

  /** The step createSecret. */
  #pend(secret: Secret, token: string, nowMs: number): Pending {
    const { arn } = secret;
    const { current, username } = this.#plan(secret);
    const pending = this.#secrets.holder(arn, 'AWSPENDING');
    if (pending !== undefined && pending !== this.#secrets.holder(arn, 'AWSCURRENT'))
      return { versionId: pending, isNew: false };
    const value = withLogin(current, { username, password: databasePassword(this.#random) });
    const version = { versionId: token, value, stages: ['AWSPENDING'], nowMs };
    this.#secrets.addVersion(arn, version);
    return { versionId: token, isNew: true };
  }

  /** The steps setSecret, testSecret and finishSecret. */
  async #finish(arn: string, { versionId, isNew }: Pending, nowMs: number): Promise<void> {
    // Clients may come with the new password as soon as the last step is done, to any process.
    await this.#untilHeard();
    const secret = this.#stillWanted(arn, versionId);
    const pending = readFields(openValue(this.#secrets, arn, versionId), 'The pending version');
    const { login, target } = pending;
    const change = this.#change(secret, pending);
    if (isNew || !(await this.#isSet(pending))) {
      this.#stillWanted(arn, versionId);
      await this.#rotator.setPassword(change);
      await this.#rotator.test({ ...login, target });
    }
    this.#complete(this.#stillWanted(arn, versionId), versionId, nowMs);
  }

  /** An attempt that was cut off may have set it. */
  async #isSet({ login, target }: RotatableFields): Promise<boolean> {
    try {
      await this.#rotator.test({ ...login, target });
      return true;
    } catch {
      return false;
    }
  }

  #change(secret: Secret, pending: RotatableFields): PasswordChange {
    const { current, strategy, username: wanted } = this.#plan(secret);
    const { username, password } = pending.login;
    if (username !== wanted)
      throw invalidRequest(
        'The pending version is for another user than this rotation: remove its stage AWSPENDING with UpdateSecretVersionStage.',
      );
    checkSameServer(current, pending);
    const { target } = current;
    if (strategy === 'single')
      return { target, username, password, signInAs: this.#own(secret.arn, current) };
    const signInAs = [this.#master(current)] as const;
    return { target, username, password, signInAs, cloneOf: current.login.username };
  }

  #plan({ arn, rotation }: Secret) {
    const current = this.#current(arn, 'The secret');
    const strategy = strategyOf(current, rotation?.lambdaArn);
    if (strategy === 'alternating') checkAgreed(current, rotation?.superuser);
    return { current, strategy, username: nextUsername(strategy, current.login.username) };
  }

  /** The user with the password that the database should have, or has still. */
  #own(arn: string, current: RotatableFields): readonly [Login, ...Login[]] {
    const versionId = this.#secrets.holder(arn, 'AWSPREVIOUS');
    if (versionId === undefined) return [current.login];
    const previous = openValue(this.#secrets, arn, versionId);
    try {
      const { login, target } = readFields(previous, 'The previous version');
      const isSame =
        login.username === current.login.username && target['host'] === current.target['host'];
      return isSame ? [current.login, login] : [current.login];
    } catch {
      // It was something else once.
      return [current.login];
    }
  }

  #master(current: RotatableFields): Login {
    const master = this.#secrets.find(current.masterArn ?? '');
    if (master === undefined || master.deletionMs !== undefined)
      throw invalidRequest('There is no secret with the ARN that masterarn gives.');
    const fields = this.#current(master.arn, 'The secret that masterarn names');
    checkSameServer(current, fields);
    return fields.login;
  }

  #current(arn: string, what: string): RotatableFields {
    const versionId = this.#secrets.holder(arn, 'AWSCURRENT');
    if (versionId === undefined) throw invalidRequest(`${what} has no value that can be rotated.`);
    return readFields(openValue(this.#secrets, arn, versionId), what);
  }

  /** Anything may have happened to the secret while a database was waited for. */
  #stillWanted(arn: string, versionId: string): Secret {
    const secret = this.#secrets.find(arn);
    const isPending = this.#secrets.holder(arn, 'AWSPENDING') === versionId;
    const isEnabled = secret?.rotation?.isEnabled === true && secret.deletionMs === undefined;
    if (secret === undefined || !isPending || !isEnabled)
      throw invalidRequest('The rotation was cancelled.');
    return secret;
  }

  #complete(secret: Secret, versionId: string, nowMs: number): void {
    const { arn } = secret;
    this.#secrets.write(() => {
      this.#secrets.attach(arn, 'AWSCURRENT', versionId, nowMs);
      this.#secrets.detach(arn, 'AWSPENDING');
      this.#secrets.save({
        ...secret,
        changedMs: nowMs,
        rotatedMs: nowMs,
        nextRotationMs: nextRotationMs(secret, nowMs),
      });
    });
  }

  #postpone(arn: string, nowMs: number): void {
    const secret = this.#secrets.find(arn);
    const dueMs = secret?.nextRotationMs;
    if (secret === undefined || dueMs === undefined || dueMs > nowMs + RETRY_MS) return;
    this.#secrets.save({ ...secret, nextRotationMs: nowMs + RETRY_MS });
  }
}

/** A UUID. */
function newVersionId(random: Random): string {
  const bytes = random.bytes(16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = Buffer.from(bytes).toString('hex');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
