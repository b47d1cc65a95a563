import type { Body, Expression, Item, Name, Output, Query, Select, Table, Target } from './ast.ts';
import { parseExpression, parseOrder } from './expressions.ts';
import type { Words } from './words.ts';

/** WITH a AS (…), b AS (…), if it comes next. */
export function parseCtes(words: Words): Query['ctes'] {
  if (!words.skip('WITH')) return [];
  return words.list(() => {
    const name = words.identifier();
    const columns = words.is('(') ? words.names() : [];
    words.expect('AS');
    return { name, columns, query: words.parenthesised(() => parseQuery(words)) };
  });
}

export function parseQuery(words: Words, ctes = parseCtes(words)): Query {
  const body = parseBody(words);
  const order = parseOrder(words);
  let offset: Expression | undefined;
  let fetch: Expression | undefined;
  if (order.length > 0 && words.skip('OFFSET')) {
    offset = parseExpression(words);
    if (!words.skip('ROWS')) words.expect('ROW');
    if (words.skip('FETCH')) {
      if (!words.skip('NEXT')) words.expect('FIRST');
      fetch = parseExpression(words);
      if (!words.skip('ROWS')) words.expect('ROW');
      words.expect('ONLY');
    }
  }
  let isForJson = false;
  if (words.is('FOR') && ['JSON', 'BROWSE'].includes(words.ahead(1).upper)) {
    words.next();
    isForJson = words.next().upper === 'JSON';
    while (
      words.isOneOf('PATH', 'AUTO', 'ROOT', 'INCLUDE_NULL_VALUES', 'WITHOUT_ARRAY_WRAPPER', ',')
    )
      words.next();
  }
  if (words.skip('OPTION')) skipParentheses(words);
  return { ctes, body, order, offset, fetch, isForJson };
}

export function skipParentheses(words: Words): void {
  words.expect('(');
  for (let depth = 1; depth > 0;) {
    const { text, kind } = words.next();
    if (kind === 'symbol' && text === '(') depth += 1;
    if (kind === 'symbol' && text === ')') depth -= 1;
  }
}

function parseBody(words: Words): Body {
  let left = parseTerm(words);
  while (words.isOneOf('UNION', 'EXCEPT', 'INTERSECT')) {
    const word = words.next().upper as 'UNION' | 'EXCEPT' | 'INTERSECT';
    const operator = word === 'UNION' && words.skip('ALL') ? 'UNION ALL' : word;
    left = { kind: 'set', operator, left, right: parseTerm(words) };
  }
  return left;
}

function parseTerm(words: Words): Body {
  if (words.is('(')) return words.parenthesised(() => parseBody(words));
  if (words.skip('VALUES')) return parseValues(words);
  return parseSelect(words);
}

function parseValues(words: Words): Body {
  const row = (): Expression[] =>
    words.parenthesised(() =>
      words.list(() =>
        words.skip('DEFAULT') ? { kind: 'column', name: ['DEFAULT'] } : parseExpression(words),
      ),
    );
  return { kind: 'values', rows: words.list(row) };
}

export function parseTop(words: Words): Expression | undefined {
  if (!words.skip('TOP')) return undefined;
  const top = words.is('(')
    ? words.parenthesised(() => parseExpression(words))
    : words.now.kind === 'number' || words.now.kind === 'variable'
      ? parsePlain(words)
      : undefined;
  if (top === undefined) throw words.wrong();
  words.skip('PERCENT');
  words.skip('WITH', 'TIES');
  return top;
}

/** A number or variable, with nothing behind it that could belong to it: `TOP 1 *`. */
function parsePlain(words: Words): Expression {
  if (words.now.kind === 'variable') return { kind: 'variable', name: words.variable() };
  return {
    kind: 'literal',
    type: { name: 'int', length: 0, precision: 10, scale: 0 },
    value: words.integer(),
  };
}

function parseSelect(words: Words): Select {
  words.expect('SELECT');
  const isDistinct = words.skip('DISTINCT');
  if (!isDistinct) words.skip('ALL');
  const top = parseTop(words);
  const items = words.list(() => parseItem(words));
  const into = words.skip('INTO') ? words.name() : undefined;
  const from = words.skip('FROM') ? words.list(() => parseTable(words)) : [];
  const where = words.skip('WHERE') ? parseExpression(words) : undefined;
  const group = words.skip('GROUP', 'BY') ? words.list(() => parseExpression(words)) : [];
  const having = words.skip('HAVING') ? parseExpression(words) : undefined;
  return { kind: 'select', isDistinct, top, items, into, from, where, group, having };
}

/** `@x = 1` and `@x += 1`. */
const assigning = ['=', '+=', '-=', '*=', '/=', '%='];

