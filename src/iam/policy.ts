import { matchesWildcard } from './wildcard.ts';

// IAM identity policies as far as they can decide about `rds-db:connect`. A policy is honoured
// whole or refused when it is read: half a policy would let in somebody whom its author kept out.

const LONGEST_PATTERN = 2_048;
const VERSIONS: readonly unknown[] = ['2012-10-17', '2008-10-17'];

export interface Policy {
  readonly statements: readonly Statement[];
}

export interface Statement {
  readonly effect: 'Allow' | 'Deny';
  readonly actions: Patterns;
  readonly resources: Patterns;
}

/**
 * What a statement is about: whatever fits one of the patterns, or, negated, whatever fits none.
 */
export interface Patterns {
  readonly negated: boolean;
  readonly patterns: readonly string[];
}

/** An explicit Deny in any policy wins over every Allow; what nobody allows is denied. */
export function allows(policies: readonly Policy[], action: string, resource: string): boolean {
  const about = policies
    .flatMap((policy) => policy.statements)
    .filter(
      (statement) =>
        covers(statement.actions, action.toLowerCase()) && covers(statement.resources, resource),
    );
  return about.length > 0 && about.every((statement) => statement.effect === 'Allow');
}

function covers({ negated, patterns }: Patterns, text: string): boolean {
  return patterns.some((pattern) => matchesWildcard(pattern, text)) !== negated;
}

/**
 * Reads a policy document that has been parsed from JSON or YAML. Throws an Error that names the
 * element, where it is, and what to do about it.
 * @param where what to call the document in messages, such as `principals[0].policy`
 */
export function parsePolicy(value: unknown, where = 'policy'): Policy {
  const document = readObject(value, where, ['Version', 'Id', 'Statement']);
  const version = document['Version'];
  if (version !== undefined && !VERSIONS.includes(version)) {
    throw problem(`${where}.Version`, "must be the text '2012-10-17', in quotes");
  }
  readNote(document['Id'], `${where}.Id`);
  const statements = readList(document['Statement'], `${where}.Statement`, 'a statement');
  return { statements: statements.map(({ item, at }) => readStatement(item, at)) };
}

function readStatement(value: unknown, where: string): Statement {
  const known = ['Sid', 'Effect', 'Action', 'NotAction', 'Resource', 'NotResource'];
  const statement = readObject(value, where, known);
  readNote(statement['Sid'], `${where}.Sid`);
  const effect = statement['Effect'];
  if (effect !== 'Allow' && effect !== 'Deny') {
    throw problem(`${where}.Effect`, "must be 'Allow' or 'Deny'");
  }
  return {
    effect,
    actions: readPatterns(statement, 'Action', where, readAction),
    resources: readPatterns(statement, 'Resource', where, readResource),
  };
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

function readObject(
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
function readList(
  value: unknown,
  where: string,
  what: string,
): readonly { item: unknown; at: string }[] {
  if (value === undefined) throw problem(where, `is missing: give ${what} or a list of them`);
  if (!Array.isArray(value)) return [{ item: value, at: where }];
  if (value.length === 0) throw problem(where, `is empty: give ${what} or a list of them`);
  return value.map((item: unknown, index) => ({ item, at: `${where}[${index}]` }));
}

function readText(value: unknown, where: string): string {
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

function problem(where: string, what: string): Error {
  return new Error(`${where} ${what}`);
}
