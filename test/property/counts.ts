import type { Message } from '../support/messages.ts';
import type { Answer } from './side.ts';

/** What a run came to. */
export class Counts {
  readonly #counts = new Map<string, number>();

  add(what: string, count = 1): void {
    this.#counts.set(what, (this.#counts.get(what) ?? 0) + count);
  }

  of(what: string): number {
    return this.#counts.get(what) ?? 0;
  }

  addAll(other: Counts): void {
    for (const [what, count] of other.#counts) this.add(what, count);
  }

  /** A line for each, by name. */
  lines(): readonly string[] {
    const sorted = [...this.#counts].sort(([a], [b]) => (a < b ? -1 : 1));
    return sorted.map(([what, count]) => `${what.padEnd(44)}${String(count).padStart(10)}`);
  }
}

/** Counts what the database itself said to have done. */
export function countAnswer(counts: Counts, { messages }: Answer): void {
  for (const message of messages) counts.add(kindOf(message) ?? 'messages');
}

function kindOf({ type, body }: Message): string | undefined {
  if (type === '1') return 'statements prepared';
  if (type === 'E') return 'errors';
  if (type === 'A') return 'notifications';
  if (type === 'S') return 'parameters reported';
  if (type !== 'C') return undefined;
  const tag = Buffer.from(body).toString('latin1', 0, body.length - 1);
  if (tag === 'SET' || tag === 'RESET') return 'settings changed';
  if (tag === 'PREPARE') return 'statements prepared';
  if (tag === 'COMMIT' || tag === 'ROLLBACK') return 'transactions ended';
  return undefined;
}
