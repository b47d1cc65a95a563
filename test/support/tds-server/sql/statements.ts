import { errors } from '../types/errors.ts';
import type { Argument, Expression, ParameterDefinition, Query, Statement } from './ast.ts';
import { parseInsert, parseMerge, parseUpdate } from './changes.ts';
import { parseAlter, parseCreate, parseDrop, parseTableDefinition } from './definitions.ts';
import { parseExpression, textLiteral } from './expressions.ts';
import { parseCtes, parseQuery } from './queries.ts';
import { parsePermission, parsePrincipal } from './security.ts';
import { parseSet } from './set-statements.ts';
import { Words } from './words.ts';

/** All statements of a text, or the error that SQL Server gives before it runs any of them. */
export function parseBatch(text: string, quotedIdentifiers: boolean): readonly Statement[] {
  const words = new Words(text, quotedIdentifiers, parseQuery);
  try {
    return parseUntil(words, () => words.isAtEnd);
  } catch (error) {
    // The parser goes as deep as the text does.
    if (error instanceof RangeError) throw errors.syntax('(');
    throw error;
  }
}

function parseUntil(words: Words, isEnd: () => boolean): Statement[] {
  const found: Statement[] = [];
  for (;;) {
    while (words.skip(';'));
    if (isEnd()) return found;
    found.push(parseStatement(words));
  }
}

/** The declarations of `@a int, @b nvarchar(10) output`, as sp_executesql gets them. */
export function parseParameters(text: string): readonly ParameterDefinition[] {
  const words = new Words(text, true, parseQuery);
  if (words.isAtEnd) return [];
  const found = words.list(() => parseParameter(words));
  if (!words.isAtEnd) throw words.wrong();
  return found;
}

function parseParameter(words: Words): ParameterDefinition {
  const name = words.variable();
  words.skip('AS');
  const type = words.typeIfKnown(1);
  const tableType = type === undefined ? words.name() : undefined;
  if (!words.skip('NULL')) words.skip('NOT', 'NULL');
  const defaultValue = words.skip('=') ? parseExpression(words) : undefined;
  const isOutput = words.skip('OUTPUT') || words.skip('OUT');
  words.skip('READONLY');
  return { name, type, tableType, defaultValue, isOutput };
}

function parseStatement(words: Words): Statement {
  const { line, kind, upper } = words.now;
  if (kind === 'symbol' && words.is('(')) return { kind: 'query', line, query: parseQuery(words) };
  if (kind !== 'word') throw words.wrong();
  const parse = parsers[upper];
  if (parse === undefined) {
    // The first statement of a batch may be a procedure's name without EXEC.
    if (words.isName && words.isAtStart) return parseCallOf(words, line);
    throw words.wrong();
  }
  return parse(words, line);
}

type Parser = (words: Words, line: number) => Statement;

