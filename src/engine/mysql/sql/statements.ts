import type { Dialect } from './dialect.ts';
import type { Kill, TieReason } from './effects.ts';
import type { Findings } from './findings.ts';
import { plainName, tableName, takeTable } from './names.ts';
import type { TableReference } from './names.ts';
import type { Tokens } from './tokens.ts';

/** What a reader of a statement may need to know. Its tokens are those behind the first word. */
export interface Scene {
  readonly tokens: Tokens;
  readonly findings: Findings;
  readonly dialect: Dialect;
  /** A USE before in the text. */
  readonly schema: string | undefined;
}

/** Not tables, but held like one: the names of what UNLOCK, BACKUP and XA end. */
const TABLES = 'tables';
const INSTANCE = 'instance';
const STAGE = 'stage';
const BACKUP = 'backup';
const GLOBAL_TRANSACTION = 'xa';

/** Statements that matter, by their first words. */
export const readers: ReadonlyMap<string, (scene: Scene) => void> = new Map([
  ['create', readCreate],
  ['drop', readDrop],
  ['alter', readAlter],
  ['rename', readRename],
  ['lock', readLock],
  ['unlock', readUnlock],
  ['flush', readFlush],
  ['backup', readBackup],
  ['handler', readHandler],
  ['xa', readXa],
  ['deallocate', readDeallocate],
  ['kill', readKill],
  ['show', readShow],
  ['get', readGet],
  ['call', readCall],
  ['load', readLoad],
  ['commit', readEnd],
  ['rollback', readEnd],
  ['binlog', ({ findings }) => findings.pin('hiddenState')],
]);

function readCreate({ tokens, findings, dialect, schema }: Scene): void {
  tokens.takeAll('or', 'replace');
  if (!tokens.take('temporary')) return;
  if (!tokens.take('table', 'sequence')) return;
  tokens.takeAll('if', 'not', 'exists');
  const name = nameOf(takeTable(tokens), dialect, schema);
  findings.tie({ does: 'takes', reason: 'temporaryObject', name });
}

function readDrop(scene: Scene): void {
  const { tokens, findings, dialect, schema } = scene;
  if (tokens.isWord('prepare')) return readDeallocate(scene);
  tokens.take('temporary');
  if (!tokens.take('table', 'tables', 'sequence')) return;
  tokens.takeAll('if', 'exists');
  do {
    const name = nameOf(takeTable(tokens), dialect, schema);
    if (name !== undefined) findings.tie({ does: 'drops', reason: 'temporaryObject', name });
  } while (tokens.takeMark(','));
}

/** A temporary table can be renamed. */
function readAlter({ tokens, findings, dialect, schema }: Scene): void {
  tokens.take('online');
  tokens.take('ignore');
  if (!tokens.take('table')) return;
  tokens.takeAll('if', 'exists');
  const name = nameOf(takeTable(tokens), dialect, schema);
  do {
    if (!tokens.take('rename') || tokens.isWord('column', 'index', 'key')) continue;
    tokens.take('to', 'as');
    tokens.takeMark('=');
    const to = nameOf(takeTable(tokens), dialect, schema);
    if (name !== undefined) findings.tie({ does: 'renames', reason: 'temporaryObject', name, to });
  } while (tokens.skipToComma());
}

/** MySQL has it for tables that are not temporary only. */
function readRename({ tokens, findings, dialect, schema }: Scene): void {
  if (!dialect.isMariadb || !tokens.take('table', 'tables')) return;
  tokens.takeAll('if', 'exists');
  do {
    const name = nameOf(takeTable(tokens), dialect, schema);
    while (!tokens.isOver && !tokens.isWord('to')) tokens.next();
    tokens.next();
    const to = nameOf(takeTable(tokens), dialect, schema);
    if (name !== undefined) findings.tie({ does: 'renames', reason: 'temporaryObject', name, to });
  } while (tokens.takeMark(','));
}

function readLock({ tokens, findings }: Scene): void {
  take(findings, 'tableLock', tokens.isWord('instance') ? INSTANCE : TABLES);
}

function readUnlock({ tokens, findings }: Scene): void {
  drop(findings, 'tableLock', tokens.isWord('instance') ? INSTANCE : TABLES);
}

/** FLUSH TABLES … WITH READ LOCK, … FOR EXPORT: ended by UNLOCK TABLES. */
function readFlush({ tokens, findings }: Scene): void {
  for (; !tokens.isOver; tokens.next()) {
    if (tokens.takeAll('with', 'read', 'lock') || tokens.takeAll('for', 'export'))
      take(findings, 'tableLock', TABLES);
  }
}

