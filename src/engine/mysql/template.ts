import { latin1 } from '../../base/bytes.ts';
import { limits } from '../../base/limits.ts';
import type { Effects } from './sql/effects.ts';
import type { SessionState } from './state.ts';

/** A prepared statement, whoever has prepared it: its text, and what decides what that means. Equal ones are one object. */
export class Template {
  readonly text: Uint8Array;
  /** The schema and the settings under which it was prepared. */
  readonly context: SessionState;
  readonly effects: Effects | undefined;

  private constructor(text: Uint8Array, context: SessionState, effects: Effects | undefined) {
    this.text = text;
    this.context = context;
    this.effects = effects;
  }

  static of(text: Uint8Array, context: SessionState, effects: Effects | undefined): Template {
    const key = latin1(text);
    let others = known.get(context);
    if (others === undefined || others.size >= limits.sharedStatements.value) {
      others = new Map();
      known.set(context, others);
    }
    let template = others.get(key);
    if (template === undefined) {
      template = new Template(text, context, effects);
      if (text.length <= limits.sharedStatementBytes.value) others.set(key, template);
    }
    return template;
  }

  /** Another one for the same text: what is left on a connection by one is nothing to the other. */
  apart(): Template {
    return new Template(this.text, this.context, this.effects);
  }
}

const known = new WeakMap<SessionState, Map<string, Template>>();

/** What the database knows a statement by. */
export interface OnServer {
  readonly id: number;
  /** Whose parameters were bound last, and so of which types it takes them to be. */
  boundBy: object | undefined;
  /** The higher, the later it was used. */
  used: number;
}

/** The statements that are prepared on one connection. */
export class PreparedOnServer {
  readonly #statements = new Map<Template, OnServer>();
  #uses = 0;

  get size(): number {
    return this.#statements.size;
  }

  /** Undefined where it is not there. */
  use(template: Template): OnServer | undefined {
    const statement = this.#statements.get(template);
    if (statement !== undefined) statement.used = this.#uses += 1;
    return statement;
  }

  /** Returns the number of the one that was there before, if any: nobody needs it any more. */
  add(template: Template, id: number): number | undefined {
    const before = this.#statements.get(template)?.id;
    this.#uses += 1;
    this.#statements.set(template, { id, boundBy: undefined, used: this.#uses });
    return before;
  }

  /** Takes out the one that has not been used for longest, and is not `needed`. */
  shift(needed: (template: Template) => boolean): number | undefined {
    let oldest: Template | undefined;
    let usedAt = Number.POSITIVE_INFINITY;
    let found: number | undefined;
    for (const [template, { id, used }] of this.#statements) {
      if (used > usedAt || needed(template)) continue;
      [oldest, usedAt, found] = [template, used, id];
    }
    if (oldest !== undefined) this.#statements.delete(oldest);
    return found;
  }

  remove(template: Template): void {
    this.#statements.delete(template);
  }

  clear(): void {
    this.#statements.clear();
  }
}
