import { Decimal } from '../types/decimal.ts';
import type { Value } from '../types/sql-type.ts';
import {
  MAX,
  bigint,
  decimal,
  float,
  int,
  nvarchar,
  sqlType,
  varbinary,
  varchar,
} from '../types/sql-type.ts';
import type { Expression, Order, Over } from './ast.ts';
import type { Words } from './words.ts';

/** A value or a condition: the grammar of the two is not told apart, as it is not in what clients send. */
export function parseExpression(words: Words): Expression {
  let left = parseAnd(words);
  while (words.skip('OR')) left = { kind: 'binary', operator: 'OR', left, right: parseAnd(words) };
  return left;
}

function parseAnd(words: Words): Expression {
  let left = parseNot(words);
  while (words.skip('AND'))
    left = { kind: 'binary', operator: 'AND', left, right: parseNot(words) };
  return left;
}

function parseNot(words: Words): Expression {
  return words.skip('NOT') ? { kind: 'not', of: parseNot(words) } : parseComparison(words);
}

const comparisons = ['=', '<>', '!=', '<', '<=', '>', '>=', '!<', '!>'];
const sameComparison: Readonly<Record<string, string>> = { '!=': '<>', '!<': '>=', '!>': '<=' };

function parseComparison(words: Words): Expression {
  const left = parseSum(words);
  if (words.isOneOf(...comparisons)) {
    const operator = words.next().text;
    return {
      kind: 'binary',
      operator: sameComparison[operator] ?? operator,
      left,
      right: parseSum(words),
    };
  }
  if (words.skip('IS')) {
    const isNot = words.skip('NOT');
    words.expect('NULL');
    return { kind: 'isNull', of: left, isNot };
  }
  const isNot = ['IN', 'BETWEEN', 'LIKE'].includes(words.ahead(1).upper) && words.skip('NOT');
  if (words.skip('IN')) {
    const list = words.parenthesised(() =>
      words.isOneOf('SELECT', 'WITH') ? words.query() : words.list(() => parseExpression(words)),
    );
    return { kind: 'in', of: left, list, isNot };
  }
  if (words.skip('BETWEEN')) {
    const low = parseSum(words);
    words.expect('AND');
    return { kind: 'between', of: left, low, high: parseSum(words), isNot };
  }
  if (words.skip('LIKE')) {
    const pattern = parseSum(words);
    const escape = words.skip('ESCAPE') ? parseSum(words) : undefined;
    return { kind: 'like', of: left, pattern, escape, isNot };
  }
  return left;
}

function parseSum(words: Words): Expression {
  let left = parseProduct(words);
  while (words.isOneOf('+', '-', '&', '|', '^', '||')) {
    const operator = words.next().text;
    left = {
      kind: 'binary',
      operator: operator === '||' ? '+' : operator,
      left,
      right: parseProduct(words),
    };
  }
  return left;
}

function parseProduct(words: Words): Expression {
  let left = parseUnary(words);
  while (words.isOneOf('*', '/', '%')) {
    const operator = words.next().text;
    left = { kind: 'binary', operator, left, right: parseUnary(words) };
  }
  return left;
}

function parseUnary(words: Words): Expression {
  if (words.isOneOf('-', '+', '~')) {
    const operator = words.next().text;
    const of = parseUnary(words);
    if (operator === '+') return of;
    if (of.kind === 'literal' && operator === '-' && of.value !== null)
      return { ...of, value: negative(of.value) };
    return { kind: 'unary', operator, of };
  }
  let found = parsePrimary(words);
  while (words.skip('COLLATE')) words.anyName();
  while (words.is('AT', 'TIME', 'ZONE')) {
    words.expect('AT', 'TIME', 'ZONE');
    found = call('AT TIME ZONE', [found, parsePrimary(words)]);
  }
  return found;
}

function negative(value: Value): Value {
  if (typeof value === 'number' || typeof value === 'bigint') return -value;
  return value instanceof Decimal ? new Decimal(-value.unscaled, value.scale) : value;
}

export function call(name: string, args: readonly Expression[]): Expression {
  return { kind: 'call', name, args, isStar: false, isDistinct: false, over: undefined };
}

export function numberLiteral(text: string): Expression {
  if (/e/i.test(text)) return { kind: 'literal', type: float, value: Number(text) };
  if (text.includes('.')) {
    const value = Decimal.parse(text) ?? new Decimal(0n, 0);
    return {
      kind: 'literal',
      type: decimal(Math.max(value.digits, value.scale, 1), value.scale),
      value,
    };
  }
  const value = BigInt(text);
  // Beside a decimal a number has only the digits that it is written with.
  if (value < 2n ** 31n)
    return { kind: 'literal', type: { ...int, precision: text.length }, value: Number(value) };
  if (value < 2n ** 63n) return { kind: 'literal', type: bigint, value };
  return { kind: 'literal', type: decimal(text.length, 0), value: new Decimal(value, 0) };
}

export function textLiteral(text: string, isWide: boolean): Expression {
  const limit = isWide ? 4000 : 8000;
  const length = text.length > limit ? MAX : Math.max(text.length, 1);
  return { kind: 'literal', type: isWide ? nvarchar(length) : varchar(length), value: text };
}

