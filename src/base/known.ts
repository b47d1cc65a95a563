/**
 * Values by their keys, each made when it is first asked for. Where they become too many all are forgotten: what is equal to one from
 * before is another object then.
 */
export class Known<Key, Value> {
  readonly #limit: number;
  readonly #values = new Map<Key, Value>();

  /** @param limit so many are kept at a time */
  constructor(limit: number) {
    this.#limit = limit;
  }

  of(key: Key, make: () => Value): Value {
    let value = this.#values.get(key);
    if (value === undefined) {
      value = make();
      if (this.#values.size >= this.#limit) this.#values.clear();
      this.#values.set(key, value);
    }
    return value;
  }
}
