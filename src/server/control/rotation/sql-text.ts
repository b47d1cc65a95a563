// Names and texts within statements that take no parameters. None of these may end where its content says so.

/** A name in PostgreSQL. */
export function pgName(name: string): string {
  return `"${withoutNul(name).replaceAll('"', '""')}"`;
}

/** A text in PostgreSQL, whatever `standard_conforming_strings` says. */
export function pgText(text: string): string {
  return `E'${withoutNul(text).replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
}

/** A text in MySQL and MariaDB, where `sql_mode` is empty (`PLAIN_MODE`): there a backslash escapes. */
export function mysqlText(text: string): string {
  return `'${withoutNul(text).replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
}

/** To be said on a connection before anything that `mysqlText` has made. */
export const PLAIN_MODE = "SET SESSION sql_mode = ''";

/** An account in MySQL and MariaDB. */
export function mysqlAccount(user: string, host: string): string {
  return `${mysqlText(user)}@${mysqlText(host)}`;
}

/** A name in SQL Server, whatever QUOTED_IDENTIFIER is. */
export function sqlServerName(name: string): string {
  return `[${unbroken(name).replaceAll(']', ']]')}]`;
}

/** A text in SQL Server. */
export function sqlServerText(text: string): string {
  return `N'${unbroken(text).replaceAll("'", "''")}'`;
}

/** SQL Server takes a backslash at the end of a line for a line that goes on, and both away; nothing escapes that. */
function unbroken(text: string): string {
  if (/\\\r?\n/.test(text))
    throw new Error('a name or password has a backslash at the end of a line in it');
  return withoutNul(text);
}

function withoutNul(text: string): string {
  if (text.includes('\0')) throw new Error('a name or password has a NUL character in it');
  return text;
}
