import { limits } from '../../base/limits.ts';
import type { Beginning } from './state.ts';

/** Names of session variables and what they are from here on; undefined for what sessions begin with. */
export type Changes = readonly (readonly [name: string, value: string | undefined])[];

/**
 * Texts that mean the same whoever says them: a character set by its name, or one variable and a plain value. What such a text has
 * come to once it comes to always, among connections that begin alike, and need not be asked for again.
 */
const plain =
  /^\s*set\s+(?:names\s+'?\w+'?(?:\s+collate\s+'?\w+'?)?|(?:session\s+|local\s+|@@session\.|@@local\.|@@)?\w+\s*:?=\s*(?:'[^'\\@]*'|\d+|(?!default\b)\w+))\s*;?\s*$/i;
export const LONGEST_LESSON_BYTES = 256;

/** Whether what a text comes to can be learnt. */
export function isLearnable(text: string): boolean {
  return plain.test(text);
}

/** What texts have come to on the connections of one proxy. */
export class Lessons {
  readonly #known = new WeakMap<Beginning, Map<string, Changes>>();

  recall(beginning: Beginning, text: string): Changes | undefined {
    return this.#known.get(beginning)?.get(text);
  }

  learn(beginning: Beginning, text: string, changes: Changes): void {
    let texts = this.#known.get(beginning);
    if (texts === undefined || texts.size >= limits.knownSettingValues.value) {
      texts = new Map();
      this.#known.set(beginning, texts);
    }
    texts.set(text, changes);
  }
}
