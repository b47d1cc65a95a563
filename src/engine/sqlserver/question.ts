import type { OptionName, SettingName } from './sql/effects.ts';
import { contextInfo, isCarriedOption, isolationLevel } from './sql/settings.ts';
import type { Suspect } from './sql/ties.ts';
import { bracketed, quoted } from './state.ts';

/** What a session is asked of itself: a setting, or which database is in use. */
export type Asked = SettingName | 'database';

/** A batch of ours, and what is read from its rows. */
export interface Question {
  readonly sql: string;
  /** `@@TRANCOUNT`. */
  readonly asksForTransaction: boolean;
  readonly settings: readonly Asked[];
  /** Which of them are there. */
  readonly probes: readonly Suspect[];
  readonly isBabelfish: boolean;
}

/** What the answer to a question says; as `readResults` reads it. */
export interface Results {
  readonly sets: readonly { readonly rows: readonly (readonly Value[])[] }[];
  readonly errors: readonly unknown[];
}

type Value = string | number | bigint | Uint8Array | boolean | undefined;

export interface Answer {
  /** Transactions that are open, one within the other; undefined where that was not asked. */
  readonly transactions: number | undefined;
  /** Undefined where a setting has no value. */
  readonly settings: readonly (readonly [name: Asked, value: string | undefined])[];
  readonly probes: readonly (Suspect & { readonly isThere: boolean })[];
}

/** The bits of @@OPTIONS. */
const optionBits: Readonly<Record<OptionName, number>> = {
  implicit_transactions: 2,
  cursor_close_on_commit: 4,
  ansi_warnings: 8,
  ansi_padding: 16,
  ansi_nulls: 32,
  arithabort: 64,
  arithignore: 128,
  quoted_identifier: 256,
  nocount: 512,
  ansi_null_dflt_on: 1_024,
  ansi_null_dflt_off: 2_048,
  concat_null_yields_null: 4_096,
  numeric_roundabort: 8_192,
  xact_abort: 16_384,
};

/** What tells a value without looking into a table. */
const expressions: Readonly<Partial<Record<Asked, string>>> = {
  database: 'DB_NAME()',
  language: '@@LANGUAGE',
  datefirst: '@@DATEFIRST',
  lock_timeout: '@@LOCK_TIMEOUT',
  context_info: 'CONTEXT_INFO()',
};

/** Columns of the session's row in sys.dm_exec_sessions. Babelfish has no @@TEXTSIZE, SQL Server has both. */
const columns: Readonly<Partial<Record<Asked, string>>> = {
  'isolation level': 'transaction_isolation_level',
  dateformat: 'date_format',
  deadlock_priority: 'deadlock_priority',
  textsize: 'text_size',
};

/** Babelfish's sessions do not always find themselves in that view. */
const LEVEL_OF_BABELFISH = [
  "CASE current_setting('default_transaction_isolation') WHEN 'read uncommitted' THEN 1",
  "WHEN 'read committed' THEN 2 WHEN 'serializable' THEN 4 ELSE 5 END",
].join(' ');

function isTabled(name: Asked, isBabelfish: boolean): boolean {
  return name in columns && !(isBabelfish && name === 'isolation level');
}

/** What nothing tells: only a text that shows its value makes it known. */
export function isTold(name: SettingName): boolean {
  return isCarriedOption(name) || name in expressions || name in columns;
}

/** What else there is in a question. */
export interface Parts {
  readonly asksForTransaction?: boolean;
  readonly settings?: readonly Asked[];
  readonly probes?: readonly Suspect[];
  /** IMPLICIT_TRANSACTIONS may be ON: then looking into a table would begin a transaction. */
  readonly isImplicit: boolean;
  /** Default false. */
  readonly isBabelfish?: boolean;
}

/** Asks for all of this in one batch. */
export function ask(parts: Parts): Question {
  const { asksForTransaction = false, settings = [], probes = [], isImplicit } = parts;
  const { isBabelfish = false } = parts;
  const plain = settings.filter((name) => !isTabled(name, isBabelfish));
  const tabled = settings.filter((name) => isTabled(name, isBabelfish));
  const before = [
    ...(asksForTransaction ? ['@@TRANCOUNT'] : []),
    ...plain.map((name) => (name === 'isolation level' ? LEVEL_OF_BABELFISH : expressionOf(name))),
    ...probes.map(probeOf),
  ];
  const after = tabled.map(expressionOf);
  const question = { asksForTransaction, settings: [...plain, ...tabled], probes, isBabelfish };
  if (!isImplicit || after.length === 0)
    return { sql: `SELECT ${[...before, ...after].join(', ')}`, ...question };
  // What is set within is set back behind it.
  const aside = `SET IMPLICIT_TRANSACTIONS OFF; SELECT ${after.join(', ')}`;
  const first = before.length === 0 ? '' : `SELECT ${before.join(', ')}; `;
  return { sql: `${first}EXEC sp_executesql ${quoted(aside)}`, ...question };
}

