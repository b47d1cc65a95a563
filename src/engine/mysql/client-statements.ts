import { u8 } from '../../base/bytes.ts';
import { LAST_PREPARED } from '../../wire/mysql/stmt.ts';
import type { Template } from './template.ts';

/** A statement that a client has prepared, by a number of its own. */
export class ClientStatement {
  readonly number: number;
  template: Template;
  readonly parameters: number;
  /** How the client has bound its parameters last: what it sent of their types. */
  types: Uint8Array | undefined;
  /** The rest of it is on the connection: parts of parameters, or rows that the client has not fetched. */
  hasLongData = false;
  hasCursor = false;
  /** It could not be prepared on another connection: the ERR packet that answers its next execution. */
  refusal: Uint8Array | undefined;

  constructor(number: number, template: Template, parameters: number) {
    this.number = number;
    this.template = template;
    this.parameters = parameters;
  }

  /** The client has said how it binds its parameters; mostly as the last time. */
  remember(
    bytes: Uint8Array,
    { typesStart, typesEnd }: { typesStart: number; typesEnd: number },
  ): void {
    if (this.types === undefined || !isSame(this.types, bytes, typesStart, typesEnd))
      this.types = bytes.slice(typesStart, typesEnd);
  }
}

/** The statements that a session has prepared, by numbers of ours. */
export class ClientStatements {
  readonly #statements = new Map<number, ClientStatement>();
  #lastNumber: number;
  /** MariaDB's clients may execute it before they know its number. */
  #lastPrepared: ClientStatement | undefined;
  /** Most clients go on with the one that they have named last. */
  #lastNamed: ClientStatement | undefined;

  /** @param before what came before, if anything: its numbers are not given out again, and mean nothing from here on */
  constructor(before?: ClientStatements) {
    this.#lastNumber = before?.lastNumber ?? 0;
  }

  get lastNumber(): number {
    return this.#lastNumber;
  }

  get count(): number {
    return this.#statements.size;
  }

  /** Undefined where there is none of this number. */
  at(number: number): ClientStatement | undefined {
    if (number === LAST_PREPARED) return this.#lastPrepared;
    if (this.#lastNamed?.number !== number) this.#lastNamed = this.#statements.get(number);
    return this.#lastNamed;
  }

  add(template: Template, parameters: number): ClientStatement {
    this.#lastNumber += 1;
    const statement = new ClientStatement(this.#lastNumber, template, parameters);
    this.#statements.set(statement.number, statement);
    this.#lastPrepared = statement;
    return statement;
  }

  /** What was prepared last has failed. */
  forgetLast(): void {
    this.#lastPrepared = undefined;
  }

  remove(statement: ClientStatement): void {
    this.#statements.delete(statement.number);
    if (this.#lastPrepared === statement) this.#lastPrepared = undefined;
    if (this.#lastNamed === statement) this.#lastNamed = undefined;
  }
}

function isSame(types: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  if (types.length !== end - start) return false;
  for (let at = 0; at < types.length; at += 1)
    if (u8(types, at) !== u8(bytes, start + at)) return false;
  return true;
}
