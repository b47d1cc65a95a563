import type { WordVisitor } from './sql-words.ts';
import { SqlWords } from './sql-words.ts';

const PIECE_BYTES = 32;

/** The keyword that a text begins with, comments aside, in lower case; empty where it begins with none. */
export function firstWord(bytes: Uint8Array, start: number, end: number): string {
  const first = new First();
  const words = new SqlWords(first);
  for (let at = start; at < end && first.told === undefined; at += PIECE_BYTES)
    words.feed(bytes, at, Math.min(at + PIECE_BYTES, end));
  if (first.told === undefined) words.finish();
  return first.told ?? '';
}

class First implements WordVisitor {
  told: string | undefined;

  space(): void {}

  word(word: string, quoted: boolean): void {
    this.told ??= quoted ? '' : word;
  }

  value(): void {
    this.told ??= '';
  }

  mark(): void {
    this.told ??= '';
  }

  riddle(): void {
    this.told ??= '';
  }
}