function parsePrimary(words: Words): Expression {
  const { kind, text, isWide } = words.now;
  switch (kind) {
    case 'number':
      words.next();
      return numberLiteral(text);
    case 'string':
      words.next();
      return textLiteral(text, isWide);
    case 'binary': {
      words.next();
      const value = new Uint8Array(Buffer.from(text.length % 2 === 1 ? `0${text}` : text, 'hex'));
      return { kind: 'literal', type: varbinary(Math.max(value.length, 1)), value };
    }
    case 'variable':
      words.next();
      return text.startsWith('@@')
        ? { kind: 'global', name: text.toUpperCase() }
        : { kind: 'variable', name: text.toLowerCase() };
    case 'symbol':
      if (!words.is('(')) throw words.wrong();
      return words.parenthesised(() =>
        words.isOneOf('SELECT', 'WITH')
          ? { kind: 'subquery', query: words.query() }
          : parseExpression(words),
      );
    case 'word':
    case 'quoted':
      return parseWord(words);
    case 'end':
      throw words.wrong();
  }
}

/** Functions without parentheses. */
const bare = new Set(['CURRENT_TIMESTAMP', 'CURRENT_USER', 'SESSION_USER', 'SYSTEM_USER', 'USER']);
/** Reserved, but functions. */
const reservedCalls = new Set([
  'COALESCE',
  'NULLIF',
  'LEFT',
  'RIGHT',
  'CONVERT',
  'IDENTITY',
  'UPDATE',
  'IF',
]);

function parseWord(words: Words): Expression {
  const { kind, upper } = words.now;
  if (kind === 'word') {
    if (words.skip('NULL')) return { kind: 'literal', type: int, value: null };
    if (words.skip('CASE')) return parseCase(words);
    if (words.skip('EXISTS'))
      return { kind: 'exists', query: words.parenthesised(() => words.query()) };
    if (bare.has(upper) && words.ahead(1).text !== '(') {
      words.next();
      return call(upper, []);
    }
    const isCall = words.ahead(1).kind === 'symbol' && words.ahead(1).text === '(';
    if (isCall && (upper === 'CAST' || upper === 'TRY_CAST')) return parseCast(words);
    if (isCall && (upper === 'CONVERT' || upper === 'TRY_CONVERT')) return parseConvert(words);
    if (isCall && reservedCalls.has(upper)) return parseCall(words, words.next().text);
  }
  if (kind === 'word' && upper.startsWith('$')) {
    words.next();
    return { kind: 'column', name: [upper] };
  }
  const name = words.name();
  if (words.is('(')) return parseCall(words, name.at(-1) ?? '');
  return { kind: 'column', name };
}

function parseCase(words: Words): Expression {
  const of = words.is('WHEN') ? undefined : parseExpression(words);
  const branches: { when: Expression; result: Expression }[] = [];
  while (words.skip('WHEN')) {
    const when = parseExpression(words);
    words.expect('THEN');
    branches.push({ when, result: parseExpression(words) });
  }
  const otherwise = words.skip('ELSE') ? parseExpression(words) : undefined;
  words.expect('END');
  return { kind: 'case', of, branches, otherwise };
}

function parseCast(words: Words): Expression {
  const isTry = words.next().upper === 'TRY_CAST';
  return words.parenthesised(() => {
    const of = parseExpression(words);
    words.expect('AS');
    return { kind: 'cast', of, type: words.type(30), style: undefined, isTry };
  });
}

function parseConvert(words: Words): Expression {
  const isTry = words.next().upper === 'TRY_CONVERT';
  return words.parenthesised(() => {
    const type = words.type(30);
    words.expect(',');
    const of = parseExpression(words);
    return {
      kind: 'cast',
      of,
      type,
      style: words.skip(',') ? parseExpression(words) : undefined,
      isTry,
    };
  });
}

/** The first argument of these is a part of a date, a word. */
const dateCalls = new Set([
  'DATEADD',
  'DATEDIFF',
  'DATEDIFF_BIG',
  'DATEPART',
  'DATENAME',
  'DATETRUNC',
]);

function parseCall(words: Words, name: string): Expression {
  const upper = name.toUpperCase();
  words.expect('(');
  const isStar = words.is('*') && words.skip('*');
  const isDistinct = words.skip('DISTINCT');
  if (!isDistinct) words.skip('ALL');
  const args: Expression[] = [];
  if (!isStar && !words.is(')')) {
    if (dateCalls.has(upper)) {
      args.push({
        kind: 'literal',
        type: sqlType('varchar', 20),
        value: words.anyName().toLowerCase(),
      });
      words.expect(',');
    }
    args.push(...words.list(() => parseExpression(words)));
  }
  words.expect(')');
  if (words.is('WITHIN', 'GROUP')) {
    words.expect('WITHIN', 'GROUP', '(');
    parseOrder(words);
    words.expect(')');
  }
  const over = words.skip('OVER') ? words.parenthesised(() => parseOver(words)) : undefined;
  return { kind: 'call', name: upper, args, isStar, isDistinct, over };
}

function parseOver(words: Words): Over {
  const partition = words.skip('PARTITION', 'BY') ? words.list(() => parseExpression(words)) : [];
  return { partition, order: parseOrder(words) };
}

/** ORDER BY, if it comes next. */
export function parseOrder(words: Words): readonly Order[] {
  if (!words.skip('ORDER', 'BY')) return [];
  return words.list(() => {
    const by = parseExpression(words);
    const isDescending = words.skip('DESC');
    if (!isDescending) words.skip('ASC');
    return { by, isDescending };
  });
}
