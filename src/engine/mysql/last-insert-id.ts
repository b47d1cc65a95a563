const UNKNOWN = '';

/**
 * What LAST_INSERT_ID() is on one connection, and what it was when the session came that is there now. The connection knows what the
 * session brings along once it has been told; or it has the number of whoever had it before, until a statement gives out another one.
 * Nobody is told that but who asks for it, as many never do.
 */
export class LastInsertId {
  /** What it is here, as far as it is known. */
  #there = '0';
  /** What it was to the session when that came, and what it was here. */
  #ownBefore = '0';
  #thereBefore = '0';
  /** Nothing has been run since. */
  #isKnown = true;

  /** A session comes. @param own what it is to that */
  attached(own: string): void {
    this.#ownBefore = own;
    this.#thereBefore = this.#there;
    this.#isKnown = true;
  }

  /** A command has been sent that may give out a number. */
  sent(): void {
    this.#isKnown = false;
  }

  /** A statement sets it, to whatever it may be. */
  set(own: string): void {
    this.#ownBefore = own;
    this.#thereBefore = UNKNOWN;
  }

  /** A reply has told of a number. */
  inserted(id: string): void {
    this.#there = id;
  }

  /** The database tells what it is. Returns what it is to the session: as it was before, here, it is nothing of that one's. */
  told(own: string, there: string): string {
    const isOthers = there === this.#thereBefore && there !== own;
    const now = isOthers ? this.#ownBefore : there;
    this.#there = there;
    this.attached(now);
    return now;
  }

  /** What must be done before it can be asked for. */
  get lacking(): 'nothing' | 'question' | 'value' {
    if (this.#ownBefore === this.#thereBefore) return 'nothing';
    return this.#isKnown ? 'value' : 'question';
  }

  /** It is being made what it is to the session. */
  bring(own: string): void {
    this.#there = own;
    this.#ownBefore = own;
    this.#thereBefore = own;
  }
}
