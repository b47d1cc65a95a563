import { errors } from '../types/errors.ts';
import type { SqlType } from '../types/sql-type.ts';
import { MAX, namedType } from '../types/sql-type.ts';
import type { Name, Query } from './ast.ts';
import type { Token } from './lexer.ts';
import { tokens } from './lexer.ts';

/** Words that cannot be a name without brackets, and so end an expression or an alias. */
const reserved = new Set(
  (
    'ADD ALL ALTER AND ANY AS ASC BEGIN BETWEEN BREAK BULK BY CASE CHECK CLOSE COALESCE COLLATE COLUMN COMMIT CONSTRAINT ' +
    'CONTINUE CONVERT CREATE CROSS CURRENT CURSOR DATABASE DBCC DEALLOCATE DECLARE DEFAULT DELETE DESC DISTINCT DROP ' +
    'ELSE END ESCAPE EXCEPT EXEC EXECUTE EXISTS FETCH FOR FOREIGN FROM FULL FUNCTION GOTO GRANT GROUP HAVING IDENTITY IF IN ' +
    'INDEX INNER INSERT INTERSECT INTO IS JOIN KEY KILL LEFT LIKE MERGE NOT NULL NULLIF OF OFF ON OPEN OPTION OR ORDER ' +
    'OUTER OVER PERCENT PIVOT PRIMARY PRINT PROC PROCEDURE RAISERROR REFERENCES RETURN REVERT RIGHT ROLLBACK SAVE ' +
    'SELECT SET TABLE THEN TO TOP TRAN TRANSACTION TRUNCATE UNION UNIQUE UPDATE USE VALUES VIEW WAITFOR WHEN WHERE WHILE ' +
    'WITH OFFSET'
  ).split(' '),
);

/** A batch's tokens and how far they have been read. */
export class Words {
  readonly text: string;
  readonly #tokens: readonly Token[];
  readonly #query: (words: Words) => Query;
  #at = 0;

  constructor(text: string, quotedIdentifiers: boolean, query: (words: Words) => Query) {
    this.text = text;
    this.#query = query;
    this.#tokens = tokens(text, quotedIdentifiers);
  }

  /** A query, which stands within expressions too. */
  query(): Query {
    return this.#query(this);
  }

  get now(): Token {
    return this.ahead(0);
  }

  get isAtStart(): boolean {
    return this.#at === 0;
  }

  get isAtEnd(): boolean {
    return this.now.kind === 'end';
  }

  ahead(count: number): Token {
    const found = this.#tokens[Math.min(this.#at + count, this.#tokens.length - 1)];
    if (found === undefined) throw new Error('there is always an end');
    return found;
  }

  next(): Token {
    const found = this.now;
    if (found.kind === 'end') throw this.wrong();
    this.#at += 1;
    return found;
  }

  /** These come next, words or symbols. */
  is(...words: readonly string[]): boolean {
    return words.every((word, n) => this.ahead(n).upper === word);
  }

  isOneOf(...words: readonly string[]): boolean {
    return words.includes(this.now.upper);
  }

  /** Goes past them if they come next. */
  skip(...words: readonly string[]): boolean {
    if (!this.is(...words)) return false;
    this.#at += words.length;
    return true;
  }

  expect(...words: readonly string[]): void {
    for (const word of words) if (!this.skip(word)) throw this.wrong();
  }

  wrong(): Error {
    const { kind, text } = this.now;
    const before = this.#tokens[this.#at - 1];
    const error = errors.syntax(kind === 'end' ? (before?.text ?? '') : text);
    error.line = this.now.line;
    return error;
  }

  get isName(): boolean {
    const { kind, upper } = this.now;
    return kind === 'quoted' || (kind === 'word' && !reserved.has(upper));
  }

  get isReserved(): boolean {
    return this.now.kind === 'word' && reserved.has(this.now.upper);
  }

  identifier(): string {
    if (!this.isName) throw this.wrong();
    return this.next().text;
  }

  /** What a name may be even if it is a reserved word, as in `a.key`. */
  anyName(): string {
    const { kind } = this.now;
    if (kind !== 'quoted' && kind !== 'word') throw this.wrong();
    return this.next().text;
  }

  variable(): string {
    if (this.now.kind !== 'variable') throw this.wrong();
    return this.next().text.toLowerCase();
  }

  name(): Name {
    const parts = [this.identifier()];
    while (this.skip('.')) {
      // `tempdb..#t`: the schema is left out.
      if (this.is('.')) parts.push('');
      else parts.push(this.anyName());
    }
    return parts;
  }

  integer(): number {
    const isNegative = this.skip('-');
    if (this.now.kind !== 'number') throw this.wrong();
    const value = Number(this.next().text);
    return isNegative ? -value : value;
  }

  list<T>(one: () => T): T[] {
    const found = [one()];
    while (this.skip(',')) found.push(one());
    return found;
  }

  parenthesised<T>(one: () => T): T {
    this.expect('(');
    const found = one();
    this.expect(')');
    return found;
  }

  names(): string[] {
    return this.parenthesised(() => this.list(() => this.identifier()));
  }

  /** A built-in type, or undefined without going on: the name of a table type. */
  typeIfKnown(unsized: number): SqlType | undefined {
    const { kind, text } = this.now;
    if (kind !== 'word' && kind !== 'quoted') throw this.wrong();
    let count = 1;
    let name = text;
    if (this.ahead(1).kind === 'symbol' && this.ahead(1).text === '.' && /^sys$/i.test(text)) {
      name = this.ahead(2).text;
      count = 3;
    } else if (
      this.ahead(1).upper === 'PRECISION' ||
      (this.ahead(1).upper === 'VARYING' && kind === 'word')
    ) {
      name = `${text} ${this.ahead(1).text}`;
      count = 2;
    }
    if (namedType(name, [], unsized) === undefined) return undefined;
    this.#at += count;
    const args = this.is('(')
      ? this.parenthesised(() => this.list(() => (this.skip('MAX') ? MAX : this.integer())))
      : [];
    return namedType(name, args, unsized);
  }

  type(unsized: number): SqlType {
    const name = this.now.text;
    const found = this.typeIfKnown(unsized);
    if (found === undefined) throw errors.noType(name);
    return found;
  }
}
