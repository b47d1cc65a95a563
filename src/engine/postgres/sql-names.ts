import { concat, latin1, u8, utf8 } from '../../base/bytes.ts';
import type { Change } from './doubts.ts';
import type { Effects, NameUse } from './effects.ts';
import { NO_EFFECTS } from './effects.ts';
import type { Assumption } from './ledger.ts';
import type { Measure, Move } from './positions.ts';
import { measureOf, movesOf } from './positions.ts';
import type { Variant } from './statement.ts';
import { Statement } from './statement.ts';

/** A statement that a text prepares under a name. */
export interface MadeStatement {
  readonly statement: Statement;
  readonly variant: Variant;
}
export type MadeStatements = ReadonlyMap<string, MadeStatement>;

/** PostgreSQL compares names by so many bytes. */
export const NAME_BYTES = 63;

/** A name in a text as the protocol would have it, byte by byte; a character that does not fit as a whole is left out. */
export function nameAsBytes(word: string): string {
  const bytes = utf8(word);
  let end = Math.min(bytes.length, NAME_BYTES);
  while (end < bytes.length && (u8(bytes, end) & 0xc0) === 0x80) end -= 1;
  return latin1(bytes, 0, end);
}

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
  /** A statement that may be deallocated in place of the one of this name, which others share. */
  passing(name: string): Variant;
  /** What no statement is called, in place of a name that the client cannot have given. */
  stranger(name: string): Variant | undefined;
  /** The client encoding. */
  readonly encoding: string;
}

export interface Exchange {
  readonly edits: readonly Edit[];
  readonly made: MadeStatements | undefined;
  readonly moves: readonly Move[] | undefined;
}

const NO_EXCHANGE: Exchange = { edits: [], made: undefined, moves: undefined };

/** What a portal executes. */
export interface Executed {
  readonly effects: Effects;
  readonly exchange: Omit<Exchange, 'edits'>;
}

export const NOTHING: Executed = { effects: NO_EFFECTS, exchange: NO_EXCHANGE };

/** Exchanges the names of prepared statements in a text that begins at `textStart` of `bytes`. */
export function exchangeNames(
  effects: Effects,
  bytes: Uint8Array,
  textStart: number,
  desk: NameDesk,
): Exchange {
  if (effects.names.length === 0) return NO_EXCHANGE;
  const edits: Edit[] = [];
  const made = new Map<string, MadeStatement>();
  const measure = measureOf(desk.encoding);
  for (const use of effects.names) {
    if (use.name === '') continue;
    const here = made.get(use.name);
    const variant = here?.variant ?? variantFor(use, desk);
    if (variant === undefined) continue;
    const isNew = use.verb === 'prepare' && here === undefined && desk.find(use.name) === undefined;
    if (use.verb === 'deallocate') made.delete(use.name);
    else if (isNew)
      made.set(use.name, {
        variant,
        statement: statementOf(use, effects, bytes, textStart, measure),
      });
    edits.push({ start: textStart + use.start, end: textStart + use.end, to: variant.nameBytes });
  }
  const moves = edits.length === 0 ? undefined : movesOf(bytes, textStart, edits, measure);
  return { edits, made: made.size === 0 ? undefined : made, moves };
}

function variantFor({ verb, name }: NameUse, desk: NameDesk): Variant | undefined {
  const known = desk.find(name);
  if (known !== undefined) return verb === 'deallocate' ? desk.passing(name) : desk.ensure(known);
  return verb === 'prepare' ? desk.newVariant() : desk.stranger(name);
}

/** Running it does what its text does at most, but for the names in it. */
function statementOf(
  use: NameUse,
  effects: Effects,
  bytes: Uint8Array,
  textStart: number,
  measure: Measure,
): Statement {
  const { statementStart, statementEnd, start, end } = use;
  const part = (from: number, to: number): Uint8Array =>
    bytes.slice(textStart + from, textStart + to);
  const length = (from: number, to: number): number =>
    measure(bytes, textStart + from, textStart + to);
  const recipe = {
    kind: 'sql',
    before: part(statementStart, start),
    after: part(end, statementEnd),
    lead: length(0, statementStart),
    nameAt: length(statementStart, start),
    nameLength: length(start, end),
  } as const;
  // Which of the text's effects are its own is not known: what is left of them when it has been run is to be asked.
  return new Statement(recipe, { ...effects, names: [], isTransactional: true });
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
  set(name: string, made: MadeStatement): Change;
  /** `undefined`: all of them. */
  remove(name: string | undefined): Change;
}

/**
 * What PREPARE, DEALLOCATE and DISCARD ALL do to the names, taken for done as they are sent. They are not undone by a rollback,
 * and those that were complete before a later statement of their text failed stay.
 */
export class NameChanges implements Assumption {
  readonly #changes: Change[] = [];
  readonly moves: readonly Move[] | undefined;
  readonly calls: string | undefined;
  #completed = 0;

  constructor(uses: readonly NameUse[], { made, moves }: Omit<Exchange, 'edits'>, book: NameBook) {
    this.moves = moves;
    const names = new Set(uses.map(({ name }) => name));
    this.calls = names.size === 1 ? uses[0]?.name || undefined : undefined;
    for (const { verb, name } of uses) {
      if (verb === 'execute') continue;
      const one = made?.get(name);
      if (verb === 'deallocate') this.#changes.push(book.remove(name === '' ? undefined : name));
      else if (one !== undefined && book.find(name) === undefined) {
        this.#changes.push(book.set(name, one));
      }
    }
  }

  /** One statement of the text is complete. */
  completed(tag: string): void {
    if (TAGS.test(tag)) this.#completed += 1;
  }

  hold(): void {
    for (const change of this.#changes) change.hold();
  }

  undo(failed: boolean): void {
    for (const change of this.#changes.slice(this.#completed).toReversed()) change.undo(failed);
    for (const change of this.#changes.slice(0, this.#completed)) change.hold();
  }
}

const TAGS = /^(?:PREPARE$|DEALLOCATE|DISCARD ALL)/;
