import { mysqlAccount } from './sql-text.ts';

/** A piece of a statement: a word, a mark, or something in quotes, which stays whole. */
const PIECES = /`(?:[^`]|``)*`|'(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.|"")*"|[^\s`'"]+|\s+/gsy;
/** Behind the one who is granted something; what else may stand there is of the account, not of the grant. */
const WITH = /\bWITH (GRANT|ADMIN) OPTION\s*$/i;
const BEFORE_GRANTEE: Readonly<Record<string, string | undefined>> = {
  GRANT: 'TO',
  REVOKE: 'FROM',
  SET: 'FOR',
};

/**
 * A line of SHOW GRANTS as a statement that does the same for another account; undefined where it is none that can be repeated.
 * What names somebody stands behind a word outside of quotes, so that no name can pass for it.
 */
export function grantFor(line: string, user: string, host: string): string | undefined {
  const pieces = line.match(PIECES) ?? [];
  if (pieces.join('') !== line) return undefined;
  const preposition = BEFORE_GRANTEE[pieces[0]?.toUpperCase() ?? ''];
  if (preposition === undefined) return undefined;
  // GRANT PROXY ON a TO b, GRANT EXECUTE ON PROCEDURE …: the grantee is behind the last one.
  const at = pieces.findLastIndex((piece) => piece.toUpperCase() === preposition);
  if (at < 0) return undefined;
  const what = pieces.slice(0, at + 1).join('');
  const behind = pieces.slice(at + 1).filter((piece) => !/^[`'"]/.test(piece));
  const option = WITH.exec(behind.join(''));
  return `${what} ${mysqlAccount(user, host)}${option === null ? '' : ` WITH ${option[1]} OPTION`}`;
}
