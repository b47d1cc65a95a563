import { limits } from '../../base/limits.ts';
import type { Template } from './prepared.ts';

/**
 * Handles begin here, where no database's own do: one that we have not exchanged is refused, and never means another session's
 * statement (trap TD-06).
 */
const FIRST_HANDLE = 0x4000_0000;

/** What nobody has prepared. */
export const NO_STATEMENTS: Pick<Statements, 'at' | 'close'> = {
  at: () => undefined,
  close: () => false,
};

/**
 * The statements that one session has prepared. Its handles are its own; what they stand for is prepared on any connection that
 * it gets, and shared there with others who have prepared the same.
 */
export class Statements {
  #templates: Map<number, Template> | undefined;
  #last = FIRST_HANDLE;

  get count(): number {
    return this.#templates?.size ?? 0;
  }

  get isFull(): boolean {
    return this.count >= limits.sessionStatements.value;
  }

  at(handle: number): Template | undefined {
    return this.#templates?.get(handle);
  }

  /** The handle for a statement that is about to be prepared. */
  next(): number {
    this.#last += 1;
    return this.#last;
  }

  /** The database has prepared it. */
  add(handle: number, template: Template): void {
    (this.#templates ??= new Map()).set(handle, template);
  }

  /** The client has closed it; false where there is none. On the connection it stays for others. */
  close(handle: number): boolean {
    return this.#templates?.delete(handle) === true;
  }

  /** The session begins anew. */
  clear(): void {
    this.#templates = undefined;
  }
}
