import { concat, fromLatin1 } from '../../base/bytes.ts';
import { message } from '../../wire/postgres/build.ts';
import { frontend } from '../../wire/postgres/message-types.ts';
import type { Description } from './description.ts';
import type { Effects } from './effects.ts';
import { NO_EFFECTS } from './effects.ts';
import type { Move } from './positions.ts';
import type { Exchange } from './sql-names.ts';
import type { SettingsState } from './state.ts';

/** How a prepared statement is called on database connections. */
export interface Variant {
  readonly name: string;
  /** The name as it is sent, without its NUL. */
  readonly nameBytes: Uint8Array;
}

export function makeVariant(name: string): Variant {
  return { name, nameBytes: fromLatin1(name) };
}

/** How a statement is made on a connection: a Parse message behind its name, or a text around it. */
export type Recipe =
  | { readonly kind: 'parse'; readonly body: Uint8Array }
  | {
      readonly kind: 'sql';
      readonly before: Uint8Array;
      readonly after: Uint8Array;
      /** In characters: what came before it in the client's text, where its name begins in it, and how long that is there. */
      readonly lead: number;
      readonly nameAt: number;
      readonly nameLength: number;
    };

const KNOWN_VARIANTS = 16;
const NO_EXCHANGE = { made: undefined, moves: undefined };

/** A prepared statement of clients', whatever they call it: its text and the types of its parameters. */
export class Statement {
  readonly recipe: Recipe;
  readonly effects: Effects;
  /** What it prepares when it is run, and how its text was sent, where it was made last. */
  exchange: Omit<Exchange, 'edits'> = NO_EXCHANGE;
  /** By the state in which it was parsed: what it means may depend on that (trap PG-81). */
  readonly #variants = new Map<SettingsState, Variant>();
  readonly #descriptions = new Map<string, Description>();

  /** Its text means the same in every client encoding. */
  readonly isAscii: boolean;

  constructor(recipe: Recipe, effects: Effects) {
    this.recipe = recipe;
    this.effects = effects;
    const parts = recipe.kind === 'parse' ? [recipe.body] : [recipe.before, recipe.after];
    this.isAscii = parts.every((part) => part.every((byte) => byte < 0x80));
  }

  /** The one object for what a Describe has told of it. */
  description(heard: Description): Description {
    const key = `${heard.parameters ?? 'portal'} ${heard.columns}`;
    const known = this.#descriptions.get(key);
    if (known !== undefined) return known;
    if (this.#descriptions.size >= KNOWN_VARIANTS) this.#descriptions.clear();
    this.#descriptions.set(key, heard);
    return heard;
  }

  variantFor(planning: SettingsState, names: { name(): string }): Variant {
    let variant = this.#variants.get(planning);
    if (variant === undefined) {
      variant = makeVariant(names.name());
      if (this.#variants.size >= KNOWN_VARIANTS) this.#variants.clear();
      this.#variants.set(planning, variant);
    }
    return variant;
  }

  /** It has been made under this name already. */
  adopt(planning: SettingsState, variant: Variant): void {
    this.#variants.set(planning, variant);
  }

  isCalled(name: string): boolean {
    for (const variant of this.#variants.values()) if (variant.name === name) return true;
    return false;
  }

  /** What the database made of it holds no longer: from here on it is parsed anew, under another name (trap PG-83). */
  renew(): void {
    this.#variants.clear();
  }
}

/** An empty text without parameters: it can be parsed even in a failed transaction. */
export const emptyStatement = new Statement(
  { kind: 'parse', body: Uint8Array.of(0, 0, 0) },
  NO_EFFECTS,
);

/** A Parse message for this name; `body` is what comes behind it, its NUL not included. */
export function parseMessage({ nameBytes }: Variant, body: Uint8Array): Uint8Array {
  return message(frontend.parse, nameBytes, NUL, body);
}

/** The text that makes a statement by SQL, and how it differs from the client's. */
export function sqlOf(
  { before, after, lead, nameAt, nameLength }: Extract<Recipe, { kind: 'sql' }>,
  { nameBytes }: Variant,
): { readonly sql: Uint8Array; readonly moves: readonly Move[] } {
  const moves = [
    { at: 0, sent: 0, given: lead },
    { at: nameAt, sent: nameBytes.length, given: nameLength },
  ];
  return { sql: concat([before, nameBytes, after]), moves };
}

const NUL = Uint8Array.of(0);

interface OnServer {
  /** A moment of the realm. */
  readonly madeAt: number;
  usedAt: number;
  /** What it returns there, as far as anybody has asked; `asking` while somebody does. */
  description: Description | 'asking' | undefined;
}

/** The prepared statements that are on one database connection, the least recently used first to go. */
export class PreparedOnServer {
  readonly #variants = new Map<Variant, OnServer>();
  #uses = 0;

  get size(): number {
    return this.#variants.size;
  }

  /** Whether it is there; then it has been used now. */
  use(variant: Variant): boolean {
    const found = this.#variants.get(variant);
    if (found === undefined) return false;
    this.#uses += 1;
    found.usedAt = this.#uses;
    return true;
  }

  /** `madeAt` is a moment of the realm; without one it is older than everything. */
  add(variant: Variant, madeAt = 0): void {
    this.#uses += 1;
    this.#variants.set(variant, { madeAt, usedAt: this.#uses, description: undefined });
  }

  /** Whether it is there from before this moment. */
  isOlder(variant: Variant, moment: number): boolean {
    const found = this.#variants.get(variant);
    return found !== undefined && found.madeAt < moment;
  }

  descriptionOf(variant: Variant): OnServer['description'] {
    return this.#variants.get(variant)?.description;
  }

  describe(variant: Variant, description: OnServer['description']): void {
    const found = this.#variants.get(variant);
    if (found !== undefined) found.description = description;
  }

  delete(variant: Variant): void {
    this.#variants.delete(variant);
  }

  clear(): void {
    this.#variants.clear();
  }

  all(): readonly Variant[] {
    return [...this.#variants.keys()];
  }

  /** The one that has not been used for the longest time. */
  get oldest(): Variant | undefined {
    let oldest: Variant | undefined;
    let least = Number.POSITIVE_INFINITY;
    for (const [variant, { usedAt }] of this.#variants) {
      if (usedAt >= least) continue;
      least = usedAt;
      oldest = variant;
    }
    return oldest;
  }
}
