import { u8 } from '../../base/bytes.ts';
import type { Edit } from './sql-names.ts';

/** A part of a text that was sent otherwise than it was given: where it begins as sent, and how long it is; in characters. */
export interface Move {
  readonly at: number;
  readonly sent: number;
  readonly given: number;
}

/** Client encodings that are, or come to the database as, UTF-8; in nearly all others a character is a byte. */
const WIDE_ENCODINGS: readonly string[] = ['UTF8', 'SQL_ASCII'];

/** Counts characters as the database does. */
export type Measure = (bytes: Uint8Array, start: number, end: number) => number;

export function measureOf(clientEncoding: string): Measure {
  return WIDE_ENCODINGS.includes(clientEncoding) ? charactersIn : (_, start, end) => end - start;
}

function charactersIn(bytes: Uint8Array, start: number, end: number): number {
  let count = 0;
  for (let at = start; at < end; at += 1) if ((u8(bytes, at) & 0xc0) !== 0x80) count += 1;
  return count;
}

/** What edits move in the text that begins at `textStart`. */
export function movesOf(
  bytes: Uint8Array,
  textStart: number,
  edits: readonly Edit[],
  measure: Measure,
): readonly Move[] {
  let grown = 0;
  return edits.map(({ start, end, to }) => {
    const given = measure(bytes, start, end);
    const move = { at: measure(bytes, textStart, start) + grown, sent: to.length, given };
    grown += move.sent - given;
    return move;
  });
}

/** A position in the text that was sent, counted from 1, as one in the text that was given. */
export function positionGiven(position: number, moves: readonly Move[]): number {
  let grown = 0;
  for (const { at, sent, given } of moves) {
    const inside = position - 1 - at;
    if (inside < 0) break;
    if (inside < sent) return position - grown - inside + Math.min(inside, given);
    grown += sent - given;
  }
  return position - grown;
}
