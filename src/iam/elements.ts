import { matchesWildcard } from './wildcard.ts';

// What policies are made of. A policy is honoured whole or refused when it is read: half a policy would let in somebody
// whom its author kept out.

const LONGEST_PATTERN = 2_048;
const VERSIONS: readonly unknown[] = ['2012-10-17', '2008-10-17'];

/**
 * What a statement is about: whatever fits one of the patterns, or, negated, whatever fits none.
 */
export interface Patterns {
  readonly negated: boolean;
  readonly patterns: readonly string[];
}

export type Effect = 'Allow' | 'Deny';

/** What policies come to: an explicit Deny wins over every Allow; what nobody allows is denied implicitly. */
export type Decision = 'allowed' | 'explicitDeny' | 'implicitDeny';

/** From the statements that are about the question. */
export function decisionOf(statements: readonly { readonly effect: Effect }[]): Decision {
  if (statements.length === 0) return 'implicitDeny';
  return statements.every(({ effect }) => effect === 'Allow') ? 'allowed' : 'explicitDeny';
}

/** Actions are compared in lower case. */
export function covers({ negated, patterns }: Patterns, text: string): boolean {
  return patterns.some((pattern) => matchesWildcard(pattern, text)) !== negated;
}

/** The statements of a document, each an object with no elements but those in `known`. */
export function readStatements<Statement>(
  value: unknown,
  where: string,
  known: readonly string[],
  readStatement: (statement: Record<string, unknown>, where: string) => Statement,
): readonly Statement[] {
  const document = readObject(value, where, ['Version', 'Id', 'Statement']);
  const version = document['Version'];
  if (version !== undefined && !VERSIONS.includes(version)) {
    throw problem(`${where}.Version`, "must be the text '2012-10-17', in quotes");
  }
  readNote(document['Id'], `${where}.Id`);
  return readList(document['Statement'], `${where}.Statement`, 'a statement').map(
    ({ item, at }) => {
      const statement = readObject(item, at, ['Sid', 'Effect', ...known]);
      readNote(statement['Sid'], `${at}.Sid`);
      return readStatement(statement, at);
    },
  );
}

export function readEffect(statement: Record<string, unknown>, where: string): Effect {
  const effect = statement['Effect'];
  if (effect !== 'Allow' && effect !== 'Deny') {
    throw problem(`${where}.Effect`, "must be 'Allow' or 'Deny'");
  }
  return effect;
}

export function readActions(statement: Record<string, unknown>, where: string): Patterns {
  return readPatterns(statement, 'Action', where, readAction);
}

export function readResources(statement: Record<string, unknown>, where: string): Patterns {
  return readPatterns(statement, 'Resource', where, readResource);
}

/** Either the element or its Not-form: one pattern or a list of them. */
function readPatterns(
  statement: Record<string, unknown>,
  element: 'Action' | 'Resource',
  where: string,
  readPattern: (text: string, where: string) => string,
): Patterns {
  const negated = statement[`Not${element}`] !== undefined;
  if (negated === (statement[element] !== undefined)) {
    throw problem(where, `needs either ${element} or Not${element}: give one of the two`);
  }
  const name = negated ? `Not${element}` : element;
  const patterns = readList(statement[name], `${where}.${name}`, 'a pattern').map(
    ({ item, at }) => {
      const text = readText(item, at);
      if (text.length > LONGEST_PATTERN) {
        throw problem(at, `is longer than ${LONGEST_PATTERN} characters: shorten it`);
      }
      return readPattern(text, at);
    },
  );
  return { negated, patterns };
}

/** In lower case, since actions are compared without regard to it. */
function readAction(text: string, where: string): string {
  if (!/^(\*|[^:]+:.+)$/s.test(text)) {
    throw problem(where, "must be '*' or start with a service, as in 'rds-db:connect'");
  }
  return text.toLowerCase();
}

function readResource(text: string, where: string): string {
  if (text.includes('${')) {
    throw problem(where, 'has a policy variable, which is not supported: write its value');
  }
  const isWhole = text.split(':').length >= 6 || text.endsWith('*');
  if (text !== '*' && !(text.startsWith('arn:') && isWhole)) {
    throw problem(
      where,
      "must be '*' or an ARN, as in 'arn:aws:rds-db:us-east-1:123456789012:dbuser:prx-…/app'",
    );
  }
  return text;
}

export function readObject(
  value: unknown,
  where: string,
  known: readonly string[],
): Record<string, unknown> {
  if (!isObject(value)) throw problem(where, `must be an object with ${known.join(', ')}`);
  const stranger = Object.keys(value).find((name) => !known.includes(name));
  if (stranger !== undefined) {
    const why = 'is not supported, and a policy cannot be honoured in part: remove it';
    throw problem(`${where}.${stranger}`, `${why} (known: ${known.join(', ')})`);
  }
  return value;
}

/** One value or a list with at least one, each with its place. */
export function readList(
  value: unknown,
  where: string,
  what: string,
): readonly { item: unknown; at: string }[] {
  if (value === undefined) throw problem(where, `is missing: give ${what} or a list of them`);
  if (!Array.isArray(value)) return [{ item: value, at: where }];
  if (value.length === 0) throw problem(where, `is empty: give ${what} or a list of them`);
  return value.map((item: unknown, index) => ({ item, at: `${where}[${index}]` }));
}

export function readText(value: unknown, where: string): string {
  if (typeof value !== 'string') throw problem(where, 'must be a text');
  return value;
}

/** A name that its author gave, and that decides nothing. */
function readNote(value: unknown, where: string): void {
  if (value !== undefined) readText(value, where);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function problem(where: string, what: string): Error {
  return new Error(`${where} ${what}`);
}
