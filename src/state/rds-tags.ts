import type { Store } from './store.ts';

export interface Tag {
  readonly key: string;
  readonly value: string;
}

/** Tags, by the ARN of what they hang on. */
export class TagStore {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  /** By key. */
  of(arn: string): readonly Tag[] {
    return this.#store
      .all('SELECT key, value FROM rds_tags WHERE arn = ? ORDER BY key', arn)
      .map((row) => ({ key: String(row['key']), value: String(row['value']) }));
  }

  /** Those of the same key are replaced. */
  add(arn: string, tags: readonly Tag[]): void {
    this.#store.write(() => {
      for (const { key, value } of tags)
        this.#store.run(
          'INSERT INTO rds_tags (arn, key, value) VALUES (?, ?, ?) ON CONFLICT (arn, key) DO UPDATE SET value = excluded.value',
          arn,
          key,
          value,
        );
    });
  }

  remove(arn: string, keys: readonly string[]): void {
    this.#store.write(() => {
      for (const key of keys)
        this.#store.run('DELETE FROM rds_tags WHERE arn = ? AND key = ?', arn, key);
    });
  }

  removeAll(arn: string): void {
    this.#store.run('DELETE FROM rds_tags WHERE arn = ?', arn);
  }
}