const parsers: Readonly<Record<string, Parser>> = {
  SELECT: (words, line) => ({ kind: 'query', line, query: parseQuery(words) }),
  WITH: parseWith,
  INSERT: (words, line) =>
    afterWord(words, () => parseInsert(words, line, [], () => parseExecute(words, line))),
  UPDATE: (words, line) => afterWord(words, () => parseUpdate(words, line, 'update', [])),
  DELETE: (words, line) => afterWord(words, () => parseUpdate(words, line, 'delete', [])),
  MERGE: (words, line) => afterWord(words, () => parseMerge(words, line)),
  CREATE: parseCreation,
  ALTER: parseCreation,
  DROP: (words, line) =>
    afterWord(words, () => parsePrincipal(words, line, 'drop') ?? parseDrop(words, line)),
  TRUNCATE: (words, line) => {
    words.expect('TRUNCATE', 'TABLE');
    return { kind: 'truncate', line, name: words.name() };
  },
  DECLARE: parseDeclare,
  SET: (words, line) => afterWord(words, () => parseSet(words, line)),
  USE: (words, line) =>
    afterWord(words, () => ({ kind: 'use', line, database: words.identifier() })),
  PRINT: (words, line) =>
    afterWord(words, () => ({ kind: 'print', line, value: parseExpression(words) })),
  RAISERROR: parseRaise,
  THROW: (words, line) =>
    afterWord(words, () => {
      const isBare = words.isAtEnd || words.is(';') || words.is('END');
      return { kind: 'throw', line, args: isBare ? [] : words.list(() => parseExpression(words)) };
    }),
  WAITFOR: (words, line) =>
    afterWord(words, () => {
      const isTime = words.skip('TIME');
      if (!isTime) words.expect('DELAY');
      return { kind: 'waitfor', line, delay: parseExpression(words), isTime };
    }),
  BEGIN: parseBegin,
  COMMIT: parseEnd,
  ROLLBACK: parseEnd,
  SAVE: (words, line) =>
    afterWord(words, () => {
      if (!words.skip('TRANSACTION')) words.expect('TRAN');
      return { kind: 'save', line, name: parseLabel(words) };
    }),
  IF: (words, line) =>
    afterWord(words, () => {
      const condition = parseExpression(words);
      const isTrue = parseStatement(words);
      // A semicolon ends the statement, and the ELSE may still come.
      if (words.is(';', 'ELSE')) words.skip(';');
      const otherwise = words.skip('ELSE') ? parseStatement(words) : undefined;
      return { kind: 'if', line, condition, isTrue, otherwise };
    }),
  WHILE: (words, line) =>
    afterWord(words, () => {
      const condition = parseExpression(words);
      return { kind: 'while', line, condition, body: parseStatement(words) };
    }),
  RETURN: (words, line) =>
    afterWord(words, () => {
      const isBare = words.isAtEnd || words.is(';') || words.isReserved;
      return { kind: 'return', line, value: isBare ? undefined : parseExpression(words) };
    }),
  BREAK: (words, line) => afterWord(words, () => ({ kind: 'break', line })),
  CONTINUE: (words, line) => afterWord(words, () => ({ kind: 'continue', line })),
  EXEC: parseExecute,
  EXECUTE: parseExecute,
  REVERT: (words, line) => afterWord(words, () => ({ kind: 'revert', line })),
  OPEN: (words, line) =>
    afterWord(words, () => ({ kind: 'openCursor', line, name: parseCursorName(words) })),
  CLOSE: (words, line) =>
    afterWord(words, () => ({ kind: 'closeCursor', line, name: parseCursorName(words) })),
  DEALLOCATE: (words, line) =>
    afterWord(words, () => ({ kind: 'deallocateCursor', line, name: parseCursorName(words) })),
  FETCH: parseFetch,
  KILL: (words, line) => afterWord(words, () => ({ kind: 'kill', line, spid: words.integer() })),
  DBCC: (words, line) =>
    afterWord(words, () => {
      const what = words.anyName().toUpperCase();
      while (!words.isAtEnd && !words.is(';')) words.next();
      return { kind: 'dbcc', line, what };
    }),
  GRANT: parsePermission,
  DENY: parsePermission,
  REVOKE: parsePermission,
  CHECKPOINT: parseIgnored,
};

function afterWord<T>(words: Words, parse: () => T): T {
  words.next();
  return parse();
}

function parseIgnored(words: Words, line: number): Statement {
  while (!words.isAtEnd && !words.is(';')) words.next();
  return { kind: 'nothing', line };
}

function parseWith(words: Words, line: number): Statement {
  const ctes: Query['ctes'] = parseCtes(words);
  if (words.skip('INSERT')) return parseInsert(words, line, ctes, () => parseExecute(words, line));
  if (words.skip('UPDATE')) return parseUpdate(words, line, 'update', ctes);
  if (words.skip('DELETE')) return parseUpdate(words, line, 'delete', ctes);
  return { kind: 'query', line, query: parseQuery(words, ctes) };
}

