const REDACTED = '[secret]';

/**
 * Text that must never be printed: a password, a token, a key. It has no useful `toString`, JSON or inspection;
 * `reveal()` is the only way in and has few callers.
 */
export class SecretText {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  reveal(): string {
    return this.#value;
  }

  sameAs(other: SecretText): boolean {
    return this.#value === other.#value;
  }

  toString(): string {
    return REDACTED;
  }

  toJSON(): string {
    return REDACTED;
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return REDACTED;
  }
}
