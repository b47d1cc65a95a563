import { concat } from '../../base/bytes.ts';
import type { Effects, NameUse } from './effects.ts';
import type { Assumption } from './ledger.ts';
import type { Variant } from './statement.ts';
import { Statement } from './statement.ts';

/** A statement that a text prepares under a name. */
export interface MadeStatement {
  readonly statement: Statement;
  readonly variant: Variant;
}
export type MadeStatements = ReadonlyMap<string, MadeStatement>;

/** A part of some bytes that goes on otherwise. */
export interface Edit {
  readonly start: number;
  readonly end: number;
  readonly to: Uint8Array;
}

/** What an exchange of names needs of the session's statements. */
export interface NameDesk {
  find(name: string): Statement | undefined;
  /** Makes sure that the statement is on the connection, and says under which name. */
  ensure(statement: Statement): Variant;
  /** A name for a new statement. */
  newVariant(): Variant;
  /** A statement that may be deallocated in place of one that others share. */
  passing(): Variant;
  /** What no statement is called, in place of a name that the client cannot have given. */
  stranger(name: string): Variant | undefined;
}

export interface Exchange {
  readonly edits: readonly Edit[];
  readonly made: MadeStatements | undefined;
}

/** Exchanges the names of prepared statements in a text that begins at `textStart` of `bytes`. */
export function exchangeNames(
  effects: Effects,
  bytes: Uint8Array,
  textStart: number,
  desk: NameDesk,
): Exchange {
  const edits: Edit[] = [];
  const made = new Map<string, MadeStatement>();
  for (const use of effects.names) {
    if (use.name === '') continue;
    const here = made.get(use.name);
    const variant = here?.variant ?? variantFor(use, desk);
    if (variant === undefined) continue;
    const isNew = use.verb === 'prepare' && here === undefined && desk.find(use.name) === undefined;
    if (use.verb === 'deallocate') made.delete(use.name);
    else if (isNew)
      made.set(use.name, { variant, statement: statementOf(use, effects, bytes, textStart) });
    edits.push({ start: textStart + use.start, end: textStart + use.end, to: variant.nameBytes });
  }
  return { edits, made: made.size === 0 ? undefined : made };
}

function variantFor({ verb, name }: NameUse, desk: NameDesk): Variant | undefined {
  const known = desk.find(name);
  if (known !== undefined) return verb === 'deallocate' ? desk.passing() : desk.ensure(known);
  return verb === 'prepare' ? desk.newVariant() : desk.stranger(name);
}

/** Running it does what its text does, but for the names in it. */
function statementOf(
  use: NameUse,
  effects: Effects,
  bytes: Uint8Array,
  textStart: number,
): Statement {
  const part = (from: number, to: number): Uint8Array =>
    bytes.slice(textStart + from, textStart + to);
  const before = part(use.statementStart, use.start);
  const after = part(use.end, use.statementEnd);
  return new Statement({ kind: 'sql', before, after }, { ...effects, names: [] });
}

/** `bytes[start, end)` with its edits. */
export function edited(
  bytes: Uint8Array,
  start: number,
  end: number,
  edits: readonly Edit[],
): Uint8Array {
  const parts: Uint8Array[] = [];
  let from = start;
  for (const edit of edits) {
    parts.push(bytes.subarray(from, edit.start), edit.to);
    from = edit.end;
  }
  parts.push(bytes.subarray(from, end));
  return concat(parts);
}

/** By how much edits make bytes longer. */
export function growth(edits: readonly Edit[]): number {
  let bytes = 0;
  for (const { start, end, to } of edits) bytes += to.length - (end - start);
  return bytes;
}

/** What a change of names needs of the session's statements. */
export interface NameBook {
  find(name: string): Statement | undefined;
  set(name: string, made: MadeStatement): void;
  /** `undefined`: all of them. Returns how to take that back. */
  remove(name: string | undefined): () => void;
  unset(name: string, made: MadeStatement): void;
}

/**
 * What PREPARE, DEALLOCATE and DISCARD ALL do to the names, taken for done as they are sent. They are not undone by a rollback,
 * and those that were complete before a later statement of their text failed stay.
 */
export class NameChanges implements Assumption {
  readonly #undo: (() => void)[] = [];
  #completed = 0;

  constructor(uses: readonly NameUse[], made: MadeStatements | undefined, book: NameBook) {
    for (const { verb, name } of uses) {
      if (verb === 'execute') continue;
      const one = made?.get(name);
      if (verb === 'deallocate') this.#undo.push(book.remove(name === '' ? undefined : name));
      else if (one !== undefined && book.find(name) === undefined) {
        book.set(name, one);
        this.#undo.push(() => book.unset(name, one));
      }
    }
  }

  /** One statement of the text is complete. */
  completed(tag: string): void {
    if (TAGS.test(tag)) this.#completed += 1;
  }

  hold(): void {
    this.#undo.length = 0;
  }

  undo(): void {
    for (const undo of this.#undo.slice(this.#completed).toReversed()) undo();
  }
}

const TAGS = /^(?:PREPARE$|DEALLOCATE|DISCARD ALL)/;
