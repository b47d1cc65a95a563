/** Lines of a history that are kept, and those that are told. */
const KEPT = 1_000;
const TOLD = 40;
const TOLD_OF_ONE = 25;

/** What was done, for people; told where it is needed. */
type Told = string | (() => string);

interface Note {
  readonly number: number;
  readonly who: string;
  readonly what: Told;
  outcome: string;
}

/** What all sessions did, in the order in which they began it. */
export class Chronicle {
  readonly #notes: Note[] = [];
  #count = 0;

  note(who: string, what: Told): Note {
    this.#count += 1;
    const note = { number: this.#count, who, what, outcome: '' };
    this.#notes.push(note);
    if (this.#notes.length > 2 * KEPT) this.#notes.splice(0, KEPT);
    return note;
  }

  /** The last things that happened, and the last that this one did. */
  told(who: string): readonly string[] {
    const own = new Set(this.#notes.filter((note) => note.who.startsWith(who)).slice(-TOLD_OF_ONE));
    const last = new Set(this.#notes.slice(-TOLD));
    const told = this.#notes.filter((note) => own.has(note) || last.has(note));
    return told.map(({ number, who, what, outcome }) => {
      const text = typeof what === 'string' ? what : what();
      return `#${number} ${who}: ${text}${outcome === '' ? '' : ` → ${outcome}`}`;
    });
  }
}

/** One life's part of it. */
export class History {
  readonly #chronicle: Chronicle;
  readonly #who: string;
  #current: Note | undefined;

  constructor(chronicle: Chronicle, who: string) {
    this.#chronicle = chronicle;
    this.#who = who;
  }

  begin(what: Told): Note {
    this.#current = this.#chronicle.note(this.#who, what);
    this.#current.outcome = '…';
    return this.#current;
  }

  end(note: Note, outcome: string): void {
    note.outcome = outcome;
  }

  /** What came back, so that it is told also where it is not what it should be. */
  heard(direct: string, proxied: string): void {
    if (this.#current === undefined) return;
    this.#current.outcome = `directly ${direct}; proxied ${proxied}`;
  }

  say(what: string): void {
    this.#chronicle.note(this.#who, what);
  }
}
