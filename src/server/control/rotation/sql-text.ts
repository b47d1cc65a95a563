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

function withoutNul(text: string): string {
  if (text.includes('\0')) throw new Error('a name or password has a NUL character in it');
  return text;
}
