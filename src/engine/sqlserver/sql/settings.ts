import type { OptionName, SettingName } from './effects.ts';

/** Options that are carried along, by their names in SET. */
export const options: ReadonlySet<string> = new Set<OptionName>([
  'ansi_nulls',
  'ansi_padding',
  'ansi_warnings',
  'ansi_null_dflt_on',
  'ansi_null_dflt_off',
  'arithabort',
  'arithignore',
  'concat_null_yields_null',
  'cursor_close_on_commit',
  'implicit_transactions',
  'nocount',
  'numeric_roundabort',
  'quoted_identifier',
  'xact_abort',
]);

export function isCarriedOption(name: string): name is OptionName {
  return options.has(name);
}

/** What ANSI_DEFAULTS stands for. */
export const ansiDefaults: readonly OptionName[] = [
  'ansi_nulls',
  'ansi_null_dflt_on',
  'ansi_padding',
  'ansi_warnings',
  'cursor_close_on_commit',
  'implicit_transactions',
  'quoted_identifier',
];

/** One that is ON has the other one OFF. */
export const opposites: Readonly<Partial<Record<OptionName, OptionName>>> = {
  ansi_null_dflt_on: 'ansi_null_dflt_off',
  ansi_null_dflt_off: 'ansi_null_dflt_on',
};

/** Options that tie a session to its connection as long as they are ON. */
export const tyingOptions: ReadonlySet<string> = new Set([
  'disable_def_cnst_chk',
  'fmtonly',
  'forceplan',
  'noexec',
  'parseonly',
  'remote_proc_transactions',
  'showplan_all',
  'showplan_text',
  'showplan_xml',
]);

/** What Amazon RDS Proxy tracks: anything else pins there. */
const tracked: ReadonlySet<string> = new Set<SettingName>([
  'ansi_nulls',
  'ansi_padding',
  'ansi_warnings',
  'arithabort',
  'concat_null_yields_null',
  'cursor_close_on_commit',
  'datefirst',
  'dateformat',
  'isolation level',
  'language',
  'lock_timeout',
  'numeric_roundabort',
  'quoted_identifier',
  'textsize',
]);

export function isTrackedByAws(name: string): boolean {
  return tracked.has(name);
}

const MAX_INT = 2_147_483_647;
const MAX_CONTEXT_BYTES = 128;
const priorities: Readonly<Partial<Record<string, string>>> = { low: '-5', normal: '0', high: '5' };
const dateFormats: readonly string[] = ['mdy', 'dmy', 'ymd', 'ydm', 'myd', 'dym'];

/** How a number is held; undefined for one that the server may refuse, or take as another one. */
function numberIn(text: string, least: number, most: number): string | undefined {
  if (!/^-?\d+$/.test(text)) return undefined;
  const number = Number(text);
  return number >= least && number <= most ? String(number) : undefined;
}

/** Settings that have a value behind their names, and how it is held; `text` is as it is written, in lower case. */
export const valued: Readonly<
  Partial<Record<string, { readonly name: SettingName; hold(text: string): string | undefined }>>
> = {
  datefirst: { name: 'datefirst', hold: (text) => numberIn(text, 1, 7) },
  dateformat: {
    name: 'dateformat',
    hold: (text) => (dateFormats.includes(text) ? text : undefined),
  },
  deadlock_priority: {
    name: 'deadlock_priority',
    hold: (text) => priorities[text] ?? numberIn(text, -10, 10),
  },
  language: { name: 'language', hold: (text) => text },
  lock_timeout: { name: 'lock_timeout', hold: (text) => numberIn(text, -1, MAX_INT) },
  query_governor_cost_limit: {
    name: 'query_governor_cost_limit',
    hold: (text) => numberIn(text, 0, MAX_INT),
  },
  rowcount: { name: 'rowcount', hold: (text) => numberIn(text, 0, MAX_INT) },
  // 0 stands for a default.
  textsize: { name: 'textsize', hold: (text) => numberIn(text, 1, MAX_INT) },
  context_info: { name: 'context_info', hold: contextIn },
};

function contextIn(text: string): string | undefined {
  const [, digits] = /^0x((?:[0-9a-f]{2})*)$/.exec(text) ?? [];
  if (digits === undefined || digits.length > 2 * MAX_CONTEXT_BYTES) return undefined;
  return contextInfo(digits);
}

/** As SQL writes it, without the zeros that it is filled up with. */
export function contextInfo(hex: string): string {
  return `0x${hex.toUpperCase().replace(/(?:00)+$/, '')}`;
}

/** By their numbers in sys.dm_exec_sessions, and in requests to the transaction manager. */
export const isolationLevels: readonly (string | undefined)[] = [
  undefined,
  'READ UNCOMMITTED',
  'READ COMMITTED',
  'REPEATABLE READ',
  'SERIALIZABLE',
  'SNAPSHOT',
];

/** Undefined for a number that stands for none. */
export function isolationLevel(number: number): string | undefined {
  return isolationLevels[number];
}
