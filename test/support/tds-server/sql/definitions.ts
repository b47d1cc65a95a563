import type {
  ColumnDefinition,
  Constraint,
  Expression,
  Reference,
  Statement,
  TableDefinition,
} from './ast.ts';
import { parseExpression } from './expressions.ts';
import { parseQuery, skipParentheses } from './queries.ts';
import type { Words } from './words.ts';

function parseColumn(words: Words): ColumnDefinition {
  const name = words.anyName();
  const empty = {
    ...{ name, isNullable: undefined, identity: undefined, defaultValue: undefined },
    ...{ computed: undefined, isPrimary: false, isUnique: false, references: undefined },
  };
  if (words.skip('AS')) {
    const computed = words.parenthesised(() => parseExpression(words));
    words.skip('PERSISTED');
    return { ...empty, type: { name: 'int', length: 0, precision: 0, scale: 0 }, computed };
  }
  const column: { -readonly [K in keyof ColumnDefinition]: ColumnDefinition[K] } = {
    ...empty,
    type: words.type(1),
  };
  for (;;) {
    if (words.skip('NOT', 'NULL')) column.isNullable = false;
    else if (words.skip('NULL')) column.isNullable = true;
    else if (words.skip('IDENTITY')) column.identity = parseIdentity(words);
    else if (words.skip('CONSTRAINT')) words.identifier();
    else if (words.skip('DEFAULT')) {
      column.defaultValue = parseDefault(words);
      words.skip('WITH', 'VALUES');
    } else if (words.skip('PRIMARY', 'KEY')) {
      column.isPrimary = true;
      if (!words.skip('CLUSTERED')) words.skip('NONCLUSTERED');
    } else if (words.skip('UNIQUE')) {
      column.isUnique = true;
      if (!words.skip('CLUSTERED')) words.skip('NONCLUSTERED');
    } else if (words.skip('COLLATE')) words.anyName();
    else if (words.skip('CHECK')) skipParentheses(words);
    else if (words.is('FOREIGN') || words.is('REFERENCES')) {
      words.skip('FOREIGN', 'KEY');
      column.references = parseReference(words);
    } else if (!words.skip('ROWGUIDCOL') && !words.skip('SPARSE')) return column;
  }
}

/** `DEFAULT (1)`, `DEFAULT GETDATE()`: nothing that could be the next constraint. */
function parseDefault(words: Words): Expression {
  if (words.is('(')) return words.parenthesised(() => parseExpression(words));
  return parseExpression(words);
}

function parseIdentity(words: Words): { seed: number; increment: number } {
  if (!words.is('(')) return { seed: 1, increment: 1 };
  const [seed = 1, increment = 1] = words.parenthesised(() => words.list(() => words.integer()));
  return { seed, increment };
}

function parseReference(words: Words): Reference {
  words.expect('REFERENCES');
  const table = words.name();
  const columns = words.is('(') ? words.names() : [];
  while (words.skip('ON')) {
    words.next();
    if (!words.skip('NO', 'ACTION') && !words.skip('SET', 'NULL') && !words.skip('SET', 'DEFAULT'))
      words.expect('CASCADE');
  }
  words.skip('NOT', 'FOR', 'REPLICATION');
  return { table, columns };
}

function keyColumns(words: Words): string[] {
  return words.parenthesised(() =>
    words.list(() => {
      const name = words.anyName();
      if (!words.skip('DESC')) words.skip('ASC');
      return name;
    }),
  );
}

function parseConstraint(words: Words): Constraint | undefined {
  const isConstraint = words.isOneOf(
    'CONSTRAINT',
    'PRIMARY',
    'UNIQUE',
    'FOREIGN',
    'CHECK',
    'DEFAULT',
    'INDEX',
  );
  if (!isConstraint) return undefined;
  const name = words.skip('CONSTRAINT') ? words.identifier() : undefined;
  if (words.is('PRIMARY', 'KEY') || words.is('UNIQUE')) {
    const isPrimary = words.skip('PRIMARY', 'KEY');
    if (!isPrimary) words.expect('UNIQUE');
    if (!words.skip('CLUSTERED')) words.skip('NONCLUSTERED');
    return { kind: 'key', name, isPrimary, columns: keyColumns(words) };
  }
  if (words.skip('FOREIGN', 'KEY')) {
    const columns = words.names();
    return { kind: 'foreign', name, columns, references: parseReference(words) };
  }
  if (words.skip('CHECK')) {
    const condition = words.parenthesised(() => parseExpression(words));
    return { kind: 'check', name, condition };
  }
  if (words.skip('DEFAULT')) {
    const value = parseDefault(words);
    words.expect('FOR');
    return { kind: 'default', name, value, column: words.anyName() };
  }
  words.expect('INDEX');
  const index = words.identifier();
  const isUnique = words.skip('UNIQUE');
  const columns = keyColumns(words);
  // An index that is not unique changes nothing here.
  return isUnique
    ? { kind: 'key', name: index, isPrimary: false, columns }
    : {
        kind: 'check',
        name: index,
        condition: {
          kind: 'literal',
          type: { name: 'bit', length: 0, precision: 0, scale: 0 },
          value: true,
        },
      };
}

