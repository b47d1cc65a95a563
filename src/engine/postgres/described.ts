import { limits } from '../../base/limits.ts';
import type { Description } from './description.ts';
import { agrees, Describing, UNREADABLE } from './description.ts';
import type { PreparedOnServer, Statement, Variant } from './statement.ts';

/**
 * What a client has been told that its statements return, and trusts. On another connection a statement is made anew, and may
 * return something else by then: before the first use there, the two are compared (trap PG-83).
 */
export class Described {
  #told: Map<Statement, Description> | undefined;
  /** The moments when the client parsed them. */
  #parsedAt: WeakMap<Statement, number> | undefined;
  /** What it has parsed last, until it asks what a portal of it returns. */
  #parsedLast: Statement | undefined;

  /** The client has parsed it, at this moment of the realm. */
  parsed(statement: Statement, moment: number): void {
    this.#parsedAt ??= new WeakMap();
    this.#parsedAt.set(statement, moment);
    this.#parsedLast = statement;
  }

  /** Whether what is on the connection was made before the client parsed it. */
  isOutdated(statement: Statement, variant: Variant, prepared: PreparedOnServer): boolean {
    return prepared.isOlder(variant, this.#parsedAt?.get(statement) ?? 0);
  }

  /** Whether no portal of what the client has just parsed has been asked about. */
  isFirstPortal(statement: Statement): boolean {
    const isFirst = this.#parsedLast === statement;
    if (isFirst) this.#parsedLast = undefined;
    return isFirst;
  }

  /**
   * What the client knows to expect. `isDescribed`: it asks about the portal at hand, and believes only what it has been told of
   * the statement itself: it asks for the columns' formats by that (pgx).
   */
  trusted(statement: Statement, isDescribed: boolean): Description | undefined {
    const told = this.#told?.get(statement);
    return isDescribed && told?.parameters === undefined ? undefined : told;
  }

  /** The client asks, about the statement or a portal of it. */
  tell(statement: Statement, variant: Variant, prepared: PreparedOnServer): Describing {
    return new Describing((heard) => {
      if (heard === undefined) return;
      const told = this.#told?.get(statement);
      // What it was told of parameters before is as true as it was.
      if (heard.parameters === undefined && told?.columns === heard.columns) return;
      const description = statement.description(heard);
      this.#told ??= new Map();
      if (this.#told.size >= limits.sessionStatements.value) this.#told.clear();
      if (heard === UNREADABLE) this.#told.delete(statement);
      else this.#told.set(statement, description);
      prepared.describe(variant, description);
    });
  }

  /** We ask, where the client trusts what it was told elsewhere. */
  compare(statement: Statement, variant: Variant, prepared: PreparedOnServer): Describing {
    prepared.describe(variant, 'asking');
    return new Describing((heard) =>
      prepared.describe(variant, heard === undefined ? undefined : statement.description(heard)),
    );
  }

  /** Whether what the client trusts holds on this connection. */
  holds(
    statement: Statement,
    variant: Variant,
    prepared: PreparedOnServer,
    isDescribed: boolean,
  ): 'untold' | 'yes' | 'no' | 'asking' | 'unknown' {
    const told = this.trusted(statement, isDescribed);
    if (told === undefined) return 'untold';
    const here = prepared.descriptionOf(variant);
    if (here === undefined) return 'unknown';
    if (here === 'asking') return 'asking';
    if (agrees(here, told)) return 'yes';
    const isHalfKnown = here.parameters === undefined && here.columns === told.columns;
    return isHalfKnown ? 'unknown' : 'no';
  }
}
