import type { Row, Table } from './table.ts';

/** What one session changes until it commits. Others see it afterwards; who wants to change the same rows waits for its end. */
export class Transaction {
  /** As ENVCHANGE tells it. */
  readonly descriptor: bigint;
  readonly spid: number;
  /** It ends with its statement: nobody began it. */
  readonly isAutomatic: boolean;
  /** Nested BEGINs. */
  count = 1;
  /** It can only be rolled back. */
  isDoomed = false;
  readonly #undo: (() => void)[] = [];
  readonly #rows = new Map<Row, Table>();
  readonly #savepoints: { readonly name: string; readonly at: number }[] = [];
  readonly #waiting = new Set<() => void>();
  #hasEnded = false;
  #name: string | undefined;

  constructor(descriptor: bigint, spid: number, isAutomatic: boolean) {
    this.descriptor = descriptor;
    this.spid = spid;
    this.isAutomatic = isAutomatic;
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** The row is this transaction's until it ends. Nobody else has it. */
  take(row: Row, table: Table): void {
    if (row.owner === this) return;
    row.owner = this;
    row.before = row.values;
    this.#rows.set(row, table);
  }

  /** A row that has just been made. */
  made(row: Row, table: Table): void {
    row.owner = this;
    row.before = undefined;
    this.#rows.set(row, table);
  }

  onUndo(undo: () => void): void {
    this.#undo.push(undo);
  }

  /** Where `backTo` may return to. */
  get mark(): number {
    return this.#undo.length;
  }

  backTo(mark: number): void {
    while (this.#undo.length > mark) this.#undo.pop()?.();
  }

  save(name: string): void {
    this.#savepoints.push({ name: name.toLowerCase(), at: this.mark });
  }

  /** The name with which it began. */
  call(name: string): void {
    this.#name = name.toLowerCase();
  }

  isNamed(name: string): boolean {
    return this.#name === name.toLowerCase();
  }

  /** False where nothing has been saved under that name. */
  backToSaved(name: string): boolean {
    const saved = this.#savepoints.findLast((one) => one.name === name.toLowerCase());
    if (saved === undefined) return false;
    this.backTo(saved.at);
    return true;
  }

  commit(): void {
    for (const [row, table] of this.#rows) {
      if (row.isDeleted) table.forget(row);
      row.owner = undefined;
      row.before = undefined;
    }
    this.#end();
  }

  rollback(): void {
    this.backTo(0);
    for (const row of this.#rows.keys()) {
      row.owner = undefined;
      row.before = undefined;
    }
    this.#end();
  }

  /** Calls back once, when it has ended. The function that is returned takes that back. */
  afterEnd(resume: () => void): () => void {
    this.#waiting.add(resume);
    return () => this.#waiting.delete(resume);
  }

  #end(): void {
    this.#hasEnded = true;
    for (const resume of this.#waiting) resume();
    this.#waiting.clear();
  }
}