/** MariaDB's BACKUP STAGE, LOCK and UNLOCK. */
function readBackup({ tokens, findings }: Scene): void {
  if (tokens.take('lock')) take(findings, 'tableLock', BACKUP);
  else if (tokens.take('unlock')) drop(findings, 'tableLock', BACKUP);
  else if (tokens.take('stage')) {
    if (tokens.isWord('end')) drop(findings, 'tableLock', STAGE);
    else take(findings, 'tableLock', STAGE);
  }
}

/** HANDLER t OPEN AS a; later ones know it by `a`, or by `t` without a schema. */
function readHandler({ tokens, findings, dialect }: Scene): void {
  const table = takeTable(tokens);
  const isOpen = tokens.take('open');
  if (!isOpen && !tokens.isWord('close')) return;
  tokens.take('as');
  const alias = isOpen ? tokens.takeName() : undefined;
  const name = alias ?? table?.name;
  const known = name === undefined ? undefined : tableName('', name, dialect);
  if (isOpen) findings.tie({ does: 'takes', reason: 'handler', name: known });
  else if (known !== undefined) findings.tie({ does: 'drops', reason: 'handler', name: known });
}

/** One that is prepared may need its connection, too. */
function readXa({ tokens, findings }: Scene): void {
  if (tokens.isWord('start', 'begin')) take(findings, 'globalTransaction', GLOBAL_TRANSACTION);
  else if (tokens.isWord('commit', 'rollback'))
    drop(findings, 'globalTransaction', GLOBAL_TRANSACTION);
}

function readDeallocate({ tokens, findings }: Scene): void {
  if (!tokens.take('prepare')) return;
  findings.awsPin('preparedStatement');
  const name = plainName(tokens.takeName());
  if (name !== undefined) findings.tie({ does: 'drops', reason: 'preparedStatement', name });
}

function readKill({ tokens, findings }: Scene): void {
  const isSoft = tokens.isWord('soft');
  tokens.take('hard', 'soft');
  let what: Kill['what'] = 'connection';
  if (tokens.take('query')) what = tokens.take('id') ? 'queryId' : 'query';
  else if (tokens.take('user')) what = 'user';
  else tokens.take('connection');
  findings.kill = { what, isSoft, id: what === 'user' ? undefined : readKilled(tokens) };
}

function readKilled(tokens: Tokens): Kill['id'] {
  const isLone = (length: number): boolean => tokens.peek(length) === undefined;
  const token = tokens.peek();
  if (token?.kind === 'number' && token.text !== '' && isLone(1)) return Number(token.text);
  const isOwn = tokens.isWord('connection_id') && tokens.isMark('(', 1) && tokens.isMark(')', 2);
  if (isOwn && isLone(3)) return 'own';
  return token?.kind === 'system' && token.text === 'pseudo_thread_id' && isLone(1)
    ? 'own'
    : undefined;
}

function readShow({ tokens, findings }: Scene): void {
  if (tokens.take('count')) {
    tokens.takeMark('(');
    tokens.takeMark('*');
    tokens.takeMark(')');
  }
  if (tokens.isWord('warnings', 'errors')) findings.askFor('diagnostics');
}

function readGet({ tokens, findings }: Scene): void {
  tokens.take('current', 'stacked');
  if (tokens.isWord('diagnostics')) findings.askFor('diagnostics');
}

function readCall({ findings }: Scene): void {
  findings.mayRunRoutines = true;
  findings.givesNumbers = true;
}

function readLoad({ tokens, findings }: Scene): void {
  if (!tokens.take('data', 'xml')) return;
  findings.givesNumbers = true;
  tokens.take('low_priority', 'concurrent');
  if (tokens.isWord('local')) findings.loadsLocalFile = true;
}

/** COMMIT RELEASE, ROLLBACK AND NO CHAIN RELEASE; ROLLBACK TO has a name behind it. */
function readEnd({ tokens, findings }: Scene): void {
  tokens.take('work');
  if (!tokens.takeAll('and', 'no', 'chain')) tokens.takeAll('and', 'chain');
  if (tokens.isWord('release')) findings.endsSession = true;
}

function nameOf(
  table: TableReference | undefined,
  dialect: Dialect,
  schema: string | undefined,
): ReturnType<typeof tableName> {
  return table === undefined ? undefined : tableName(table.schema ?? schema, table.name, dialect);
}

function take(findings: Findings, reason: TieReason, name: string): void {
  findings.tie({ does: 'takes', reason, name: { schema: '', name } });
}

function drop(findings: Findings, reason: TieReason, name: string): void {
  findings.tie({ does: 'drops', reason, name: { schema: '', name } });
}
