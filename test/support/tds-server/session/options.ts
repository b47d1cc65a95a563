/** Switches and the bits by which @@OPTIONS tells them. */
export const optionBits: Readonly<Record<string, number>> = {
  DISABLE_DEF_CNST_CHK: 1,
  IMPLICIT_TRANSACTIONS: 2,
  CURSOR_CLOSE_ON_COMMIT: 4,
  ANSI_WARNINGS: 8,
  ANSI_PADDING: 16,
  ANSI_NULLS: 32,
  ARITHABORT: 64,
  ARITHIGNORE: 128,
  QUOTED_IDENTIFIER: 256,
  NOCOUNT: 512,
  ANSI_NULL_DFLT_ON: 1024,
  ANSI_NULL_DFLT_OFF: 2048,
  CONCAT_NULL_YIELDS_NULL: 4096,
  NUMERIC_ROUNDABORT: 8192,
  XACT_ABORT: 16_384,
};

/** Switches that @@OPTIONS does not tell. */
export const otherSwitches = new Set([
  'FMTONLY',
  'NOEXEC',
  'PARSEONLY',
  'FORCEPLAN',
  'SHOWPLAN_ALL',
  'SHOWPLAN_TEXT',
  'SHOWPLAN_XML',
  'STATISTICS IO',
  'STATISTICS TIME',
  'STATISTICS XML',
  'STATISTICS PROFILE',
  'REMOTE_PROC_TRANSACTIONS',
]);

/** What ANSI_DEFAULTS stands for. */
export const ansiDefaults = [
  'ANSI_NULLS',
  'ANSI_NULL_DFLT_ON',
  'ANSI_PADDING',
  'ANSI_WARNINGS',
  'CURSOR_CLOSE_ON_COMMIT',
  'IMPLICIT_TRANSACTIONS',
  'QUOTED_IDENTIFIER',
];

const odbc = [
  'ANSI_WARNINGS',
  'ANSI_PADDING',
  'ANSI_NULLS',
  'QUOTED_IDENTIFIER',
  'ANSI_NULL_DFLT_ON',
  'CONCAT_NULL_YIELDS_NULL',
];

export interface Language {
  readonly name: string;
  readonly id: number;
  readonly dateFirst: number;
  readonly dateFormat: string;
}

/** By their names and aliases. */
export const languages: Readonly<Record<string, Language>> = {
  us_english: { name: 'us_english', id: 0, dateFirst: 7, dateFormat: 'mdy' },
  english: { name: 'us_english', id: 0, dateFirst: 7, dateFormat: 'mdy' },
  deutsch: { name: 'Deutsch', id: 1, dateFirst: 1, dateFormat: 'dmy' },
  german: { name: 'Deutsch', id: 1, dateFirst: 1, dateFormat: 'dmy' },
  français: { name: 'Français', id: 2, dateFirst: 1, dateFormat: 'dmy' },
  french: { name: 'Français', id: 2, dateFirst: 1, dateFormat: 'dmy' },
  british: { name: 'British', id: 23, dateFirst: 1, dateFormat: 'dmy' },
  'british english': { name: 'British', id: 23, dateFirst: 1, dateFormat: 'dmy' },
  japanese: { name: '日本語', id: 3, dateFirst: 7, dateFormat: 'ymd' },
  日本語: { name: '日本語', id: 3, dateFirst: 7, dateFormat: 'ymd' },
};

/** By number as dm_exec_sessions and transaction-manager requests have it. */
export const isolationLevels = [
  'UNSPECIFIED',
  'READ UNCOMMITTED',
  'READ COMMITTED',
  'REPEATABLE READ',
  'SERIALIZABLE',
  'SNAPSHOT',
];

/** What SET changes, and what ends with the procedure in which it was set. */
export interface Options {
  /** The names of those that are on. */
  readonly switches: ReadonlySet<string>;
  readonly language: Language;
  readonly dateFirst: number;
  readonly dateFormat: string;
  /** Milliseconds; -1 for ever. */
  readonly lockTimeout: number;
  readonly textSize: number;
  readonly rowCount: number;
  readonly deadlockPriority: number;
  readonly isolation: number;
  readonly queryGovernor: number;
  readonly identityInsert: string | undefined;
}

/** @param bringsDates the language decides how dates are read */
export function freshOptions(isOdbc: boolean, language: Language, bringsDates: boolean): Options {
  return {
    switches: new Set(isOdbc ? odbc : []),
    language,
    dateFirst: bringsDates ? language.dateFirst : 7,
    dateFormat: bringsDates ? language.dateFormat : 'mdy',
    lockTimeout: -1,
    textSize: isOdbc ? 2_147_483_647 : 4096,
    rowCount: 0,
    deadlockPriority: 0,
    isolation: 2,
    queryGovernor: 0,
    identityInsert: undefined,
  };
}

export function bitsOf(switches: ReadonlySet<string>): number {
  let bits = 0;
  for (const name of switches) bits |= optionBits[name] ?? 0;
  return bits;
}