function parseCreation(words: Words, line: number): Statement {
  const { isAtStart } = words;
  const isAlter = words.next().upper === 'ALTER' || words.skip('OR', 'ALTER');
  if (words.isOneOf('PROC', 'PROCEDURE', 'VIEW', 'SCHEMA') && !isAtStart)
    throw errors.notFirst(words.now.upper);
  if (words.isOneOf('PROC', 'PROCEDURE')) {
    words.next();
    const name = words.name();
    const isParenthesised = words.skip('(');
    const parameters = words.now.kind === 'variable' ? words.list(() => parseParameter(words)) : [];
    if (isParenthesised) words.expect(')');
    while (words.skip('WITH', 'RECOMPILE') || words.skip('WITH', 'EXECUTE', 'AS', 'OWNER'));
    words.expect('AS');
    const body = parseUntil(words, () => words.isAtEnd);
    return { kind: 'createProcedure', line, name, isAlter, parameters, body };
  }
  const principal = parsePrincipal(words, line, isAlter ? 'alter' : 'create');
  if (principal !== undefined) return principal;
  if (words.is('VIEW') || !isAlter) return parseCreate(words, line);
  return parseAlter(words, line);
}

function parseDeclare(words: Words, line: number): Statement {
  words.expect('DECLARE');
  if (words.now.kind !== 'variable') {
    const name = words.identifier();
    return parseCursor(words, line, name);
  }
  if (words.ahead(1).upper === 'CURSOR') throw words.wrong();
  const variables = words.list(() => {
    const name = words.variable();
    words.skip('AS');
    const none = {
      name,
      type: undefined,
      table: undefined,
      tableType: undefined,
      value: undefined,
    };
    if (words.skip('TABLE')) return { ...none, table: parseTableDefinition(words) };
    const type = words.typeIfKnown(1);
    if (type === undefined) return { ...none, tableType: words.name() };
    return { ...none, type, value: words.skip('=') ? parseExpression(words) : undefined };
  });
  return { kind: 'declare', line, variables };
}

function parseCursor(words: Words, line: number, name: string): Statement {
  const options: string[] = [];
  while (!words.is('CURSOR')) options.push(words.next().upper);
  words.expect('CURSOR');
  while (!words.is('FOR')) options.push(words.next().upper);
  words.expect('FOR');
  const query = parseQuery(words);
  if (words.skip('FOR', 'UPDATE')) {
    if (words.skip('OF')) words.list(() => words.identifier());
  } else if (words.skip('FOR')) {
    words.next();
    words.next();
  }
  return { kind: 'declareCursor', line, name: name.toLowerCase(), options, query };
}

function parseCursorName(words: Words): string {
  words.skip('GLOBAL');
  return words.now.kind === 'variable' ? words.variable() : words.identifier().toLowerCase();
}

function parseFetch(words: Words, line: number): Statement {
  words.expect('FETCH');
  let direction = 'NEXT';
  let count: Expression | undefined;
  if (words.isOneOf('NEXT', 'PRIOR', 'FIRST', 'LAST')) direction = words.next().upper;
  else if (words.isOneOf('ABSOLUTE', 'RELATIVE')) {
    direction = words.next().upper;
    count = parseExpression(words);
  }
  words.skip('FROM');
  const name = parseCursorName(words);
  const into = words.skip('INTO') ? words.list(() => words.variable()) : [];
  return { kind: 'fetchCursor', line, name, direction, count, into };
}

function parseRaise(words: Words, line: number): Statement {
  words.expect('RAISERROR', '(');
  const [message, severity, state, ...args] = words.list(() => parseExpression(words));
  words.expect(')');
  const options = words.skip('WITH') ? words.list(() => words.anyName().toUpperCase()) : [];
  if (message === undefined || severity === undefined || state === undefined) throw words.wrong();
  return { kind: 'raiserror', line, message, severity, state, args, options };
}

