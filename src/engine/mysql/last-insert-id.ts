import type { MysqlMemory } from './memory.ts';

const UNKNOWN = '';

type Remembering = Pick<MysqlMemory, 'lastInsertId'>;

/**
 * What LAST_INSERT_ID() is to one session. The connection knows, once it has been told what the session brings along; or it has the
 * number of whoever had it before, until a statement gives out another one. Nobody is told that but who asks for it, as many never do.
 */
export class LastInsertId {
  #own = '0';
  /** What it was to the session when that came to its connection, and what it was there. */
  #before = { own: '0', there: '0' };
  /** Nothing has been run since. */
  #isKnown = true;
  /** The database is to be asked before anybody else gets the connection. */
  isDue = false;

  attached({ lastInsertId }: Remembering): void {
    this.#before = { own: this.#own, there: lastInsertId };
    this.#isKnown = true;
  }

  /** A command has been sent that may give out a number. */
  sent(): void {
    this.#isKnown = false;
  }

  /** A statement sets it, to whatever it may be. */
  set(): void {
    this.#before = { own: this.#own, there: UNKNOWN };
    this.isDue = true;
  }

  /** A reply has told of a number. It may be that of a row which came with it, which is none of LAST_INSERT_ID(). */
  inserted(memory: Remembering, id: number | bigint): void {
    this.#own = String(id);
    memory.lastInsertId = this.#own;
  }

  /** The database tells what it is. As it was before, on the connection, it is nothing of the session's. */
  told(memory: Remembering, there: string): void {
    const isOthers = there === this.#before.there && there !== this.#own;
    this.#own = isOthers ? this.#before.own : there;
    memory.lastInsertId = there;
    this.#before = { own: this.#own, there };
    this.#isKnown = true;
    this.isDue = false;
  }

  /** What must be done before it can be asked for. */
  get lacking(): 'nothing' | 'question' | 'value' {
    const { own, there } = this.#before;
    if (own === there) return 'nothing';
    return this.#isKnown ? 'value' : 'question';
  }

  /** Makes the connection's what it is to the session: returns the number to set. */
  bring(memory: Remembering): string {
    memory.lastInsertId = this.#own;
    this.#before = { own: this.#own, there: this.#own };
    return this.#own;
  }
}