export function parseItem(words: Words): Item {
  if (words.skip('*')) return { kind: 'star', table: undefined };
  if (words.isName && words.ahead(1).text === '.' && words.ahead(2).text === '*') {
    const table = words.identifier();
    words.expect('.', '*');
    return { kind: 'star', table };
  }
  if (
    words.now.kind === 'variable' &&
    assigning.includes(words.ahead(1).text) &&
    !words.now.text.startsWith('@@')
  ) {
    const variable = words.variable();
    const operator = words.next().text;
    const value = parseExpression(words);
    if (operator === '=') return { kind: 'assign', variable, of: value };
    const left: Expression = { kind: 'variable', name: variable };
    const of: Expression = { kind: 'binary', operator: operator.slice(0, 1), left, right: value };
    return { kind: 'assign', variable, of };
  }
  // `alias = expression`.
  if (words.isName && words.ahead(1).text === '=' && words.ahead(1).kind === 'symbol') {
    const alias = words.identifier();
    words.expect('=');
    return { kind: 'expression', of: parseExpression(words), alias };
  }
  const of = parseExpression(words);
  return { kind: 'expression', of, alias: parseAlias(words) };
}

function parseAlias(words: Words): string | undefined {
  if (words.skip('AS')) return words.now.kind === 'string' ? words.next().text : words.anyName();
  if (words.isName || words.now.kind === 'string') return words.next().text;
  return undefined;
}

const joins: readonly (readonly [
  readonly string[],
  'inner' | 'left' | 'right' | 'full' | 'cross',
])[] = [
  [['INNER', 'JOIN'], 'inner'],
  [['JOIN'], 'inner'],
  [['LEFT', 'OUTER', 'JOIN'], 'left'],
  [['LEFT', 'JOIN'], 'left'],
  [['RIGHT', 'OUTER', 'JOIN'], 'right'],
  [['RIGHT', 'JOIN'], 'right'],
  [['FULL', 'OUTER', 'JOIN'], 'full'],
  [['FULL', 'JOIN'], 'full'],
  [['CROSS', 'JOIN'], 'cross'],
  [['CROSS', 'APPLY'], 'cross'],
  [['OUTER', 'APPLY'], 'left'],
];

export function parseTable(words: Words): Table {
  let left = parseSource(words);
  for (;;) {
    const join = joins.find(([which]) => words.skip(...which));
    if (join === undefined) return left;
    const [which, how] = join;
    const right = parseSource(words);
    const hasCondition = how !== 'cross' && !which.includes('APPLY');
    if (hasCondition) words.expect('ON');
    left = {
      kind: 'join',
      how,
      left,
      right,
      on: hasCondition ? parseExpression(words) : undefined,
    };
  }
}

function parseSource(words: Words): Table {
  if (words.is('(')) {
    const isQuery = ['SELECT', 'WITH', 'VALUES', '('].includes(words.ahead(1).upper);
    if (!isQuery) return words.parenthesised(() => parseTable(words));
    const query = words.parenthesised(() => parseQuery(words));
    words.skip('AS');
    const alias = words.identifier();
    return { kind: 'derived', query, alias, columns: words.is('(') ? words.names() : [] };
  }
  if (words.now.kind === 'variable') {
    const name = words.variable();
    return { kind: 'variable', name, alias: parseAlias(words) };
  }
  const name = words.name();
  if (words.is('(')) {
    const args = words.parenthesised(() =>
      words.is(')') ? [] : words.list(() => parseExpression(words)),
    );
    return { kind: 'function', name, args, alias: parseAlias(words) };
  }
  const early = parseHints(words);
  const alias = parseAlias(words);
  return { kind: 'named', name, alias, hints: [...early, ...parseHints(words)] };
}

/** `WITH (NOLOCK, …)`, or `(NOLOCK)` as older clients write it. */
export function parseHints(words: Words): readonly string[] {
  const isOld =
    words.is('(') && /^(?:NOLOCK|UPDLOCK|HOLDLOCK|READPAST)$/.test(words.ahead(1).upper);
  if (!isOld && !words.is('WITH', '(')) return [];
  words.skip('WITH');
  const hints: string[] = [];
  words.expect('(');
  while (!words.skip(')')) {
    const { upper } = words.next();
    if (/^[A-Z]/.test(upper)) hints.push(upper);
  }
  return hints;
}

export function parseTarget(words: Words): Target {
  if (words.now.kind === 'variable') return { kind: 'variable', name: words.variable() };
  const name: Name = words.name();
  return { kind: 'named', name, hints: parseHints(words) };
}

/** OUTPUT, if it comes next. */
export function parseOutput(words: Words): Output | undefined {
  if (!words.skip('OUTPUT')) return undefined;
  const items = words.list(() => parseItem(words));
  const into = words.skip('INTO') ? parseTarget(words) : undefined;
  const columns = into !== undefined && words.is('(') ? words.names() : [];
  return { items, into, columns };
}
