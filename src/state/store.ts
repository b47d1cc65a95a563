import { Database } from 'bun:sqlite';
import type { SQLQueryBindings } from 'bun:sqlite';
import { chmodSync, closeSync, fsyncSync, mkdirSync, openSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';

/** In the data directory. */
export const DATA_FILE = 'sluice.db';

/** How long a write waits for another process that writes. */
const BUSY_MS = 5_000;

/** Tables of one part, and how they came to be: each step is run once, in its order. Steps are only ever added. */
export interface Schema {
  readonly part: string;
  readonly steps: readonly string[];
}

export type Row = Readonly<Record<string, string | number | null | Uint8Array>>;

/**
 * What the API has made, in one SQLite file. A write is on the disk before it returns, and of one that fails or is cut off by a crash
 * nothing is there. Other processes may read at the same time.
 */
export class Store {
  readonly #database: Database;
  readonly #listeners = new Set<() => void>();
  #depth = 0;

  private constructor(database: Database) {
    this.#database = database;
  }

  /** Opens, or makes, the store in this directory, which only its owner may enter. Throws where it was made by a newer Sluice. */
  static open(directory: string, schemas: readonly Schema[]): Store {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const path = join(directory, DATA_FILE);
    const database = new Database(path, { create: true, strict: true });
    chmodSync(path, 0o600);
    return Store.#prepare(database, schemas);
  }

  /** For tests: gone when it is closed. */
  static inMemory(schemas: readonly Schema[]): Store {
    return Store.#prepare(new Database(':memory:', { strict: true }), schemas);
  }

  static #prepare(database: Database, schemas: readonly Schema[]): Store {
    database.run(`PRAGMA busy_timeout = ${BUSY_MS}`);
    database.run('PRAGMA journal_mode = WAL');
    database.run('PRAGMA synchronous = FULL');
    database.run('PRAGMA foreign_keys = ON');
    const store = new Store(database);
    store.write(() => {
      database.run(
        'CREATE TABLE IF NOT EXISTS parts (part TEXT PRIMARY KEY, steps INTEGER NOT NULL) STRICT',
      );
      for (const schema of schemas) store.#bringUp(schema);
    });
    return store;
  }

  #bringUp({ part, steps }: Schema): void {
    const done = Number(this.one('SELECT steps FROM parts WHERE part = ?', part)?.['steps'] ?? 0);
    if (done > steps.length)
      throw new Error(
        `the data directory was written by a newer version of Sluice (${part} is at step ${done}, this version knows ${steps.length}): use that version, or a backup`,
      );
    for (const step of steps.slice(done)) this.#database.run(step);
    this.run(
      'INSERT INTO parts (part, steps) VALUES (?, ?) ON CONFLICT (part) DO UPDATE SET steps = excluded.steps',
      part,
      steps.length,
    );
  }

  /** All or nothing, and on the disk when it returns. `work` must not wait for anything. Listeners are told afterwards. */
  write<Result>(work: () => Result): Result {
    if (this.#depth > 0) return work();
    this.#depth += 1;
    let result: Result;
    try {
      result = this.#database.transaction(work).immediate();
    } finally {
      this.#depth -= 1;
    }
    for (const listener of this.#listeners) listener();
    return result;
  }

  all(sql: string, ...values: readonly SQLQueryBindings[]): readonly Row[] {
    return this.#database.query<Row, SQLQueryBindings[]>(sql).all(...values);
  }

  one(sql: string, ...values: readonly SQLQueryBindings[]): Row | undefined {
    return this.#database.query<Row, SQLQueryBindings[]>(sql).get(...values) ?? undefined;
  }

  /** Returns how many rows it has changed. Outside `write` it is a write of its own. */
  run(sql: string, ...values: readonly SQLQueryBindings[]): number {
    return this.write(() => this.#database.query(sql).run(...values).changes);
  }

  /** Calls `listener` after every write; returns what ends that. */
  onWrite(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** A whole copy, as of now, in a file that must not exist yet, on the disk when it returns. Others may write meanwhile. */
  backup(path: string): void {
    // VACUUM takes an empty file, too: nobody else gets to read it, nor comes in between.
    const file = openSync(path, 'wx+', 0o600);
    try {
      this.#database.query('VACUUM INTO ?').run(path);
      fsyncSync(file);
    } catch (problem) {
      unlinkSync(path);
      throw problem;
    } finally {
      closeSync(file);
    }
  }

  close(): void {
    this.#database.close();
  }
}
