import { ucs2, utf16 } from '../../../base/bytes.ts';
import { procedure as numbers } from '../../../wire/tds/rpc.ts';
import type { Argument } from './calls.ts';
import { mayDoAnything, readCall } from './calls.ts';
import type { Effects } from './effects.ts';
import { Findings } from './findings.ts';
import type { Level } from './judge.ts';
import { judge } from './judge.ts';
import { glance } from './prefilter.ts';
import { isolationLevel } from './settings.ts';

const CACHED_TEXT_LENGTH = 4_096;
const CACHED_TEXTS = 2_048;
/** There are these in the protocol, from 0 on. */
const LEVELS = 6;
/** A parameter longer than this is no name. */
const LONGEST_NAME = 1_024;

/** A parameter of a call by the protocol. */
export interface Parameter {
  /** With its @; empty where it is told by its place. */
  readonly name: string;
  readonly isNull: boolean;
  /** What it says, where it is a text. */
  text(): string | undefined;
}

/**
 * Says what texts and calls do beyond their transaction, by their words alone. What procedures, triggers and functions of the database do
 * cannot be seen. Sound rather than exact: in doubt a text is said to have an effect.
 */
export class Classifier {
  readonly #known = {
    batch: new Map<string, Effects | undefined>(),
    within: new Map<string, Effects | undefined>(),
  };

  /** What a batch does; undefined where there is nothing to know of it. */
  batch(text: string): Effects | undefined {
    const bytes = utf16(text);
    return this.batchAt(bytes, 0, bytes.length);
  }

  /** The same of `bytes[start, end)`, in UTF-16. */
  batchAt(bytes: Uint8Array, start: number, end: number): Effects | undefined {
    return this.#classify(bytes, start, end, 'batch');
  }

  /** What a text does that a procedure runs, as sp_executesql does: what is set in it ends with it. */
  executeSql(text: string): Effects | undefined {
    const bytes = utf16(text);
    return this.executeSqlAt(bytes, 0, bytes.length);
  }

  /** The same of `bytes[start, end)`, in UTF-16. */
  executeSqlAt(bytes: Uint8Array, start: number, end: number): Effects | undefined {
    return this.#classify(bytes, start, end, 'within');
  }

  /** What the call of a procedure by its name does. */
  procedure(name: string, parameters: readonly Parameter[]): Effects | undefined {
    const findings = new Findings();
    const given = parameters.map(argumentOf);
    const look = (text: string): Effects | undefined => this.executeSql(text);
    readCall(lastOf(name), given, { findings, isCertain: true, look });
    return findings.effects();
  }

  /** What the call of a procedure does that has a number; what it runs is not known. */
  numbered(procedure: number): Effects | undefined {
    return byNumber.get(procedure);
  }

  /**
   * What a request to the transaction manager does.
   * @param isolation the level of the transaction that begins, by its number in the protocol: it is the session's from then on, but for
   *   0; undefined where none begins
   */
  transaction(isolation: number | undefined): Effects | undefined {
    return isolation === undefined ? undefined : (byLevel[isolation] ?? beginning(isolation));
  }

  /** What one does after the other. */
  together(effects: readonly Effects[]): Effects | undefined {
    const findings = new Findings();
    for (const one of effects) findings.add(one, true);
    return findings.effects();
  }

  #classify(bytes: Uint8Array, start: number, end: number, level: Level): Effects | undefined {
    const seen = glance(bytes, start, end);
    if (seen === 'nothing') return undefined;
    if (seen === 'inserts') return INSERTS;
    const text = ucs2(bytes, start, end);
    if (text.length > CACHED_TEXT_LENGTH) return judge(text, level);
    const cache = this.#known[level];
    const known = cache.get(text);
    if (known !== undefined || cache.has(text)) return known;
    const effects = judge(text, level);
    forget(cache);
    cache.set(text, effects);
    return effects;
  }
}

/** Of a text that inserts something, and nothing else is to be known of it. */
export const INSERTS = effectsOf(insert);

/** Of a transaction that begins at a level, by the level's number. */
const byLevel = Array.from({ length: LEVELS }, (_, level) => beginning(level));

function beginning(isolation: number): Effects | undefined {
  const findings = new Findings();
  findings.awsPin('explicitTransaction');
  const value = isolationLevel(isolation);
  if (value !== undefined) findings.set({ name: 'isolation level', value, isCertain: true });
  return findings.effects();
}

const byNumber = new Map<number, Effects | undefined>([
  [numbers.cursor, effectsOf(insert)],
  [numbers.cursorOpen, effectsOf(mayDoAnything, openCursor)],
  [numbers.cursorExecute, effectsOf(mayDoAnything, openCursor)],
  [numbers.cursorPrepExec, effectsOf(mayDoAnything, openCursor, prepare)],
  [numbers.cursorPrepare, effectsOf(prepare)],
  [numbers.executeSql, effectsOf(mayDoAnything)],
  [numbers.prepare, effectsOf(prepare)],
  [numbers.execute, effectsOf(mayDoAnything)],
  [numbers.prepExec, effectsOf(mayDoAnything, prepare)],
  [numbers.prepExecRpc, effectsOf(mayDoAnything, prepare)],
]);

function insert(findings: Findings): void {
  findings.mayInsert = true;
}

function openCursor(findings: Findings): void {
  findings.awsPin('cursor');
}

function prepare(findings: Findings): void {
  findings.awsPin('preparedStatement');
}

function effectsOf(...finds: readonly ((findings: Findings) => void)[]): Effects | undefined {
  const findings = new Findings();
  for (const find of finds) find(findings);
  return findings.effects();
}

function argumentOf(parameter: Parameter): Argument {
  const text = parameter.isNull ? null : parameter.text();
  const isLong = typeof text === 'string' && text.length > LONGEST_NAME;
  return { name: parameter.name.toLowerCase(), value: isLong ? undefined : text };
}

/** `sys.sp_who`, `[a].[b]` */
function lastOf(name: string): string {
  const last = name.slice(name.lastIndexOf('.') + 1);
  return last.replace(/^\[([^]*)\]$/, '$1').replaceAll(']]', ']');
}

/** The oldest makes room for the newest. */
function forget(map: Map<string, unknown>): void {
  if (map.size < CACHED_TEXTS) return;
  for (const oldest of map.keys()) {
    map.delete(oldest);
    return;
  }
}
