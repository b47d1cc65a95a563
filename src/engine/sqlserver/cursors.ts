import { procedure } from '../../wire/tds/rpc.ts';
import type { Request } from './requests.ts';

/**
 * The cursors that a session has opened by procedures, and the statements that it has prepared for them: both exist on one
 * connection only. One that the database closes by itself is not seen to go.
 */
export class Cursors {
  #open = 0;
  #prepared = 0;
  /** What the request under way will have changed. */
  #opens = 0;
  #prepares = 0;

  get isEmpty(): boolean {
    return this.#open <= 0 && this.#prepared <= 0;
  }

  sent({ calls }: Request): void {
    this.#opens = 0;
    this.#prepares = 0;
    if (calls.length === 0) return;
    for (const call of calls) {
      if (isElsewhere(call.procedure)) continue;
      if (opening.includes(call.procedure)) this.#opens += 1;
      if (preparing.includes(call.procedure)) this.#prepares += 1;
      if (call.procedure === procedure.cursorClose) this.#opens -= 1;
      if (call.procedure === procedure.cursorUnprepare) this.#prepares -= 1;
    }
  }

  /** The reply is over. Returns whether anything has changed. What has failed has opened nothing, and closed nothing. */
  ended(isError: boolean): boolean {
    if (this.#opens === 0 && this.#prepares === 0) return false;
    if (!isError || this.#opens > 0) this.#open = Math.max(0, this.#open + this.#opens);
    if (!isError || this.#prepares > 0)
      this.#prepared = Math.max(0, this.#prepared + this.#prepares);
    this.#opens = 0;
    this.#prepares = 0;
    return true;
  }

  clear(): void {
    this.#open = 0;
    this.#prepared = 0;
    this.#opens = 0;
    this.#prepares = 0;
  }
}

const opening: readonly (number | string)[] = [
  procedure.cursorOpen,
  procedure.cursorExecute,
  procedure.cursorPrepExec,
];
const preparing: readonly (number | string)[] = [procedure.cursorPrepare, procedure.cursorPrepExec];

/** Most calls: they have nothing to do with cursors. */
function isElsewhere(called: number | string): boolean {
  return typeof called === 'string' || called > procedure.cursorClose;
}
