import { must } from '../../base/assert.ts';
import type { RelayOptions } from '../../core/engine.ts';
import type { PinReason } from '../../core/pin.ts';
import type { AuditQuestions, Probed } from './audit.ts';
import { auditQuery, isProbed, readAudit } from './audit.ts';
import type { Effects, Touch } from './effects.ts';
import type { PostgresMemory } from './memory.ts';
import type { Outfit } from './outfit.ts';
import type { SettingsState } from './state.ts';
import { statementsBetween } from './state.ts';

interface TrackerSink {
  pin(reason: PinReason, digest: string): void;
  unpin(reason: PinReason): void;
}

const AWS_TEXT_BYTES = 16_384;
const ENCODING = 'client_encoding';
const ASCII = /^[ -~]*$/;
/** Who the session is: RESET ALL leaves it alone. */
const identity: readonly string[] = ['role', 'session_authorization'];
/** As the server reports them; of all other reported parameters the names are in lower case. */
const reportedNames: Readonly<Record<string, string>> = {
  datestyle: 'DateStyle',
  intervalstyle: 'IntervalStyle',
  timezone: 'TimeZone',
};

/** What statements have done, or may have. */
class Matters {
  /** Reasons that a statement gave and the database has not been asked about, and those that it is being asked about. */
  suspected = new Map<Probed, string>();
  probing: ReadonlyMap<Probed, string> = new Map();
  readonly released = new Set<PinReason>();
  readonly touched = new Map<string, Touch>();
  touchesAllKnown = false;
  /** Parameters that were reported though nothing had touched them. */
  readonly unexplained = new Set<string>();
  /** How the values that are asked for were written. */
  literals: ReadonlyMap<string, string> = new Map();
}

/**
 * Follows what one session leaves behind on its connection: settings, which are carried along to the next one, and whatever
 * ties it to this one. A statement's words say what may have changed. What did change is known where a statement that stands for
 * itself succeeded; after transactions and errors the database is asked, in the same breath, between two requests.
 */
export class Tracker {
  /** What the session has set, start-up parameters included: any connection that it gets is brought to this. */
  wanted: SettingsState;
  /** The client's encoding, as it has been told. */
  encoding = '';
  /** An error or a transaction came between: what statements did may have been undone. */
  isDisturbed = false;
  /** Settings have changed for the transaction, or nobody knows yet how: what is parsed now must not be shared. */
  isUnsettled = false;
  readonly #sink: TrackerSink;
  readonly #pinning: RelayOptions['pinning'];
  readonly #login: string;
  /** The values to which the session's RESET returns. */
  readonly #defaults: ReadonlyMap<string, string>;
  #pins: Set<PinReason> | undefined;
  /** What is to be settled; most sessions never have anything. */
  #matters: Matters | undefined;
  /** Nothing to settle: the common case, seen at a glance. */
  #isIdle = true;
  #questions: AuditQuestions | undefined;

  constructor(
    sink: TrackerSink,
    parts: {
      pinning: RelayOptions['pinning'];
      login: string;
      outfit: Outfit;
    },
  ) {
    this.#sink = sink;
    this.#pinning = parts.pinning;
    this.#login = parts.login;
    this.#defaults = parts.outfit.settings;
    this.wanted = parts.outfit.state;
  }

  get #open(): Matters {
    return (this.#matters ??= new Matters());
  }

  get isPinned(): boolean {
    return this.#pins !== undefined && this.#pins.size > 0;
  }

  isPinnedBy(reason: PinReason): boolean {
    return this.#pins?.has(reason) === true;
  }

  /** Something is to be found out before the connection may go to somebody else. */
  get hasWork(): boolean {
    return !this.#isIdle || this.#questions !== undefined;
  }

