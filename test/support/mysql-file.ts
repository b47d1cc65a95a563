// Files of SQL for MySQL and MariaDB, cut into statements. Written apart from `src`, so that neither is tested against itself.

export interface MysqlStatement {
  /** Without what ends it, and without the lines of comments before it. */
  readonly sql: string;
  /** Words of a line `-- only mysql mariadb-11.8` before it: who knows it. Empty for all. */
  readonly only: readonly string[];
}

/** Statements that belong together: no empty line is between them. */
export type MysqlParagraph = readonly MysqlStatement[];

export interface MysqlFile {
  readonly paragraphs: readonly MysqlParagraph[];
  /** Notes of the form `-- word: text` before the first statement. */
  readonly notes: ReadonlyMap<string, string>;
}

/**
 * As the `mysql` program reads them, but simpler: a statement ends with a line that ends with the delimiter, which is a semicolon
 * up to a line `DELIMITER //`. Lines that begin with `-- ` between statements are comments.
 */
export function readMysqlFile(text: string): MysqlFile {
  const paragraphs: MysqlStatement[][] = [[]];
  const notes = new Map<string, string>();
  let delimiter = ';';
  let only: readonly string[] = [];
  let lines: string[] = [];
  for (const line of text.split('\n')) {
    if (lines.length === 0) {
      const [, words] = /^-- only (.*)$/.exec(line) ?? [];
      const [, word, rest = ''] = /^-- (\w+): (.*)$/.exec(line) ?? [];
      const [, other] = /^DELIMITER (\S+)$/.exec(line) ?? [];
      if (words !== undefined) only = words.split(' ');
      if (word !== undefined) notes.set(word, rest);
      delimiter = other ?? delimiter;
      if (line === '' && (paragraphs.at(-1)?.length ?? 0) > 0) paragraphs.push([]);
      if (line === '' || line.startsWith('-- ') || other !== undefined) continue;
    }
    lines.push(line);
    if (!line.endsWith(delimiter)) continue;
    const sql = lines.join('\n').slice(0, -delimiter.length);
    paragraphs.at(-1)?.push({ sql, only });
    lines = [];
    only = [];
  }
  if (lines.length > 0) throw new Error(`no end of the statement: ${lines.join('\n')}`);
  return { paragraphs: paragraphs.filter(({ length }) => length > 0), notes };
}