/** One of several that the server does not know spoils the answer for all. Nothing where it was one alone. */
export function askSingly(
  { asksForTransaction, settings, probes, isBabelfish }: Question,
  isImplicit: boolean,
): readonly Question[] {
  const manner = { isImplicit, isBabelfish };
  const singly = [
    ...(asksForTransaction ? [ask({ asksForTransaction, ...manner })] : []),
    ...settings.map((name) => ask({ settings: [name], ...manner })),
    ...probes.map((probe) => ask({ probes: [probe], ...manner })),
  ];
  return singly.length === 1 ? [] : singly;
}

/** Reads the rows of an answer; undefined where it is an error, or not what was asked for. */
export function readAnswer(question: Question, results: Results): Answer | undefined {
  const { asksForTransaction, settings, probes, isBabelfish } = question;
  const row = results.sets.flatMap(({ rows }) => rows[0] ?? []);
  const count = (asksForTransaction ? 1 : 0) + settings.length + probes.length;
  if (results.errors.length > 0 || row.length !== count) return undefined;
  let at = 0;
  const next = (): Value => row[at++];
  const transactions = asksForTransaction ? Number(next()) : undefined;
  const plain = settings.filter((name) => !isTabled(name, isBabelfish));
  const told = plain.map((name) => [name, valueOf(name, next())] as const);
  const found = probes.map((probe) => {
    const { reason, name } = probe;
    return { reason, name, isThere: isThere(probe, next()) };
  });
  const tabled = settings.filter((name) => isTabled(name, isBabelfish));
  told.push(...tabled.map((name) => [name, valueOf(name, next())] as const));
  return { transactions, settings: told, probes: found };
}

/** Finds out what all settings are, one by one where the server does not know all of them. */
export class Inquiry {
  /** What is known by now. */
  readonly values = new Map<SettingName, string>();
  /** The database in use; undefined where that is not known. */
  database: string | undefined;
  #questions: Question[];

  constructor(isBabelfish = false) {
    this.#questions = [ask({ settings: everything, isImplicit: true, isBabelfish })];
  }

  /** The next thing to ask, until there is none. */
  next(): Question | undefined {
    return this.#questions.shift();
  }

  answered(question: Question, results: Results): void {
    const answer = readAnswer(question, results);
    if (answer === undefined) this.#questions = [...askSingly(question, true), ...this.#questions];
    for (const [name, value] of answer?.settings ?? []) {
      if (value === undefined) continue;
      if (name === 'database') this.database = value;
      else this.values.set(name, value);
    }
  }
}

/** All that sessions begin with; what comes with a value of the session's own is nothing that they share. */
const everything: readonly Asked[] = [
  'database',
  ...Object.keys(optionBits).filter(isCarriedOption),
  'language',
  'datefirst',
  'dateformat',
  'lock_timeout',
  'isolation level',
  'deadlock_priority',
  'textsize',
];

function expressionOf(name: Asked): string {
  if (isCarriedOption(name)) return `@@OPTIONS & ${optionBits[name]}`;
  const column = columns[name];
  return column === undefined
    ? (expressions[name] ?? 'NULL')
    : `(SELECT ${column} FROM sys.dm_exec_sessions WHERE session_id = @@SPID)`;
}

function valueOf(name: Asked, value: Value): string | undefined {
  if (value === undefined) return undefined;
  if (isCarriedOption(name)) return Number(value) === 0 ? 'OFF' : 'ON';
  if (name === 'isolation level') return isolationLevel(Number(value));
  if (value instanceof Uint8Array) return contextInfo(value.toHex());
  return String(value);
}

/** An expression that is NULL where the thing is not there, or says so in another way. */
function probeOf({ reason, name }: Suspect): string {
  switch (reason) {
    case 'temporaryObject':
      return `OBJECT_ID(${quoted(`tempdb..${bracketed(name)}`)})`;
    case 'cursor':
      return `CURSOR_STATUS('global', ${quoted(name)})`;
    case 'sessionLock':
      return `APPLOCK_MODE('public', ${quoted(name)}, 'Session')`;
    case 'sessionContext':
      return `CASE WHEN SESSION_CONTEXT(${quoted(name)}) IS NULL THEN NULL ELSE 1 END`;
  }
}

const NO_CURSOR = -3;

function isThere({ reason }: Suspect, value: Value): boolean {
  if (reason === 'cursor') return Number(value) !== NO_CURSOR;
  return value !== undefined && value !== 'NoLock';
}
