import type { Tokens } from './tokens.ts';

/** One of the things that a SET sets. */
export type SetItem =
  /** A user variable. */
  | { readonly kind: 'user'; readonly name: string }
  /** A system variable, for the session. */
  | { readonly kind: 'session'; readonly name: string; readonly isUnset: boolean }
  /** Properties of the next transaction only. */
  | { readonly kind: 'nextTransaction' }
  /** SET ROLE, SET RESOURCE GROUP: the session's, but no variable. */
  | { readonly kind: 'role' }
  /** For others, or for sessions to come: SET GLOBAL, SET PASSWORD. */
  | { readonly kind: 'elsewhere' }
  | { readonly kind: 'unknown' };

const scopes = ['session', 'local', 'global', 'persist', 'persist_only'] as const;
const elsewhere: readonly string[] = ['global', 'persist', 'persist_only'];
/** By these, `SET @@name` without a scope is about the next transaction. */
const transactional: readonly string[] = [
  'transaction_isolation',
  'transaction_read_only',
  'tx_isolation',
  'tx_read_only',
];
/** What SET TRANSACTION sets. */
const TRANSACTION = 'transaction';

/** Reads the tokens behind SET. */
export function readSet(tokens: Tokens): readonly SetItem[] {
  const items: SetItem[] = [];
  do {
    items.push(...readItem(tokens));
  } while (tokens.skipToComma());
  return items;
}

function readItem(tokens: Tokens): readonly SetItem[] {
  const special = readSpecial(tokens);
  if (special !== undefined) return [special];
  const first = tokens.peek();
  if (first?.kind === 'variable') {
    tokens.next();
    return [tokens.takeAssignment() ? { kind: 'user', name: first.text } : { kind: 'unknown' }];
  }
  if (first?.kind === 'system') {
    tokens.next();
    return readSystem(tokens, first.text);
  }
  const scope = scopes.find((one) => tokens.isWord(one) && !isAssigned(tokens));
  if (scope !== undefined) tokens.next();
  if (tokens.take(TRANSACTION)) {
    // Both of its variables, as the characteristics may come in any order.
    if (scope === 'global') return [{ kind: 'elsewhere' }];
    if (scope === undefined) return [{ kind: 'nextTransaction' }];
    return ['transaction_isolation', 'transaction_read_only'].map((name) => setFor(name, false));
  }
  const name = takeDottedName(tokens);
  if (name === undefined || !tokens.takeAssignment()) return [{ kind: 'unknown' }];
  if (scope !== undefined && elsewhere.includes(scope)) return [{ kind: 'elsewhere' }];
  return [setFor(name, isUnset(tokens))];
}

/** Behind `@@name`. */
function readSystem(tokens: Tokens, first: string): readonly SetItem[] {
  const scope = scopes.find((one) => one === first);
  let name = first;
  while (tokens.takeMark('.')) {
    const next = tokens.takeName()?.toLowerCase() ?? '';
    name = name === scope ? next : `${name}.${next}`;
  }
  if (!tokens.takeAssignment()) return [{ kind: 'unknown' }];
  if (scope !== undefined && elsewhere.includes(scope)) return [{ kind: 'elsewhere' }];
  if (scope === undefined && transactional.includes(name)) return [{ kind: 'nextTransaction' }];
  return [setFor(name, isUnset(tokens))];
}

/** Grammar of its own. */
function readSpecial(tokens: Tokens): SetItem | undefined {
  if (isAssigned(tokens)) {
    if (!tokens.isWord('password')) return undefined;
    return { kind: 'elsewhere' };
  }
  if (tokens.take('names')) return setFor('names', false);
  if (tokens.take('charset') || tokens.takeAll('character', 'set') || tokens.takeAll('char', 'set'))
    return setFor('character set', false);
  if (tokens.takeAll('default', 'role') || tokens.take('password')) return { kind: 'elsewhere' };
  if (tokens.takeAll('resource', 'group')) {
    tokens.takeName();
    return { kind: tokens.isWord('for') ? 'elsewhere' : 'role' };
  }
  return tokens.take('role') ? { kind: 'role' } : undefined;
}

/** The word here is a variable's name. */
function isAssigned(tokens: Tokens): boolean {
  return (
    tokens.isMark('=', 1) ||
    tokens.isMark('.', 1) ||
    (tokens.isMark(':', 1) && tokens.isMark('=', 2))
  );
}

function takeDottedName(tokens: Tokens): string | undefined {
  let name = tokens.takeName()?.toLowerCase();
  while (name !== undefined && tokens.takeMark('.')) {
    name = `${name}.${tokens.takeName()?.toLowerCase() ?? ''}`;
  }
  return name;
}

function setFor(name: string, isUnset: boolean): SetItem {
  return { kind: 'session', name, isUnset };
}

/** The value is DEFAULT, or 0. */
function isUnset(tokens: Tokens): boolean {
  const value = tokens.peek();
  const isNothing = tokens.isWord('default') || (value?.kind === 'number' && value.text === '0');
  return isNothing && (tokens.peek(1) === undefined || tokens.isMark(',', 1));
}
