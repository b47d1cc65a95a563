import { describe, expect, test } from 'bun:test';
import { readSqlFile } from './sql-file.ts';

const statements = (text: string): readonly string[] =>
  readSqlFile(text).paragraphs.flatMap((paragraph) => paragraph.map(({ sql }) => sql));

describe('a file of SQL', () => {
  test('is cut at semicolons', () => {
    expect(statements('SELECT 1; SELECT\n 2;\n')).toEqual(['SELECT 1', 'SELECT\n 2']);
    expect(() => statements('SELECT 1')).toThrow('no end of the statement: SELECT 1');
    expect(statements('')).toEqual([]);
  });

  test.each([
    `SELECT 'a;b', '''; ', E'\\';', E'\\\\'`,
    `SELECT "a;b", """;"`,
    'SELECT $$;$$, $a$ $$; $a$, $1 + $2',
    'SELECT 1 -- one; two\n + 1',
    'SELECT /* a; /* b; */ c; */ 1',
    'CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2)',
    'CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT 2; END',
  ])('but not within %s', (sql) => {
    expect(statements(`${sql}; ${sql};`)).toEqual([sql, sql]);
  });

  test('BEGIN and END that are statements end like others', () => {
    expect(statements('BEGIN; SELECT CASE WHEN true THEN 1 END; END;')).toEqual([
      'BEGIN',
      'SELECT CASE WHEN true THEN 1 END',
      'END',
    ]);
  });

  test('has paragraphs between empty lines, but for those within a statement', () => {
    const { paragraphs } = readSqlFile('A; B;\n\n-- c\n\nC;\nD\n\nd;\n\n');
    expect(paragraphs.map((found) => found.map(({ sql }) => sql))).toEqual([
      ['A', 'B'],
      ['C', 'D\n\nd'],
    ]);
  });

  test('has comments before statements, which tell of versions and more', () => {
    const { paragraphs, notes } = readSqlFile('-- user: chief\n\n-- since 15\nA;\n-- user: no\nB;');
    expect(notes).toEqual(new Map([['user', 'chief']]));
    expect(paragraphs.flat().map(({ sql, since }) => `${sql} ${since}`)).toEqual(['A 15', 'B 0']);
  });

  test('has the data of COPY up to a line with a backslash and a dot', () => {
    const copy = 'COPY t FROM STDIN WITH (FORMAT csv)';
    const { paragraphs } = readSqlFile(`${copy};\n1;'\n\n\\N\n\\.\nCOPY t FROM STDIN;\n\\.\n\nA;`);
    expect(paragraphs.map(({ length }) => length)).toEqual([2, 1]);
    expect(paragraphs.flat().map(({ sql, data }) => [sql, data])).toEqual([
      [copy, "1;'\n\n\\N\n"],
      ['COPY t FROM STDIN', ''],
      ['A', undefined],
    ]);
    expect(() => statements('COPY t FROM STDIN;\n1\n')).toThrow('no end of the data');
  });
});
