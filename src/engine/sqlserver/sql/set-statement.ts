import type { Findings } from './findings.ts';
import {
  ansiDefaults,
  isCarriedOption,
  isolationLevels,
  opposites,
  tyingOptions,
  valued,
} from './settings.ts';
import type { Tokens } from './tokens.ts';
import { isMark, isNaming } from './tokens.ts';

/** What surrounds a statement. */
export interface Scene {
  readonly tokens: Tokens;
  readonly findings: Findings;
  /** What is set stays set behind the text: it is a batch. */
  readonly lasts: boolean;
  /** It is run if the text is, and once. */
  readonly isCertain: boolean;
}

const ASSIGNMENT = /^[-+*/%&|^]$/;
/** There are not as many options. */
const MOST_NAMES = 64;
const OFFSETS = 'offsets';
const STATISTICS = 'statistics';

/** Reads what is behind SET, be it a statement or a part of an UPDATE, as far as it is known to be the session's. */
export function readSet(scene: Scene): void {
  const { tokens } = scene;
  const first = tokens.peek();
  if (first?.kind !== 'word' || isAssigned(tokens)) return;
  // Of foreign keys: ON DELETE SET NULL.
  if (tokens.isWord(['null', 'default'])) return;
  if (tokens.take('transaction', 'tran')) return readIsolation(scene);
  if (tokens.take(STATISTICS)) return readTied(scene, STATISTICS);
  if (tokens.take(OFFSETS)) return readTied(scene, OFFSETS);
  if (tokens.take('identity_insert')) return readIdentityInsert(scene);
  if (tokens.take('fips_flagger')) {
    const value = tokens.next();
    return tie(scene, 'fips_flagger', value?.text.toLowerCase() === 'off' ? 'off' : 'on');
  }
  if (valued[first.text] !== undefined) return readValue(scene, first.text);
  if (readOptions(scene)) return;
  tokens.next();
  if (isValueNext(tokens)) pinUnknown(scene);
}

/** `SET a = 1`, `SET a.b = 1`, `SET a.write(…)`, `SET a += 1`. */
function isAssigned(tokens: Tokens): boolean {
  const mark = tokens.peek(1);
  if (mark?.kind !== 'mark') return false;
  if (mark.text === '=' || mark.text === '.' || mark.text === '(') return true;
  return ASSIGNMENT.test(mark.text) && tokens.isMark('=', 2);
}

function isValueNext(tokens: Tokens): boolean {
  const token = tokens.peek();
  return token !== undefined && token.kind !== 'mark';
}

function readIsolation({ tokens, findings, lasts, isCertain }: Scene): void {
  if (!tokens.takeAll('isolation', 'level')) return;
  const value = isolationLevels.find(
    (level) => level !== undefined && tokens.takeAll(...level.toLowerCase().split(' ')),
  );
  findings.set({ name: 'isolation level', value, isCertain }, lasts);
}

/** `SET STATISTICS IO, TIME ON`. */
function readTied(scene: Scene, what: string): void {
  const { tokens } = scene;
  const names: string[] = [];
  while (!tokens.isWord(['on', 'off'])) {
    const token = tokens.next();
    if (token === undefined || (token.kind !== 'word' && !isMark(token, ','))) return;
    if (token.kind === 'word') names.push(`${what} ${token.text}`);
  }
  const value = tokens.take('on') ? 'on' : 'off';
  tokens.take('off');
  for (const name of names) tie(scene, name, value);
}

/** Of one table at a time. It is the session's even where another text has set it. */
function readIdentityInsert(scene: Scene): void {
  const { tokens } = scene;
  const name = tokens.takeName()?.parts.join('.').toLowerCase();
  const value = tokens.take('on') ? 'on' : 'off';
  tokens.take('off');
  if (name !== undefined) tie({ ...scene, lasts: true }, `identity_insert ${name}`, value);
}

function readValue({ tokens, findings, lasts, isCertain }: Scene, word: string): void {
  const setting = valued[word];
  tokens.next();
  if (setting === undefined) return;
  const sign = tokens.takeMark('-') ? '-' : '';
  if (sign === '') tokens.takeMark('+');
  const token = tokens.peek();
  const isPlain =
    token !== undefined && (isNaming(token) || ['string', 'number'].includes(token.kind));
  const value = isPlain ? setting.hold(`${sign}${token.text.toLowerCase()}`) : undefined;
  if (token !== undefined && token.kind !== 'mark') tokens.next();
  // This one outlives what has set it.
  const { name } = setting;
  findings.set({ name, value, isCertain }, lasts || name === 'context_info');
}

/** `SET a, b ON`. Returns whether it was that. */
function readOptions(scene: Scene): boolean {
  const { tokens, findings } = scene;
  const names: string[] = [];
  let at = 0;
  for (; ; at += 2) {
    const name = tokens.peek(at);
    if (name?.kind !== 'word' || names.length === MOST_NAMES) return false;
    names.push(name.text);
    if (!tokens.isMark(',', at + 1)) break;
  }
  if (!tokens.isWord(['on', 'off'], at + 1)) return false;
  for (let left = at + 1; left > 0; left -= 1) tokens.next();
  const value = tokens.next()?.text === 'on' ? 'on' : 'off';
  for (const name of names) {
    if (name === 'ansi_defaults') {
      for (const option of ansiDefaults) readOption(scene, option, value);
      findings.awsPin('setting');
    } else readOption(scene, name, value);
  }
  return true;
}

function readOption(scene: Scene, name: string, value: 'on' | 'off'): void {
  const { findings, lasts, isCertain } = scene;
  if (name === 'implicit_transactions') findings.mayChangeTransaction = true;
  if (!isCarriedOption(name)) {
    if (tyingOptions.has(name)) tie(scene, name, value);
    else pinUnknown(scene);
    return;
  }
  findings.set({ name, value: value.toUpperCase(), isCertain }, lasts);
  const opposite = opposites[name];
  if (opposite !== undefined && value === 'on')
    findings.set({ name: opposite, value: 'OFF', isCertain }, lasts);
}

/** Nobody knows how to set it back. */
function pinUnknown({ findings, lasts }: Scene): void {
  const tie = { does: 'takes', reason: 'setting', name: undefined, isCertain: true } as const;
  if (lasts) findings.pin('setting');
  else findings.tie(tie, lasts);
}

function tie({ findings, lasts, isCertain }: Scene, name: string, value: 'on' | 'off'): void {
  findings.awsPin('setting');
  const does = value === 'on' ? 'takes' : 'drops';
  findings.tie({ does, reason: 'setting', name, isCertain }, lasts);
}
