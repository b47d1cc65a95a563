import type { Assignment, Expression, MergeBranch, Query, Statement } from './ast.ts';
import { parseExpression } from './expressions.ts';
import {
  parseOutput,
  parseQuery,
  parseTable,
  parseTarget,
  parseTop,
  skipParentheses,
} from './queries.ts';
import type { Words } from './words.ts';

/** INSERT, behind the word. `execute` parses what comes with EXEC. */
export function parseInsert(
  words: Words,
  line: number,
  ctes: Query['ctes'],
  execute: () => Statement,
): Statement {
  if (words.skip('BULK')) return parseInsertBulk(words, line);
  parseTop(words);
  words.skip('INTO');
  const target = parseTarget(words);
  const isNames = words.is('(') && !['SELECT', 'WITH', 'VALUES'].includes(words.ahead(1).upper);
  const columns = isNames ? words.names() : [];
  const output = parseOutput(words);
  const head = { kind: 'insert', line, target, columns, output, ctes } as const;
  if (words.skip('DEFAULT', 'VALUES')) return { ...head, source: { kind: 'defaults' } };
  if (words.isOneOf('EXEC', 'EXECUTE'))
    return { ...head, source: { kind: 'execute', statement: execute() } };
  return { ...head, source: { kind: 'query', query: parseQuery(words) } };
}

function parseInsertBulk(words: Words, line: number): Statement {
  const table = words.name();
  const columns = words.parenthesised(() =>
    words.list(() => {
      const name = words.anyName();
      const type = words.type(1);
      if (words.skip('COLLATE')) words.anyName();
      if (!words.skip('NULL')) words.skip('NOT', 'NULL');
      return { name, type };
    }),
  );
  if (words.skip('WITH')) skipParentheses(words);
  return { kind: 'insertBulk', line, table, columns };
}

const operators = ['=', '+=', '-=', '*=', '/=', '%='];

function parseAssignments(words: Words): Assignment[] {
  return words.list(() => {
    let variable: string | undefined;
    if (words.now.kind === 'variable') {
      variable = words.variable();
      words.expect('=');
      const isBoth = words.isName && words.ahead(1).text === '=';
      if (!isBoth) return { column: '', variable, value: parseExpression(words) };
    }
    const name = words.name();
    const column = name.at(-1) ?? '';
    if (!words.isOneOf(...operators)) throw words.wrong();
    const operator = words.next().text;
    const value: Expression = words.skip('DEFAULT')
      ? { kind: 'column', name: ['DEFAULT'] }
      : parseExpression(words);
    const before: Expression = { kind: 'column', name };
    return {
      column,
      variable,
      value:
        operator === '='
          ? value
          : { kind: 'binary', operator: operator.slice(0, 1), left: before, right: value },
    };
  });
}

function parseWhere(words: Words): { where: Expression | undefined; cursor: string | undefined } {
  if (!words.skip('WHERE')) return { where: undefined, cursor: undefined };
  if (words.skip('CURRENT', 'OF')) {
    words.skip('GLOBAL');
    const cursor = words.now.kind === 'variable' ? words.variable() : words.identifier();
    return { where: undefined, cursor };
  }
  return { where: parseExpression(words), cursor: undefined };
}

/** UPDATE or DELETE, behind the word. */
export function parseUpdate(
  words: Words,
  line: number,
  kind: 'update' | 'delete',
  ctes: Query['ctes'],
): Statement {
  const top = parseTop(words);
  if (kind === 'delete') words.skip('FROM');
  const target = parseTarget(words);
  let set: readonly Assignment[] = [];
  if (kind === 'update') {
    words.expect('SET');
    set = parseAssignments(words);
  }
  const output = parseOutput(words);
  const from = words.skip('FROM') ? words.list(() => parseTable(words)) : [];
  const { where, cursor } = parseWhere(words);
  if (words.skip('OPTION')) skipParentheses(words);
  return { kind, line, target, top, set, output, from, where, cursor, ctes };
}

/** MERGE, behind the word. */
export function parseMerge(words: Words, line: number): Statement {
  parseTop(words);
  words.skip('INTO');
  const target = parseTarget(words);
  const hasAlias = words.skip('AS') || (words.isName && !words.is('USING'));
  const name = target.kind === 'named' ? (target.name.at(-1) ?? '') : target.name;
  const alias = hasAlias ? words.identifier() : name;
  words.expect('USING');
  const source = parseTable(words);
  words.expect('ON');
  const on = parseExpression(words);
  const branches: MergeBranch[] = [];
  while (words.skip('WHEN')) branches.push(parseBranch(words));
  const output = parseOutput(words);
  return { kind: 'merge', line, target, alias, source, on, branches, output };
}

function parseBranch(words: Words): MergeBranch {
  const isMatched = !words.skip('NOT');
  words.expect('MATCHED');
  let bySource = false;
  if (words.skip('BY')) {
    bySource = words.skip('SOURCE');
    if (!bySource) words.expect('TARGET');
  }
  const condition = words.skip('AND') ? parseExpression(words) : undefined;
  words.expect('THEN');
  if (words.skip('DELETE')) return { isMatched, bySource, condition, action: { kind: 'delete' } };
  if (words.skip('UPDATE')) {
    words.expect('SET');
    return {
      isMatched,
      bySource,
      condition,
      action: { kind: 'update', set: parseAssignments(words) },
    };
  }
  words.expect('INSERT');
  const columns = words.is('(') ? words.names() : [];
  words.expect('VALUES');
  const values = words.parenthesised(() => words.list(() => parseExpression(words)));
  return { isMatched, bySource, condition, action: { kind: 'insert', columns, values } };
}
