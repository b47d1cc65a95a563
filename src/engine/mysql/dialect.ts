/** What decides how a server reads a text: the server itself, and the session's sql_mode and character_set_client. */
export interface Dialect {
  readonly isMariadb: boolean;
  /** As in executable comments: 80400 for 8.4.0, 101118 for 10.11.18. */
  readonly version: number;
  readonly ansiQuotes: boolean;
  readonly noBackslashEscapes: boolean;
  readonly charset: DialectCharset;
  /** Not so where no reading of a text is to be trusted: sql_mode ORACLE and MSSQL have a grammar of their own. */
  readonly isKnown: boolean;
  /** Names of tables are compared in lower case: lower_case_table_names is not 0. */
  readonly foldsTableNames: boolean;
}

/**
 * What character_set_client means for a lexer. `other`: bytes from 0x80 on may be letters or blanks. `treacherous`: a byte of a
 * longer character may look like a quote or a backslash.
 */
export type DialectCharset = 'utf8' | 'latin1' | 'other' | 'treacherous';

export interface ServerTraits {
  readonly isMariadb: boolean;
  readonly version: number;
  readonly foldsTableNames: boolean;
}

const VERSION = /(\d+)\.(\d+)\.(\d+)/;
/** What MariaDB puts before its version in a greeting, for replicas that know no two digits. */
const REPLICATION_PREFIX = '5.5.5-';
const treacherous = new Set(['sjis', 'cp932', 'gbk', 'gb18030', 'big5', 'swe7']);
const utf8 = new Set(['utf8', 'utf8mb3', 'utf8mb4']);
/** Of MariaDB. */
const foreignModes = new Set(['ORACLE', 'MSSQL']);

/** Of a version as a greeting or `@@version` shows it. Without numbers in it, nothing is taken for supported: 0. */
export function serverTraits(version: string, foldsTableNames: boolean): ServerTraits {
  const isMariadb = /mariadb/i.test(version);
  const own =
    isMariadb && version.startsWith(REPLICATION_PREFIX)
      ? version.slice(REPLICATION_PREFIX.length)
      : version;
  const [, major = 0, minor = 0, patch = 0] = VERSION.exec(own) ?? [];
  return {
    isMariadb,
    version: Number(major) * 10_000 + Number(minor) * 100 + Number(patch),
    foldsTableNames,
  };
}

/** `sqlMode` and `charset` are values of sql_mode and character_set_client as the server reports them. */
export function dialectOf(server: ServerTraits, sqlMode: string, charset: string): Dialect {
  const modes = sqlMode.toUpperCase().split(',');
  return {
    ...server,
    ansiQuotes: modes.includes('ANSI_QUOTES'),
    noBackslashEscapes: modes.includes('NO_BACKSLASH_ESCAPES'),
    charset: charsetOf(charset.toLowerCase()),
    isKnown: !modes.some((mode) => foreignModes.has(mode)),
  };
}

function charsetOf(name: string): DialectCharset {
  if (utf8.has(name)) return 'utf8';
  if (name === 'latin1') return 'latin1';
  return treacherous.has(name) ? 'treacherous' : 'other';
}