  /** The database is being asked what is left of the session's start-up parameters: until then nothing may run. */
  get asksForDefaults(): boolean {
    const { size } = this.#defaults;
    if (this.#questions === undefined || size === 0) return false;
    const { settings, allKnown } = this.#questions;
    return allKnown || settings.some((name) => this.#defaults.has(name));
  }

  /** A statement with effects has been sent. */
  note(effects: Effects): void {
    this.#isIdle = false;
    if (changesSettings(effects)) this.isUnsettled = true;
    if (effects.isTransactional) this.isDisturbed = true;
    if (effects.resets !== 'none') this.#noteReset(effects);
    for (const touch of effects.touches) this.#open.touched.set(touch.name, touch);
    if (effects.hidden !== 'none') this.#open.touchesAllKnown = true;
    if (this.#pinning === 'aws') {
      for (const reason of effects.awsPins) this.pin(reason, effects.digest);
      return;
    }
    for (const reason of effects.pins) {
      // What is being asked about may turn out to be gone, and this is new.
      if (!isProbed(reason)) this.pin(reason, effects.digest);
      else if (this.#pins?.has(reason) !== true || this.#questions !== undefined)
        this.#open.suspected.set(reason, effects.digest);
    }
    for (const reason of effects.releases) {
      if (this.#pins?.has(reason) === true || this.#questions !== undefined)
        this.#open.released.add(reason);
    }
  }

  /** Amazon RDS Proxy does not look into long texts. */
  measure(textBytes: number): void {
    if (this.#pinning === 'aws' && textBytes > AWS_TEXT_BYTES) this.pin('longStatement', '');
  }

  /** Settings have been reset that this session's start-up parameters have set: to it, RESET means those. */
  get hasLostDefaults(): boolean {
    if (this.#defaults.size === 0 || this.#isIdle) return false;
    for (const name of this.#defaults.keys()) if (this.hasLost(name)) return true;
    return false;
  }

  hasLost(name: string): boolean {
    return this.#matters?.touched.get(name)?.how === 'reset' && this.#defaults.has(name);
  }

  /** A transaction goes on: what brings them back in it. Whether that lasts is found out at its end. */
  restoreDefaults(): readonly string[] {
    const lost = [...this.#defaults].filter(
      ([name]) => this.#open.touched.get(name)?.how === 'reset',
    );
    for (const [name] of lost)
      this.#open.touched.set(name, { name, how: 'set', literal: undefined });
    return statementsBetween(new Map(), new Map(lost));
  }

  /** The transaction has failed: what it has reset, it has not. */
  undoResets(): void {
    for (const name of this.#defaults.keys()) {
      if (this.hasLost(name))
        this.#open.touched.set(name, { name, how: 'set', literal: undefined });
    }
  }

  pin(reason: PinReason, digest: string): void {
    if (this.#pins?.has(reason) === true) return;
    this.#pins ??= new Set();
    this.#pins.add(reason);
    this.#sink.pin(reason, digest);
  }

  /** The database reports a parameter that this session was not told so. Nobody may have touched it. */
  reported(name: string): void {
    const setting = name.toLowerCase();
    // Who is a superuser changes with the role.
    const changed = setting === 'is_superuser' ? identity : [setting];
    if (changed.some((one) => this.#open.touched.has(one))) return;
    this.#isIdle = false;
    this.isDisturbed = true;
    for (const one of changed)
      this.#open.touched.set(one, { name: one, how: 'set', literal: undefined });
    this.#open.unexplained.add(setting);
  }

  /**
   * The request is over, no transaction is open: takes stock. Returns a query of ours where the database must be asked; its
   * answer goes to `answered`.
   */
  settle(memory: PostgresMemory): string | undefined {
    if (this.#isIdle) {
      this.isDisturbed = false;
      this.isUnsettled = false;
      if (this.#questions === undefined) this.#matters = undefined;
      return undefined;
    }
    const changes = new Map<string, string | undefined>();
    const asked: string[] = [];
    for (const touch of this.#open.touched.values()) {
      const known = this.#outcome(memory, touch);
      if (known === undefined) asked.push(touch.name);
      else changes.set(touch.name, known.value);
    }
    this.#apply(memory, changes);
    const reasons = this.#reasonsToProbe();
    if (!this.isDisturbed) this.#releaseForSure();
    this.#questions = {
      settings: asked,
      madeUp: memory.realm.madeUp,
      allKnown: this.#open.touchesAllKnown,
      reasons,
      mayBeEmpty: new Set(asked.filter((name) => this.#isSetAgain(name))),
      inHex: memory.parameters.get(ENCODING) !== 'UTF8',
    };
    this.#open.literals = this.isDisturbed ? new Map() : literalsOf(asked, this.#open.touched);
    this.#clear();
    if (asked.length > 0 || reasons.length > 0 || this.#questions.allKnown)
      return auditQuery(this.#questions);
    this.#questions = undefined;
    this.isUnsettled = false;
    return undefined;
  }

  /** The answer to `settle`'s query; undefined where the database gave none. */
  answered(memory: PostgresMemory, row: readonly (string | null)[] | undefined): void {
    const questions = must(this.#questions, 'an answer to no question');
    this.#questions = undefined;
    if (row === undefined) {
      this.pin('hiddenState', 'the database did not tell what a statement has left behind');
      return;
    }
    const answers = readAudit(questions, row, this.#login);
    for (const name of answers.madeUp) memory.realm.madeUp.add(name);
    for (const [name, literal] of this.#open.literals) {
      const value = answers.settings.get(name);
      if (value !== undefined) memory.realm.learn(name, literal, value);
    }
    this.#rebase(memory, answers.settings);
    this.#apply(memory, answers.settings);
    for (const reason of questions.reasons) this.#confirm(reason, answers.reasons.has(reason));
    this.isUnsettled = !this.#isIdle;
  }

  /** A setting that a start-up parameter has set, and a statement otherwise: where it is empty it has not been reset. */
  #isSetAgain(name: string): boolean {
    return this.#defaults.has(name) && this.#open.touched.get(name)?.how === 'set';
  }

  #noteReset({ resets, touches }: Effects): void {
    // Which came first within one text is not known.
    if (touches.length > 0) this.isDisturbed = true;
    const names = new Set([...this.wanted.values.keys(), ...this.#open.touched.keys()]);
    for (const name of names) {
      if (resets === 'everything' || !identity.includes(name))
        this.#open.touched.set(name, { name, how: 'reset', literal: undefined });
    }
  }

  /** What became of a setting; undefined where only the database can tell. */
  #outcome(
    memory: PostgresMemory,
    { name, how, literal }: Touch,
  ): { readonly value: string | undefined } | undefined {
    if (!this.isDisturbed && how === 'reset') return { value: undefined };
    const reported = reportedNames[name] ?? name;
    const value = memory.parameters.get(reported);
    if (value !== undefined && !identity.includes(name)) {
      const isInitial = value === memory.initial.get(reported);
      if (this.#defaults.has(name) && this.isDisturbed) return undefined;
      if (this.#open.unexplained.has(name)) return undefined;
      if (!ASCII.test(value) && memory.parameters.get(ENCODING) !== 'UTF8') return undefined;
      return { value: isInitial && !this.#defaults.has(name) ? undefined : value };
    }
    if (this.isDisturbed || literal === undefined) return undefined;
    const known = memory.realm.known(name, literal);
    return known === undefined ? undefined : { value: known };
  }

  /** What came as a change without a cause, and is no setting of the session's, is the database's new configuration. */
  #rebase(memory: PostgresMemory, settings: ReadonlyMap<string, string | undefined>): void {
    for (const name of this.#open.unexplained) {
      const reported = reportedNames[name] ?? name;
      const value = memory.parameters.get(reported);
      // Who is a superuser changes with the role, and with nothing else.
      const isSet = name === 'is_superuser' || settings.get(name) !== undefined;
      if (value !== undefined && !isSet) memory.rebase(reported, value);
    }
    this.#open.unexplained.clear();
  }

  #apply(memory: PostgresMemory, changes: ReadonlyMap<string, string | undefined>): void {
    if (changes.size === 0) return;
    memory.state = memory.state.with(changes);
    const wishes = [...changes].map(
      ([name, value]) => [name, value ?? this.#defaults.get(name)] as const,
    );
    this.wanted = this.wanted.with(wishes);
  }

  #reasonsToProbe(): readonly Probed[] {
    const reasons = new Set<Probed>(this.#open.suspected.keys());
    for (const reason of this.#open.released) if (isProbed(reason)) reasons.add(reason);
    return [...reasons];
  }

  #releaseForSure(): void {
    for (const reason of this.#open.released) if (!isProbed(reason)) this.unpin(reason);
  }

  #confirm(reason: Probed, holds: boolean): void {
    const digest = this.#open.probing.get(reason);
    if (!holds) this.unpin(reason);
    else if (digest !== undefined) this.pin(reason, digest);
  }

  unpin(reason: PinReason): void {
    if (this.#pins?.delete(reason) === true) this.#sink.unpin(reason);
  }

  #clear(): void {
    this.#open.probing = this.#open.suspected;
    this.#open.suspected = new Map();
    this.#open.touched.clear();
    this.#open.released.clear();
    this.#open.touchesAllKnown = false;
    this.isDisturbed = false;
    this.#isIdle = true;
  }
}

function changesSettings({ touches, resets, isLocal, hidden }: Effects): boolean {
  return touches.length > 0 || resets !== 'none' || isLocal || hidden !== 'none';
}

function literalsOf(
  names: readonly string[],
  touched: ReadonlyMap<string, Touch>,
): ReadonlyMap<string, string> {
  const literals = new Map<string, string>();
  for (const name of names) {
    const literal = touched.get(name)?.literal;
    if (literal !== undefined) literals.set(name, literal);
  }
  return literals;
}
