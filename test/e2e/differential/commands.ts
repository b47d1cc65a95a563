/** Kinds of things that ALTER, CREATE and DROP know, by the verbs that each has. */
const objects: Readonly<Record<string, readonly string[]>> = {
  'ALTER CREATE DROP': [
    ...['AGGREGATE', 'COLLATION', 'CONVERSION', 'DATABASE', 'DOMAIN', 'EVENT TRIGGER', 'EXTENSION'],
    ...['FOREIGN DATA WRAPPER', 'FOREIGN TABLE', 'FUNCTION', 'GROUP', 'INDEX', 'LANGUAGE'],
    ...['MATERIALIZED VIEW', 'OPERATOR', 'OPERATOR CLASS', 'OPERATOR FAMILY', 'POLICY'],
    ...['PROCEDURE', 'PUBLICATION', 'ROLE', 'RULE', 'SCHEMA', 'SEQUENCE', 'SERVER', 'STATISTICS'],
    ...['SUBSCRIPTION', 'TABLE', 'TABLESPACE', 'TEXT SEARCH CONFIGURATION'],
    ...['TEXT SEARCH DICTIONARY', 'TEXT SEARCH PARSER', 'TEXT SEARCH TEMPLATE', 'TRIGGER', 'TYPE'],
    ...['USER', 'USER MAPPING', 'VIEW'],
  ],
  'CREATE DROP': ['ACCESS METHOD', 'CAST', 'TRANSFORM'],
  'ALTER DROP': ['ROUTINE'],
  ALTER: ['DEFAULT PRIVILEGES', 'LARGE OBJECT', 'SYSTEM'],
  CREATE: ['TABLE AS'],
  DROP: ['OWNED'],
};

/** The SQL commands of PostgreSQL 14 to 18, as its reference manual lists them. */
export const commands: readonly string[] = [
  ...Object.entries(objects).flatMap(([verbs, kinds]) =>
    verbs.split(' ').flatMap((verb) => kinds.map((kind) => `${verb} ${kind}`)),
  ),
  ...['ABORT', 'ANALYZE', 'BEGIN', 'CALL', 'CHECKPOINT', 'CLOSE', 'CLUSTER', 'COMMENT', 'COMMIT'],
  ...['COMMIT PREPARED', 'COPY', 'DEALLOCATE', 'DECLARE', 'DELETE', 'DISCARD', 'DO', 'END'],
  ...['EXECUTE', 'EXPLAIN', 'FETCH', 'GRANT', 'IMPORT FOREIGN SCHEMA', 'INSERT', 'LISTEN', 'LOAD'],
  ...['LOCK', 'MERGE', 'MOVE', 'NOTIFY', 'PREPARE', 'PREPARE TRANSACTION', 'REASSIGN OWNED'],
  ...['REFRESH MATERIALIZED VIEW', 'REINDEX', 'RELEASE SAVEPOINT', 'RESET', 'REVOKE', 'ROLLBACK'],
  ...['ROLLBACK PREPARED', 'ROLLBACK TO SAVEPOINT', 'SAVEPOINT', 'SECURITY LABEL', 'SELECT'],
  ...['SELECT INTO', 'SET', 'SET CONSTRAINTS', 'SET ROLE', 'SET SESSION AUTHORIZATION'],
  ...['SET TRANSACTION', 'SHOW', 'START TRANSACTION', 'TRUNCATE', 'UNLISTEN', 'UPDATE', 'VACUUM'],
  'VALUES',
];

const MODIFIERS = /^(CREATE) (?:(?:OR REPLACE|UNIQUE|TEMP|TEMPORARY|UNLOGGED|RECURSIVE) )+/;
const TABLE_AS = /^CREATE TABLE [^(]* AS\b/;
const SELECT_INTO = /^SELECT .* INTO /;
const longestFirst = commands.toSorted((a, b) => b.length - a.length);

/** Which command of the manual a statement is; undefined where it is none, as one with a mistake in it. */
export function commandOf(sql: string): string | undefined {
  const words = sql.replaceAll(/\s+/g, ' ').toUpperCase().replace(MODIFIERS, '$1 ');
  if (TABLE_AS.test(words)) return 'CREATE TABLE AS';
  if (SELECT_INTO.test(words)) return 'SELECT INTO';
  return longestFirst.find((command) => words === command || words.startsWith(`${command} `));
}
