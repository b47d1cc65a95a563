import type { Tie } from './effects.ts';
import type { Scene } from './set-statement.ts';
import { IMPERSONATION } from './ties.ts';
import type { DottedName, Tokens } from './tokens.ts';
import { isMark } from './tokens.ts';

/** Statements that matter, by their first words: they read what is behind it. */
export const readers: ReadonlyMap<string, (scene: Scene) => void> = new Map([
  ['create', readCreate],
  ['alter', readAlter],
  ['drop', readDrop],
  ['declare', readDeclare],
  ['deallocate', readDeallocate],
  ['open', readOpen],
  ['close', readClose],
  ['dbcc', readDbcc],
  ['revert', readRevert],
  ['setuser', ({ findings }: Scene): void => findings.pin('hiddenState')],
]);

const PROCEDURE = ['proc', 'procedure'] as const;
/** The body is not run; it goes up to the end of the text. */
const modules = [...PROCEDURE, 'function', 'trigger', 'view'] as const;

/** CREATE PROCEDURE and the like, with which their texts begin. */
export function beginsModule(tokens: Tokens): boolean {
  return tokens.isWord(['create', 'alter']) && isModuleNext(tokens, 1);
}

/** Behind CREATE, or ALTER. */
export function isModuleNext(tokens: Tokens, offset = 0): boolean {
  return tokens.isWord(modules, tokens.isWord('or', offset) ? offset + 2 : offset);
}

/** In `tempdb` whatever database is in use. */
const TEMPORARY = '#';
const SHARED = '##';

function readCreate(scene: Scene): void {
  const { tokens } = scene;
  tokens.takeAll('or', 'alter');
  if (tokens.take('table')) takeTemporary(scene, tokens.takeName());
  else if (tokens.take(...PROCEDURE)) {
    // Whether it goes with a text within nobody says.
    const isCertain = scene.isCertain && scene.lasts;
    takeTemporary({ ...scene, lasts: true, isCertain }, tokens.takeName());
  }
}

/** SELECT … INTO #t, and CREATE. */
export function takeTemporary(scene: Scene, name: DottedName | undefined): void {
  if (name?.last.startsWith(TEMPORARY) !== true) return;
  const { findings, lasts, isCertain } = scene;
  const tie = { does: 'takes', reason: 'temporaryObject', name: name.last, isCertain } as const;
  findings.tie(tie, lasts || name.last.startsWith(SHARED));
}

/** What is set here is the database's. */
function readAlter({ tokens }: Scene): void {
  if (tokens.take('database')) {
    if (tokens.takeAll('scoped', 'configuration')) tokens.takeAll('for', 'secondary');
    else tokens.takeName();
  } else if (tokens.takeAll('fulltext', 'index', 'on')) tokens.takeName();
  else if (!tokens.takeAll('server', 'configuration')) return;
  tokens.take('set');
}

function readDrop(scene: Scene): void {
  const { tokens, findings, isCertain } = scene;
  if (!tokens.take('table', ...PROCEDURE)) return;
  tokens.takeAll('if', 'exists');
  do {
    const name = tokens.takeName()?.last;
    if (name?.startsWith(TEMPORARY) === true)
      findings.tie({ does: 'drops', reason: 'temporaryObject', name, isCertain });
  } while (tokens.takeMark(','));
}

/** Before CURSOR. */
const MOST_WORDS = 4;

/** DECLARE c INSENSITIVE SCROLL CURSOR GLOBAL … FOR: cursors outlive their texts, unless they are local. */
function readDeclare({ tokens, findings, isCertain }: Scene): void {
  const first = tokens.peek();
  if (first === undefined || first.kind === 'variable' || first.kind === 'mark') return;
  let at = 1;
  while (at < MOST_WORDS && tokens.isWord(['insensitive', 'scroll'], at)) at += 1;
  if (!tokens.isWord('cursor', at)) return;
  const name = first.raw;
  for (; at >= 0; at -= 1) tokens.next();
  findings.awsPin('cursor');
  for (; tokens.peek()?.kind === 'word' && !tokens.isWord('for'); tokens.next())
    if (tokens.isWord('local')) return;
  findings.tie({ does: 'takes', reason: 'cursor', name, isCertain });
}

function readDeallocate({ tokens, findings, isCertain }: Scene): void {
  // A cursor may have that name.
  if (tokens.isWord('global') && tokens.peek(1)?.kind !== 'mark') tokens.next();
  const name = tokens.peek()?.kind === 'variable' ? undefined : tokens.takeName()?.last;
  if (name !== undefined) findings.tie({ does: 'drops', reason: 'cursor', name, isCertain });
}

/** Keys stay open whatever text has opened them. */
const KEY = 'key ';

function readOpen(scene: Scene): void {
  const { tokens } = scene;
  if (tokens.takeAll('symmetric', 'key')) tieKey(scene, 'takes', tokens.takeName()?.last);
  else if (tokens.takeAll('master', 'key')) tieKey(scene, 'takes', '');
}

function readClose(scene: Scene): void {
  const { tokens, findings, isCertain } = scene;
  if (tokens.takeAll('symmetric', 'key')) tieKey(scene, 'drops', tokens.takeName()?.last);
  else if (tokens.takeAll('master', 'key')) tieKey(scene, 'drops', '');
  else if (tokens.takeAll('all', 'symmetric', 'keys'))
    findings.tie({ does: 'dropsAll', reason: 'hiddenState', name: KEY, isCertain });
}

function tieKey({ findings, isCertain }: Scene, does: Tie['does'], name: string | undefined): void {
  findings.tie({ does, reason: 'hiddenState', name: `${KEY}${name ?? ''}`, isCertain });
}

const ALL_CONNECTIONS = '-1';

/** DBCC TRACEON (3604, 3605): the session's, but for those with a -1. */
function readDbcc({ tokens, findings, isCertain }: Scene): void {
  const isOn = tokens.isWord('traceon');
  if (!tokens.take('traceon', 'traceoff') || !tokens.takeMark('(')) return;
  const flags: string[] = [];
  while (tokens.peek() !== undefined && !tokens.isMark(')')) {
    const sign = tokens.takeMark('-') ? '-' : '';
    const token = tokens.next();
    if (token?.kind === 'number') flags.push(`${sign}${token.text}`);
    else if (!isMark(token, ',')) return findings.pin('setting');
  }
  if (flags.includes(ALL_CONNECTIONS)) return;
  const does = isOn ? 'takes' : 'drops';
  for (const flag of flags)
    findings.tie({ does, reason: 'setting', name: `trace ${flag}`, isCertain });
}

/** EXECUTE AS USER = 'a': until REVERT, or up to the end of the text that is not a batch. A reset does not undo it. */
export function readExecuteAs({ tokens, findings, lasts, isCertain }: Scene): void {
  tokens.take('login', 'user', 'caller', 'self', 'owner');
  tokens.takeMark('=');
  const value = tokens.peek();
  if (value?.kind === 'string' || value?.kind === 'variable') tokens.next();
  findings.awsPin('hiddenState');
  if (!lasts) return;
  if (tokens.take('with')) {
    tokens.takeAll('no', 'revert');
    return findings.pin('hiddenState');
  }
  findings.tie({ does: 'takes', reason: 'hiddenState', name: IMPERSONATION, isCertain });
}

function readRevert({ findings, lasts, isCertain }: Scene): void {
  if (lasts) findings.tie({ does: 'drops', reason: 'hiddenState', name: IMPERSONATION, isCertain });
}
