import type { TieName } from './effects.ts';
import type { Dialect } from './dialect.ts';
import type { Tokens } from './tokens.ts';

const ASCII = /^[ -~]*$/;

/** A table's name as the server compares it. Undefined where that depends on more than what is written. */
export function tableName(
  schema: string | undefined,
  name: string,
  dialect: Dialect,
): TieName | undefined {
  const isExact = dialect.charset === 'utf8' && !dialect.foldsTableNames;
  if (!isExact && !ASCII.test(`${schema ?? ''}${name}`)) return undefined;
  if (!dialect.foldsTableNames) return { schema, name };
  return { schema: schema?.toLowerCase(), name: name.toLowerCase() };
}

/** A name that belongs to no schema, and whose letters' case does not matter. */
export function plainName(name: string | undefined): TieName | undefined {
  return name === undefined || !ASCII.test(name)
    ? undefined
    : { schema: '', name: name.toLowerCase() };
}

/** MySQL compares the names of locks in lower case, MariaDB as they are. */
export function lockName(name: string | undefined, dialect: Dialect): TieName | undefined {
  if (name === undefined || !ASCII.test(name)) return undefined;
  return { schema: '', name: dialect.isMariadb ? name : name.toLowerCase() };
}

/** What is written where a table's name is to be. */
export interface TableReference {
  readonly schema: string | undefined;
  readonly name: string;
}

/** `a`, `a.b`; MariaDB has `.b` as well. */
export function takeTable(tokens: Tokens): TableReference | undefined {
  tokens.takeMark('.');
  const first = tokens.takeName();
  if (first === undefined) return undefined;
  if (!tokens.takeMark('.')) return { schema: undefined, name: first };
  const second = tokens.takeName();
  return second === undefined ? undefined : { schema: first, name: second };
}