export function parseTableDefinition(words: Words): TableDefinition {
  const columns: ColumnDefinition[] = [];
  const constraints: Constraint[] = [];
  words.expect('(');
  do {
    if (words.is(')')) break;
    const constraint = parseConstraint(words);
    if (constraint === undefined) columns.push(parseColumn(words));
    else constraints.push(constraint);
  } while (words.skip(','));
  words.expect(')');
  return { columns, constraints };
}

/** CREATE, behind the word, but for procedures. */
export function parseCreate(words: Words, line: number): Statement {
  if (words.skip('TABLE')) {
    const name = words.name();
    const definition = parseTableDefinition(words);
    if (words.skip('ON')) words.identifier();
    return { kind: 'createTable', line, name, definition };
  }
  if (words.skip('TYPE')) {
    const name = words.name();
    words.expect('AS', 'TABLE');
    return { kind: 'createType', line, name, definition: parseTableDefinition(words) };
  }
  if (words.skip('VIEW')) return parseView(words, line, false);
  if (words.skip('DATABASE')) {
    const name = words.identifier();
    if (words.skip('COLLATE')) words.anyName();
    return { kind: 'createDatabase', line, name };
  }
  if (words.skip('SCHEMA')) {
    const name = words.identifier();
    if (words.skip('AUTHORIZATION')) words.identifier();
    return { kind: 'createSchema', line, name };
  }
  const isUnique = words.skip('UNIQUE');
  if (!words.skip('CLUSTERED')) words.skip('NONCLUSTERED');
  words.expect('INDEX');
  const name = words.identifier();
  words.expect('ON');
  const table = words.name();
  const columns = keyColumns(words);
  if (words.skip('INCLUDE')) words.names();
  if (words.skip('WHERE')) parseExpression(words);
  if (words.skip('WITH')) skipParentheses(words);
  return { kind: 'createIndex', line, name, table, isUnique, columns };
}

export function parseView(words: Words, line: number, isAlter: boolean): Statement {
  const name = words.name();
  words.expect('AS');
  return { kind: 'createView', line, name, isAlter, query: parseQuery(words) };
}

/** ALTER, behind the word, but for procedures. */
export function parseAlter(words: Words, line: number): Statement {
  if (words.skip('VIEW')) return parseView(words, line, true);
  if (words.skip('DATABASE')) {
    words.anyName();
    words.expect('SET');
    while (!words.isAtEnd && !words.is(';')) words.next();
    return { kind: 'nothing', line };
  }
  words.expect('TABLE');
  const name = words.name();
  const empty = {
    kind: 'alterTable',
    line,
    name,
    add: undefined,
    drop: [],
    alter: undefined,
  } as const;
  if (words.skip('ADD')) {
    const columns: ColumnDefinition[] = [];
    const constraints: Constraint[] = [];
    do {
      const constraint = parseConstraint(words);
      if (constraint === undefined) columns.push(parseColumn(words));
      else constraints.push(constraint);
    } while (words.skip(','));
    return { ...empty, add: { columns, constraints } };
  }
  if (words.skip('ALTER', 'COLUMN')) return { ...empty, alter: parseColumn(words) };
  if (words.skip('DROP')) {
    const isColumn = words.skip('COLUMN');
    if (!isColumn) words.skip('CONSTRAINT');
    words.skip('IF', 'EXISTS');
    return { ...empty, drop: words.list(() => ({ isColumn, name: words.identifier() })) };
  }
  while (!words.isAtEnd && !words.is(';')) words.next();
  return { kind: 'nothing', line };
}

/** DROP, behind the word. */
export function parseDrop(words: Words, line: number): Statement {
  const what = words.next().upper.toLowerCase();
  const isIfExists = words.skip('IF', 'EXISTS');
  const names = words.list(() => words.name());
  if (what === 'index' && words.skip('ON')) words.name();
  return { kind: 'drop', line, what: what === 'proc' ? 'procedure' : what, names, isIfExists };
}
