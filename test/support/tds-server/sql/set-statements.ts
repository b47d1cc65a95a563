import type { Expression, Statement } from './ast.ts';
import { parseExpression, textLiteral } from './expressions.ts';
import type { Words } from './words.ts';

const operators = ['+=', '-=', '*=', '/=', '%='];

/** SET, behind the word. */
export function parseSet(words: Words, line: number): Statement {
  if (words.now.kind === 'variable') {
    const name = words.variable();
    if (words.isOneOf(...operators)) {
      const operator = words.next().text.slice(0, 1);
      const right = parseExpression(words);
      const left: Expression = { kind: 'variable', name };
      return { kind: 'setVariable', line, name, value: { kind: 'binary', operator, left, right } };
    }
    words.expect('=');
    return { kind: 'setVariable', line, name, value: parseExpression(words) };
  }
  if (words.skip('IDENTITY_INSERT')) {
    const table = words.name();
    return { kind: 'identityInsert', line, table, isOn: parseSwitch(words) };
  }
  if (words.skip('TRANSACTION', 'ISOLATION', 'LEVEL')) {
    const level = [words.next().upper];
    if (words.isOneOf('COMMITTED', 'UNCOMMITTED', 'READ')) level.push(words.next().upper);
    return { kind: 'setOption', line, names: ['ISOLATION'], value: level.join(' ') };
  }
  if (words.skip('STATISTICS')) {
    const names = words.list(() => `STATISTICS ${words.anyName().toUpperCase()}`);
    return { kind: 'setOption', line, names, value: parseSwitch(words) ? 'ON' : 'OFF' };
  }
  // Several switches may be set at once: SET ANSI_NULLS, QUOTED_IDENTIFIER ON.
  const names = words.list(() => words.anyName().toUpperCase());
  if (words.is('ON') || words.is('OFF'))
    return { kind: 'setOption', line, names, value: words.next().upper };
  const isWord = words.isName && words.ahead(1).text !== '(';
  const value = isWord ? textLiteral(words.identifier(), true) : parseExpression(words);
  return { kind: 'setOption', line, names, value };
}

function parseSwitch(words: Words): boolean {
  if (words.skip('ON')) return true;
  words.expect('OFF');
  return false;
}
