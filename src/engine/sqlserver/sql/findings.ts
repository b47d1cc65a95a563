import type { PinReason } from '../../../core/pin.ts';
import type { Effects, Setting, Tie } from './effects.ts';
import { UNSURE } from './effects.ts';
import { isTrackedByAws } from './settings.ts';

/** Of a text that names more things than these, nothing is told but that it cannot be told. */
const MAX_NAMED = 1_024;

/** Gathers what a text does. */
export class Findings {
  readonly #pins = new Set<PinReason>();
  readonly #awsPins = new Set<PinReason>();
  readonly #ties: Tie[] = [];
  readonly #sets: Setting[] = [];
  /** It is a text within a text. */
  readonly #isNested: boolean;
  #isUnsure = false;
  uses: string | undefined;
  asksForPrevious = false;
  asksForIdentity = false;
  mayInsert = false;
  mayChangeTransaction = false;
  startsBulkLoad = false;

  constructor(isNested = false) {
    this.#isNested = isNested;
  }

  pin(reason: PinReason): void {
    this.#pins.add(reason);
    this.#awsPins.add(reason);
  }

  /** Only Amazon RDS Proxy pins for it. */
  awsPin(reason: PinReason): void {
    this.#awsPins.add(reason);
  }

  /** @param lasts whether it outlives the text, if that is not a batch */
  tie(tie: Tie, lasts = true): void {
    if (this.#ties.length === MAX_NAMED) return this.doubt();
    this.#ties.push(lasts ? tie : this.#within(tie));
    if (tie.does === 'takes') this.#awsPins.add(tie.reason);
  }

  /** @param lasts the same */
  set(setting: Setting, lasts = true): void {
    if (this.#sets.length === MAX_NAMED) return this.doubt();
    this.#sets.push(lasts ? setting : this.#within(setting));
    if (!isTrackedByAws(setting.name)) this.#awsPins.add('setting');
  }

  #within<T extends Tie | Setting>(one: T): T {
    return { ...one, isCertain: one.isCertain && !this.#isNested, isWithin: true };
  }

  /** Nobody can say what the text does. */
  doubt(): void {
    this.#isUnsure = true;
  }

  /** Of what is done in between. @param isCertain it is */
  add(effects: Effects, isCertain: boolean): void {
    if (effects.isUnsure) this.doubt();
    for (const reason of effects.pins) this.pin(reason);
    for (const reason of effects.awsPins) this.awsPin(reason);
    for (const tie of effects.ties) this.tie({ ...tie, isCertain: tie.isCertain && isCertain });
    for (const setting of effects.sets)
      this.set({ ...setting, isCertain: setting.isCertain && isCertain });
    this.uses = effects.uses ?? this.uses;
    this.asksForPrevious ||= effects.asksForPrevious;
    this.asksForIdentity ||= effects.asksForIdentity;
    this.mayInsert ||= effects.mayInsert;
    this.mayChangeTransaction ||= effects.mayChangeTransaction;
    this.startsBulkLoad ||= effects.startsBulkLoad;
  }

  /** Undefined where there is nothing to tell. */
  effects(): Effects | undefined {
    if (this.#isUnsure) return UNSURE;
    const sizes = [this.#pins.size, this.#awsPins.size, this.#ties.length, this.#sets.length];
    const isNothing =
      sizes.every((size) => size === 0) &&
      this.uses === undefined &&
      !this.asksForPrevious &&
      !this.mayInsert &&
      !this.mayChangeTransaction &&
      !this.startsBulkLoad;
    if (isNothing) return undefined;
    return {
      isUnsure: false,
      sets: this.#sets,
      uses: this.uses,
      pins: [...this.#pins],
      ties: this.#ties,
      awsPins: [...this.#awsPins],
      asksForPrevious: this.asksForPrevious,
      asksForIdentity: this.asksForIdentity,
      mayInsert: this.mayInsert,
      mayChangeTransaction: this.mayChangeTransaction,
      startsBulkLoad: this.startsBulkLoad,
    };
  }
}
