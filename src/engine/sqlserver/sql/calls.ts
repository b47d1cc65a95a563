import type { Effects, Tie } from './effects.ts';
import type { Findings } from './findings.ts';
import { XML_DOCUMENT } from './ties.ts';

/** A parameter of a call, as far as it is known. */
export interface Argument {
  /** In lower case with its @; empty where it is told by its place. */
  readonly name: string;
  /** A text; `null` for NULL; undefined where it is not known, or no text. */
  readonly value: string | null | undefined;
}

export interface Calling {
  readonly findings: Findings;
  readonly isCertain: boolean;
  /** Looks into a text that the call runs. */
  readonly look: (text: string) => Effects | undefined;
}

/** A resource's name is cut there. */
const RESOURCE_CHARACTERS = 255;

/** They ask about things, and do nothing (trap TD-24). What they are called is no name that others would give. */
const asking: ReadonlySet<string> = new Set(
  (
    'sp_bcp_dbcmptlevel sp_catalogs sp_catalogs_rowset sp_column_privileges sp_columns sp_columns_ex ' +
    'sp_databases sp_datatype_info sp_describe_cursor sp_describe_first_result_set ' +
    'sp_describe_parameter_encryption sp_describe_undeclared_parameters sp_fkeys sp_help ' +
    'sp_helpconstraint sp_helpdb sp_helpfile sp_helpindex sp_helptext sp_linkedservers sp_lock ' +
    'sp_oledb_ro_usrname sp_pkeys sp_primary_keys_rowset sp_server_info sp_spaceused ' +
    'sp_special_columns sp_sproc_columns sp_statistics sp_stored_procedures sp_table_privileges ' +
    'sp_table_type_columns sp_table_type_pkeys sp_tablecollations sp_tables sp_tables_ex ' +
    'sp_usertypes_rowset sp_who sp_who2 xp_msver xp_qv xp_instance_regread'
  ).split(' '),
);
/** Some exist once for each version of the protocol: `sp_datatype_info_100`. */
const VERSION = /_(?:90|100|150|160|170)$/;

/** Says what the call of a procedure by its name does; the name is in any case. */
export function readCall(name: string, given: readonly Argument[], calling: Calling): void {
  const { findings } = calling;
  const known = name.toLowerCase();
  if (asking.has(known.replace(VERSION, ''))) return;
  switch (known) {
    case 'sp_executesql':
      return readExecuteSql(given, calling);
    case 'sp_getapplock':
      return readLock(given, calling);
    case 'sp_releaseapplock':
      return readRelease(given, calling);
    case 'sp_set_session_context':
      return readSessionContext(given, calling);
    case 'sp_setapprole':
    case 'sp_bindsession':
      return findings.pin('hiddenState');
    case 'sp_babelfish_configure':
      return findings.pin('setting');
    case 'sp_xml_preparedocument':
      return tie(calling, 'takes', 'temporaryObject', XML_DOCUMENT);
    case 'sp_xml_removedocument':
      return tie(calling, 'drops', 'temporaryObject', XML_DOCUMENT);
    case 'sp_prepare':
    case 'sp_prepexec':
    case 'sp_prepexecrpc':
      mayDoAnything(findings);
      return findings.pin('preparedStatement');
    case 'sp_cursoropen':
    case 'sp_cursorprepare':
    case 'sp_cursorprepexec':
    case 'sp_cursorexecute':
      mayDoAnything(findings);
      return findings.pin('cursor');
    default:
  }
  // Objects of OLE automation.
  if (known.startsWith('sp_oa')) findings.pin('hiddenState');
  mayDoAnything(findings);
}

/** What is not seen: a procedure may insert, and begin and end transactions. */
export function mayDoAnything(findings: Findings): void {
  findings.mayInsert = true;
  findings.mayChangeTransaction = true;
}

function readExecuteSql(given: readonly Argument[], calling: Calling): void {
  const { findings, isCertain, look } = calling;
  const text = argument(given, 0, '@stmt', '@statement')?.value;
  if (typeof text !== 'string') return mayDoAnything(findings);
  const effects = look(text);
  if (effects !== undefined) findings.add(effects, isCertain);
}

/** A lock is the transaction's unless it is said to be the session's. */
function readLock(given: readonly Argument[], calling: Calling): void {
  const owner = argument(given, 2, '@lockowner');
  if (owner === undefined || isTransactions(owner)) return;
  const principal = argument(given, 4, '@dbprincipal');
  const isPublic = principal === undefined || principal.value?.toLowerCase() === 'public';
  const resource = argument(given, 0, '@resource')?.value;
  tie(calling, 'takes', 'sessionLock', isPublic && isResource(resource) ? resource : undefined);
}

function readRelease(given: readonly Argument[], calling: Calling): void {
  if (isTransactions(argument(given, 1, '@lockowner'))) return;
  const resource = argument(given, 0, '@resource')?.value;
  if (isResource(resource)) tie(calling, 'drops', 'sessionLock', resource);
}

function isTransactions(owner: Argument | undefined): boolean {
  return owner?.value?.toLowerCase() === 'transaction';
}

function isResource(resource: string | null | undefined): resource is string {
  return typeof resource === 'string' && resource.length <= RESOURCE_CHARACTERS;
}

/** A key whose value is NULL is not set. */
function readSessionContext(given: readonly Argument[], calling: Calling): void {
  const name = argument(given, 0, '@key')?.value ?? undefined;
  const isUnset = argument(given, 1, '@value')?.value === null;
  if (!isUnset) tie(calling, 'takes', 'sessionContext', name);
  else if (name !== undefined) tie(calling, 'drops', 'sessionContext', name);
}

function tie(
  { findings, isCertain }: Calling,
  does: Tie['does'],
  reason: Tie['reason'],
  name: string | undefined,
): void {
  findings.tie({ does, reason, name, isCertain });
}

/** The one at this place, or by one of these names. */
function argument(
  given: readonly Argument[],
  place: number,
  ...names: readonly string[]
): Argument | undefined {
  const named = given.find(({ name }) => names.includes(name));
  if (named !== undefined) return named;
  // Behind one that is named all are.
  const isPlaced = given.slice(0, place + 1).every(({ name }) => name === '');
  return isPlaced ? given[place] : undefined;
}
