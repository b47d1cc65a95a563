import { limits } from '../../base/limits.ts';
import type { Description } from './description.ts';
import { Describing, UNREADABLE } from './description.ts';
import type { PreparedOnServer, Statement, Variant } from './statement.ts';

/**
 * What a client has been told that its statements return, and trusts. On another connection a statement is made anew, and may
 * return something else by then: before the first use there, the two are compared (trap PG-83).
 */
export class Described {
  #told: Map<Statement, Description> | undefined;

  /** Whether the client knows what to expect. */
  has(statement: Statement): boolean {
    return this.#told?.has(statement) === true;
  }

  /** The client asks. */
  tell(statement: Statement, variant: Variant, prepared: PreparedOnServer): Describing {
    return new Describing((text) => {
      if (text === undefined) return;
      const description = statement.description(text);
      this.#told ??= new Map();
      if (this.#told.size >= limits.sessionStatements.value) this.#told.clear();
      if (text === UNREADABLE) this.#told.delete(statement);
      else this.#told.set(statement, description);
      prepared.describe(variant, description);
    });
  }

  /** We ask, where the client trusts what it was told elsewhere. */
  compare(statement: Statement, variant: Variant, prepared: PreparedOnServer): Describing {
    prepared.describe(variant, 'asking');
    return new Describing((text) =>
      prepared.describe(variant, text === undefined ? undefined : statement.description(text)),
    );
  }

  /** Whether what the client trusts holds on this connection. */
  holds(
    statement: Statement,
    variant: Variant,
    prepared: PreparedOnServer,
  ): 'yes' | 'no' | 'asking' | 'unknown' {
    const told = this.#told?.get(statement);
    if (told === undefined) return 'yes';
    const here = prepared.descriptionOf(variant);
    if (here === undefined) return 'unknown';
    if (here === 'asking') return 'asking';
    return here === told ? 'yes' : 'no';
  }
}
