import type { PinReason } from '../../../core/pin.ts';
import type { Effects, Kill, Leftover, Tie } from './effects.ts';

const ALL_LEFTOVERS: readonly Leftover[] = ['lastInsertId', 'rowCount', 'foundRows', 'diagnostics'];
/** Of a text that names more things than these, nothing is told but that it cannot be told. */
const MAX_NAMED = 1_024;
/** Names that every server compares alike, letters of either case being the same. */
const PLAIN_NAME = /^[\w.$]+$/;

/** Gathers what a text does. */
export class Findings {
  readonly #pins = new Set<PinReason>();
  readonly #awsPins = new Set<PinReason>();
  readonly #ties: Tie[] = [];
  readonly #assigns = new Set<string>();
  readonly #sets = new Set<string>();
  readonly #asksFor = new Set<Leftover>();
  #assignsAny = false;
  #isUnsure = false;
  usesUserVariables = false;
  hasSeveralStatements = false;
  shapesNextTransaction = false;
  endsSession = false;
  setsLastInsertId = false;
  givesNumbers = false;
  calculatesFoundRows = false;
  mayRunRoutines = false;
  loadsLocalFile = false;
  kill: Kill | undefined;

  pin(reason: PinReason): void {
    this.#pins.add(reason);
    this.#awsPins.add(reason);
  }

  /** Only Amazon RDS Proxy pins for it. */
  awsPin(reason: PinReason): void {
    this.#awsPins.add(reason);
  }

  tie(tie: Tie): void {
    if (this.#ties.length === MAX_NAMED) return this.doubt();
    this.#ties.push(tie);
    if (tie.does === 'takes') this.#awsPins.add(tie.reason);
  }

  assign(name: string): void {
    if (PLAIN_NAME.test(name) && this.#assigns.size < MAX_NAMED)
      this.#assigns.add(name.toLowerCase());
    else this.#assignsAny = true;
  }

  assignAny(): void {
    this.#assignsAny = true;
    this.usesUserVariables = true;
  }

  set(variable: string): void {
    if (this.#sets.size === MAX_NAMED) return this.doubt();
    this.#sets.add(variable);
  }

  askFor(leftover: Leftover): void {
    this.#asksFor.add(leftover);
  }

  askForAll(): void {
    for (const one of ALL_LEFTOVERS) this.#asksFor.add(one);
  }

  /** Nobody can say what the text does. */
  doubt(): void {
    this.#isUnsure = true;
    this.pin('hiddenState');
    this.assignAny();
    this.askForAll();
    this.setsLastInsertId = true;
    this.givesNumbers = true;
    this.calculatesFoundRows = true;
    this.mayRunRoutines = true;
  }

  /** Of a text that is prepared: what it takes, it takes whenever it is executed. */
  addPrepared(effects: Effects): void {
    for (const reason of effects.pins) this.pin(reason);
    // MariaDB gives them another collation at once.
    if (effects.assigns === 'any') this.assignAny();
    else for (const name of effects.assigns) this.assign(name);
    for (const tie of effects.ties) {
      if (tie.does === 'takes' || tie.does === 'renames')
        this.tie({ does: 'takes', reason: tie.reason, name: undefined });
    }
  }

  /** Of a text that is executed at once; it is said to assign and to ask for anything already. */
  addExecuted(effects: Effects): void {
    for (const reason of effects.pins) this.pin(reason);
    for (const tie of effects.ties) this.tie(tie);
    for (const variable of effects.sets) this.set(variable);
    if (effects.isUnsure) this.doubt();
    this.setsLastInsertId ||= effects.setsLastInsertId;
    this.givesNumbers ||= effects.givesNumbers;
    this.calculatesFoundRows ||= effects.calculatesFoundRows;
    this.shapesNextTransaction ||= effects.shapesNextTransaction;
  }

  /** Undefined where there is nothing to tell. The digest is asked for where something ties, for that is logged. */
  effects(digest: () => string): Effects | undefined {
    const sizes = [this.#pins, this.#awsPins, this.#assigns, this.#sets, this.#asksFor];
    const isNothing =
      sizes.every(({ size }) => size === 0) &&
      this.#ties.length === 0 &&
      !this.#assignsAny &&
      !this.usesUserVariables &&
      !this.shapesNextTransaction &&
      !this.endsSession &&
      !this.setsLastInsertId &&
      !this.givesNumbers &&
      !this.calculatesFoundRows &&
      !this.mayRunRoutines &&
      !this.loadsLocalFile &&
      this.kill === undefined;
    const isTying = this.#awsPins.size + this.#ties.length > 0;
    return isNothing ? undefined : this.#told(isTying ? digest() : '');
  }

  #told(digest: string): Effects {
    return {
      digest,
      isUnsure: this.#isUnsure,
      hasSeveralStatements: this.hasSeveralStatements,
      pins: [...this.#pins],
      ties: this.#ties,
      awsPins: [...this.#awsPins],
      assigns: this.#assignsAny ? 'any' : [...this.#assigns],
      usesUserVariables: this.usesUserVariables,
      sets: [...this.#sets],
      shapesNextTransaction: this.shapesNextTransaction,
      endsSession: this.endsSession,
      asksFor: this.#asksFor,
      setsLastInsertId: this.setsLastInsertId,
      givesNumbers: this.givesNumbers,
      calculatesFoundRows: this.calculatesFoundRows,
      kill: this.kill,
      mayRunRoutines: this.mayRunRoutines,
      loadsLocalFile: this.loadsLocalFile,
    };
  }
}