/** The name of a transaction or savepoint. */
function parseLabel(words: Words): Expression | undefined {
  if (words.now.kind === 'variable') return { kind: 'variable', name: words.variable() };
  return words.isName ? textLiteral(words.identifier(), true) : undefined;
}

const starters = new Set(Object.keys({ SELECT: 0, WITH: 0, INSERT: 0, CREATE: 0, PRINT: 0 }));

function parseBegin(words: Words, line: number): Statement {
  words.expect('BEGIN');
  words.skip('DISTRIBUTED');
  if (words.skip('TRAN') || words.skip('TRANSACTION')) {
    const isLabel =
      words.isName && !starters.has(words.now.upper) && parsers[words.now.upper] === undefined;
    const name = isLabel || words.now.kind === 'variable' ? parseLabel(words) : undefined;
    if (words.skip('WITH', 'MARK') && words.now.kind === 'string') words.next();
    return { kind: 'begin', line, name };
  }
  if (words.skip('TRY')) {
    const body = parseUntil(words, () => words.is('END', 'TRY'));
    words.expect('END', 'TRY');
    words.skip(';');
    words.expect('BEGIN', 'CATCH');
    const caught = parseUntil(words, () => words.is('END', 'CATCH'));
    words.expect('END', 'CATCH');
    return { kind: 'try', line, body, caught };
  }
  const body = parseUntil(words, () => words.is('END'));
  words.expect('END');
  return { kind: 'block', line, body };
}

function parseEnd(words: Words, line: number): Statement {
  const kind = words.next().upper === 'COMMIT' ? 'commit' : 'rollback';
  if (words.skip('WORK')) return { kind, line, name: undefined };
  if (!words.skip('TRAN') && !words.skip('TRANSACTION')) return { kind, line, name: undefined };
  const isLabel = words.isName && parsers[words.now.upper] === undefined;
  const name = isLabel || words.now.kind === 'variable' ? parseLabel(words) : undefined;
  return { kind, line, name };
}

function parseExecute(words: Words, line: number): Statement {
  words.next();
  if (words.skip('AS')) {
    if (words.skip('CALLER')) return { kind: 'executeAs', line, name: undefined };
    if (!words.skip('USER')) words.expect('LOGIN');
    words.expect('=');
    return { kind: 'executeAs', line, name: parseExpression(words) };
  }
  if (words.is('(')) {
    const whole = words.parenthesised(() => words.list(() => parseExpression(words)));
    const login = words.skip('AS')
      ? (words.next(), words.expect('='), words.next().text)
      : undefined;
    return { kind: 'executeText', line, parts: whole, login };
  }
  return parseCallOf(words, line);
}

function parseCallOf(words: Words, line: number): Statement {
  let into: string | undefined;
  if (words.now.kind === 'variable' && words.ahead(1).text === '=') {
    into = words.variable();
    words.expect('=');
  }
  const procedure = words.now.kind === 'variable' ? words.variable() : words.name();
  const args: Argument[] = [];
  const isEnd = (): boolean =>
    words.isAtEnd ||
    words.is(';') ||
    (words.isReserved && !words.is('DEFAULT') && !words.is('NULL'));
  if (!isEnd() && !(words.now.kind === 'word' && parsers[words.now.upper] !== undefined))
    args.push(...words.list(() => parseArgument(words)));
  if (words.skip('WITH')) words.expect('RECOMPILE');
  return { kind: 'execute', line, into, procedure, args };
}

function parseArgument(words: Words): Argument {
  let name: string | undefined;
  if (words.now.kind === 'variable' && words.ahead(1).text === '=') {
    name = words.variable();
    words.expect('=');
  }
  if (words.skip('DEFAULT')) return { name, value: undefined, isOutput: false };
  const isWord = words.now.kind === 'word' && words.isName && words.ahead(1).text !== '(';
  // A bare word is a text.
  const value = isWord ? textLiteral(words.identifier(), true) : parseExpression(words);
  return { name, value, isOutput: words.skip('OUTPUT') || words.skip('OUT') };
}
