import type { Store } from './store.ts';
import { textOf } from './rows.ts';

export interface IamTag {
  readonly key: string;
  readonly value: string;
}

/** Tags of users, roles and policies, by the id of whose they are. Keys differ by more than case. */
export class IamTags {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  /** By key. */
  of(ownerId: string): readonly IamTag[] {
    return this.#store
      .all('SELECT key, value FROM iam_tags WHERE owner_id = ? ORDER BY key', ownerId)
      .map((row) => ({ key: textOf(row, 'key'), value: textOf(row, 'value') }));
  }

  /** Those that are there already get the new value. */
  put(ownerId: string, tags: readonly IamTag[]): void {
    this.#store.write(() => {
      for (const { key, value } of tags)
        this.#store.run(
          'INSERT OR REPLACE INTO iam_tags (owner_id, key, value) VALUES (?, ?, ?)',
          ownerId,
          key,
          value,
        );
    });
  }

  remove(ownerId: string, keys: readonly string[]): void {
    this.#store.write(() => {
      for (const key of keys)
        this.#store.run('DELETE FROM iam_tags WHERE owner_id = ? AND key = ?', ownerId, key);
    });
  }

  removeAll(ownerId: string): void {
    this.#store.run('DELETE FROM iam_tags WHERE owner_id = ?', ownerId);
  }
}
