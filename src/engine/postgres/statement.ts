import { concat } from '../../base/bytes.ts';
import { message } from '../../wire/postgres/build.ts';
import { frontend } from '../../wire/postgres/message-types.ts';
import type { Effects } from './effects.ts';
import type { SettingsState } from './state.ts';

/** How a prepared statement is called on database connections. */
export interface Variant {
  readonly name: string;
  /** The name as it is sent, without its NUL. */
  readonly nameBytes: Uint8Array;
}

export function makeVariant(name: string): Variant {
  return { name, nameBytes: Buffer.from(name, 'latin1') };
}

/** How a statement is made on a connection: a Parse message behind its name, or a text around it. */
export type Recipe =
  | { readonly kind: 'parse'; readonly body: Uint8Array }
  | { readonly kind: 'sql'; readonly before: Uint8Array; readonly after: Uint8Array };

const KNOWN_VARIANTS = 16;

/** A prepared statement of clients', whatever they call it: its text and the types of its parameters. */
export class Statement {
  readonly recipe: Recipe;
  readonly effects: Effects;
  /** A statement of the protocol prepares none itself before it is run. */
  readonly made = undefined;
  /** By the state in which it was parsed: what it means may depend on that (trap PG-81). */
  readonly #variants = new Map<SettingsState, Variant>();

  constructor(recipe: Recipe, effects: Effects) {
    this.recipe = recipe;
    this.effects = effects;
  }

  variantFor(planning: SettingsState, newName: () => string): Variant {
    let variant = this.#variants.get(planning);
    if (variant === undefined) {
      variant = makeVariant(newName());
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

/** A Parse message for this name; `body` is what comes behind it, its NUL not included. */
export function parseMessage({ nameBytes }: Variant, body: Uint8Array): Uint8Array {
  return message(frontend.parse, nameBytes, NUL, body);
}

/** The text that makes a statement by SQL. */
export function sqlOf(
  recipe: Extract<Recipe, { kind: 'sql' }>,
  { nameBytes }: Variant,
): Uint8Array {
  return concat([recipe.before, nameBytes, recipe.after]);
}

const NUL = Uint8Array.of(0);

/** The prepared statements that are on one database connection, the least recently used first to go. */
export class PreparedOnServer {
  readonly #usedAt = new Map<Variant, number>();
  #uses = 0;

  get size(): number {
    return this.#usedAt.size;
  }

  /** Whether it is there; then it has been used now. */
  use(variant: Variant): boolean {
    if (!this.#usedAt.has(variant)) return false;
    this.add(variant);
    return true;
  }

  add(variant: Variant): void {
    this.#uses += 1;
    this.#usedAt.set(variant, this.#uses);
  }

  delete(variant: Variant): void {
    this.#usedAt.delete(variant);
  }

  clear(): void {
    this.#usedAt.clear();
  }

  all(): readonly Variant[] {
    return [...this.#usedAt.keys()];
  }

  /** The one that has not been used for the longest time. */
  get oldest(): Variant | undefined {
    let oldest: Variant | undefined;
    let least = Number.POSITIVE_INFINITY;
    for (const [variant, usedAt] of this.#usedAt) {
      if (usedAt >= least) continue;
      least = usedAt;
      oldest = variant;
    }
    return oldest;
  }
}
