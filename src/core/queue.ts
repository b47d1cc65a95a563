/** So many have gone from the front before the array is cut: seldom enough to cost nothing. */
const CUT = 256;

/** First in, first out. Unlike a `Set` it makes nothing where one comes and goes with each request; leaving early is a search. */
export class Queue<T> {
  #items: T[] = [];
  #head = 0;

  get size(): number {
    return this.#items.length - this.#head;
  }

  get first(): T | undefined {
    return this.#items[this.#head];
  }

  add(item: T): void {
    this.#items.push(item);
  }

  /** Takes the first one out. */
  shift(): T | undefined {
    const item = this.#items[this.#head];
    if (item === undefined) return undefined;
    this.#head += 1;
    if (this.#head === this.#items.length) this.clear();
    else if (this.#head === CUT) this.#cut();
    return item;
  }

  /** Takes it out, wherever it stands; false where it does not. */
  delete(item: T): boolean {
    const at = this.#items.indexOf(item, this.#head);
    if (at < 0) return false;
    this.#items.splice(at, 1);
    return true;
  }

  clear(): void {
    this.#items.length = 0;
    this.#head = 0;
  }

  /** Those who are in it now, the first one first. */
  all(): readonly T[] {
    return this.#items.slice(this.#head);
  }

  /** Who has been taken out must not be held on to. */
  #cut(): void {
    this.#items = this.#items.slice(this.#head);
    this.#head = 0;
  }
}
