import type { Touch } from './effects.ts';

/** A token of a SET or RESET. */
export interface SetToken {
  /** Of a word as PostgreSQL takes it; of a mark the mark itself; of a value empty. */
  readonly text: string;
  /** Neither a mark, nor a value, nor quoted. */
  readonly isBare: boolean;
  readonly start: number;
}

/** What a SET or RESET does. */
export type SetOutcome =
  | { readonly kind: 'nothing' }
  /** Only for its transaction. */
  | { readonly kind: 'local'; readonly names: readonly string[] }
  | { readonly kind: 'touches'; readonly touches: readonly Touch[] }
  | { readonly kind: 'reset all' };

/** What SET SESSION CHARACTERISTICS AS TRANSACTION sets. */
const characteristics = [
  'default_transaction_isolation',
  'default_transaction_read_only',
  'default_transaction_deferrable',
];
const authorization = ['session_authorization', 'role'];

/** Grammar of its own, up to the value, and the settings that are meant; longer ones first. */
const special: readonly (readonly [words: string, names: readonly string[]])[] = [
  ['session characteristics as', characteristics],
  ['session transaction', characteristics],
  ['session authorization', authorization],
  ['time zone', ['timezone']],
  ['xml option', ['xmloption']],
  ['names', ['client_encoding']],
  ['schema', ['search_path']],
  ['role', ['role']],
];

/** Settings whose canonical value depends on more than what is written. */
const CONTEXTUAL: readonly string[] = ['default_text_search_config'];
const ASCII = /^[\0-\x7f]*$/;
const NOTHING: SetOutcome = { kind: 'nothing' };

/**
 * Reads the tokens of one statement that begins with SET or RESET; `textOf` gives the text from a token up to the statement's
 * end. What is no valid statement may be read in any way: nothing comes of it.
 */
export function readSet(
  tokens: readonly SetToken[],
  textOf: ((start: number) => string) | undefined,
): SetOutcome {
  const isReset = isWord(tokens[0], 'reset');
  let at = 1;
  if (isReset && isWord(tokens[at], 'all')) return { kind: 'reset all' };
  const isLocal = isKeyword(tokens, at, 'local');
  if (isLocal) at += 1;
  else if (isKeyword(tokens, at, 'transaction') || isKeyword(tokens, at, 'constraints'))
    return { kind: 'local', names: [] };
  const target = readTarget(tokens, at);
  if (target === undefined) return NOTHING;
  const { names, valueAt, isPlain } = target;
  if (isLocal) return { kind: 'local', names };
  const value = tokens[valueAt];
  const isDefault = isWord(value, 'default') || (isWord(value, 'local') && names[0] === 'timezone');
  const how = isReset || isDefault || value === undefined ? 'reset' : 'set';
  const touches = names.map((name): Touch => {
    const isConstant = how === 'set' && isPlain && !CONTEXTUAL.includes(name);
    const literal = isConstant && value !== undefined ? textOf?.(value.start) : undefined;
    // What is not ASCII means something else in another encoding.
    return { name, how, literal: ASCII.test(literal ?? '') ? literal : undefined };
  });
  return { kind: 'touches', touches };
}

interface Target {
  readonly names: readonly string[];
  readonly valueAt: number;
  /** The value is a constant behind TO or `=`. */
  readonly isPlain: boolean;
}

function readTarget(tokens: readonly SetToken[], from: number): Target | undefined {
  for (const [words, names] of special) {
    const list = words.split(' ');
    if (!list.every((word, index) => isWord(tokens[from + index], word))) continue;
    if (isKeyword(tokens, from + list.length - 1, list.at(-1) ?? ''))
      return { names, valueAt: from + list.length, isPlain: false };
  }
  let at = isKeyword(tokens, from, 'session') ? from + 1 : from;
  let name = tokens[at]?.text.toLowerCase() ?? '';
  for (at += 1; isMark(tokens[at], '.'); at += 2) {
    name += `.${tokens[at + 1]?.text.toLowerCase() ?? ''}`;
  }
  if (name === '') return undefined;
  const isPlain = isWord(tokens[at], 'to') || isMark(tokens[at], '=');
  // FROM CURRENT has no value to be told.
  return { names: [name], valueAt: isPlain || isWord(tokens[at], 'from') ? at + 1 : at, isPlain };
}

/** The word stands there, and not as the name of a setting: that would have TO, `=` or a dot behind it. */
function isKeyword(tokens: readonly SetToken[], at: number, word: string): boolean {
  const next = tokens[at + 1];
  return (
    isWord(tokens[at], word) && !isWord(next, 'to') && !isMark(next, '=') && !isMark(next, '.')
  );
}

function isWord(token: SetToken | undefined, word: string): boolean {
  return token !== undefined && token.isBare && token.text === word;
}

function isMark(token: SetToken | undefined, mark: string): boolean {
  return token !== undefined && !token.isBare && token.text === mark;
}
