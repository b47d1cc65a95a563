import { describe, expect, test } from 'bun:test';
import { readMysqlFile } from './mysql-file.ts';

const statements = (text: string): readonly string[] =>
  readMysqlFile(text).paragraphs.flatMap((paragraph) => paragraph.map(({ sql }) => sql));

describe('a file of SQL for MySQL', () => {
  test('is cut where lines end with a semicolon', () => {
    expect(statements('SELECT 1;\nSELECT\n 2;\n')).toEqual(['SELECT 1', 'SELECT\n 2']);
    expect(statements("SELECT '; ' -- ; \n;\n")).toEqual(["SELECT '; ' -- ; \n"]);
    expect(() => statements('SELECT 1')).toThrow('no end of the statement: SELECT 1');
    expect(statements('')).toEqual([]);
  });

  test('or with another delimiter', () => {
    const text =
      'DELIMITER //\nCREATE PROCEDURE p()\nBEGIN\n  SELECT 1;\nEND //\nDELIMITER ;\nCALL p();\n';
    expect(statements(text)).toEqual([
      'CREATE PROCEDURE p()\nBEGIN\n  SELECT 1;\nEND ',
      'CALL p()',
    ]);
  });

  test('has paragraphs, notes, and statements that not all know', () => {
    const { paragraphs, notes } = readMysqlFile(
      '-- user: chief\n\nA;\nB;\n\n-- a comment\n-- only mariadb mysql-9\nC;\n\n\nD;\n',
    );
    expect(notes).toEqual(new Map([['user', 'chief']]));
    expect(paragraphs.map((found) => found.map(({ sql, only }) => [sql, ...only]))).toEqual([
      [['A'], ['B']],
      [['C', 'mariadb', 'mysql-9']],
      [['D']],
    ]);
  });
});
