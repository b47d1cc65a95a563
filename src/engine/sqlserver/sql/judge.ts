import type { Argument } from './calls.ts';
import { mayDoAnything, readCall } from './calls.ts';
import type { Effects } from './effects.ts';
import { UNSURE } from './effects.ts';
import { Findings } from './findings.ts';
import { Leftovers } from './leftovers.ts';
import { endings, openings } from './openings.ts';
import { isShortened, LongWords } from './long-words.ts';
import type { Scene } from './set-statement.ts';
import { readSet } from './set-statement.ts';
import type { Token } from './sql-words.ts';
import { SqlWords } from './sql-words.ts';
import { beginsModule, isModuleNext, readers, readExecuteAs, takeTemporary } from './statements.ts';
import { isMark, isNaming, Tokens } from './tokens.ts';

/** A batch, or a text that something else runs: what is set there ends with it. */
export type Level = 'batch' | 'within';

/** How many texts there may be one within the other. */
const MOST_TEXTS = 16;
/** So many parameters of a call are looked at. */
const MOST_ARGUMENTS = 16;

/** Behind these something may be run several times, or not at all. */
const conditions: readonly string[] = ['if', 'while', 'goto', 'return', 'break', 'continue'];
/** Between these and INTO there is nothing that is made. */
const insertions: readonly string[] = ['insert', 'merge', 'percent'];
const grants: readonly string[] = ['grant', 'deny', 'revoke', 'with'];
/** What a text does; undefined where there is nothing to know of it. */
export function judge(text: string, level: Level): Effects | undefined {
  return new Judge(new SqlWords(text), level, 1).effects();
}

/** Whoever has the tokens of a text. */
interface Source {
  next(): Token | undefined;
  readonly isDoubtful: boolean;
}

/** So many tokens are there before something is read that begins with one of them. */
const LOOKAHEAD = 192;

/** Says what a batch does that arrives in pieces, and is not kept. */
export class LongJudge {
  readonly #words = new LongWords();
  readonly #judge = new Judge(this.#words, 'batch', 1);

  add(text: string): void {
    this.#words.add(text);
    while (this.#words.has(LOOKAHEAD)) this.#judge.step();
  }

  /** That was all of it. */
  end(): Effects | undefined {
    this.#words.end();
    return this.#judge.effects();
  }
}

class Judge {
  readonly #words: Source;
  readonly #tokens: Tokens;
  readonly #lasts: boolean;
  /** How many texts it is in, itself included. */
  readonly #depth: number;
  readonly #findings: Findings;
  readonly #leftovers: Leftovers;
  #isConditional = false;
  #isBegun = false;
  /** Nothing of what follows is run. */
  #isOver = false;

  constructor(words: Source, level: Level, depth: number) {
    this.#lasts = level === 'batch';
    this.#depth = depth;
    this.#findings = new Findings(depth > 1);
    this.#leftovers = new Leftovers(this.#lasts);
    this.#words = words;
    this.#tokens = new Tokens(this.#words, (token) => this.#leftovers.hear(token));
  }

  effects(): Effects | undefined {
    while (!this.#isOver && this.step());
    const findings = this.#findings;
    if (this.#leftovers.areWanted) findings.asksForPrevious = true;
    if (this.#leftovers.isIdentityWanted) findings.asksForIdentity = true;
    if (this.#words.isDoubtful) findings.doubt();
    return findings.effects();
  }

  /** Reads on by one statement, or a part of it. Returns whether there was one. */
  step(): boolean {
    if (this.#isOver) return this.#words.next() !== undefined;
    const tokens = this.#tokens;
    if (this.#isBegun) {
      const token = tokens.next();
      this.#hear(token);
      return token !== undefined;
    }
    this.#isBegun = true;
    while (tokens.takeMark(';'));
    if (beginsModule(tokens)) {
      // Nothing of its body is run.
      this.#hear(tokens.next());
      this.#isOver = true;
    } else if (this.#callsAtOnce()) this.#call();
    return true;
  }

  get #scene(): Scene {
    return {
      tokens: this.#tokens,
      findings: this.#findings,
      lasts: this.#lasts,
      isCertain: !this.#isConditional,
    };
  }

  /** `sp_who 1`, or the label of a GOTO. */
  #callsAtOnce(): boolean {
    const first = this.#tokens.peek();
    if (first === undefined || !isNaming(first)) return false;
    return first.kind !== 'word' || (!openings.has(first.text) && !this.#tokens.isMark(':', 1));
  }

  #hear(token: Token | undefined): void {
    if (token?.kind !== 'word') return;
    const word = token.text;
    if (conditions.includes(word)) return this.#condition(word);
    switch (word) {
      case 'set':
        return readSet(this.#scene);
      case 'use':
        return this.#use();
      case 'exec':
      case 'execute':
        return this.#execute();
      case 'call':
        return this.#escape();
      case 'begin':
        return this.#begin();
      case 'commit':
      case 'rollback':
      case 'save':
        this.#findings.mayChangeTransaction = true;
        return;
      case 'insert':
        this.#findings.mayInsert = true;
        if (this.#tokens.take('bulk')) this.#findings.startsBulkLoad = true;
        return;
      case 'merge':
        this.#findings.mayInsert = true;
        return;
      case 'into':
        return this.#into();
      case 'cursor':
        return this.#findings.awsPin('cursor');
      case 'set_config':
        if (this.#tokens.isMark('(')) this.#findings.pin('setting');
        return;
      default:
        // It is an error here; should a server run it all the same, what follows is a body.
        if (word === 'create' && this.#tokens.before !== undefined && isModuleNext(this.#tokens))
          this.#isConditional = true;
        readers.get(word)?.(this.#scene);
    }
  }

  /** DROP TABLE IF EXISTS is none. */
  #condition(word: string): void {
    const tokens = this.#tokens;
    const isExistence = word === 'if' && tokens.isWord('exists') && !tokens.isMark('(', 1);
    if (!isExistence) this.#isConditional = true;
  }

  /** OPTION (USE HINT (…), USE PLAN …) is none. */
  #use(): void {
    const before = this.#tokens.before;
    if (isMark(before, '(') || isMark(before, ',')) return;
    const name = this.#tokens.takeName()?.last;
    if (this.#lasts && name !== undefined) this.#findings.uses = name;
  }

  #begin(): void {
    const tokens = this.#tokens;
    const findings = this.#findings;
    if (tokens.isWord(['try', 'catch'])) this.#isConditional = true;
    const isDistributed = tokens.take('distributed');
    if (!tokens.take('tran', 'transaction')) return;
    findings.mayChangeTransaction = true;
    findings.awsPin('explicitTransaction');
    if (!isDistributed) return;
    findings.tie({ does: 'takes', reason: 'globalTransaction', name: '', isCertain: true });
  }

  /** SELECT … INTO #t makes it; INSERT INTO #t, and the INTO of an OUTPUT, do not. */
  #into(): void {
    const before = this.#tokens.before;
    const isSelect = this.#leftovers.verb === 'select';
    const isInsertion =
      isMark(before, ')') || (before?.kind === 'word' && insertions.includes(before.text));
    if (!isSelect && isInsertion) return;
    const scene = this.#scene;
    const isCertain = scene.isCertain && isSelect;
    takeTemporary({ ...scene, isCertain }, this.#tokens.takeName());
  }

  /** `{call p}`, `{? = call p}`: an escape sequence of ODBC. */
  #escape(): void {
    const before = this.#tokens.before;
    if (isMark(before, '{') || isMark(before, '=')) this.#call();
  }

  #execute(): void {
    const tokens = this.#tokens;
    const before = tokens.before;
    if (before?.kind === 'word' && grants.includes(before.text)) return;
    if (tokens.take('as')) return readExecuteAs(this.#scene);
    if (tokens.takeMark('(')) return this.#runText();
    if (tokens.peek()?.kind === 'variable') {
      const returns = tokens.isMark('=', 1);
      tokens.next();
      if (!returns) return mayDoAnything(this.#findings);
      tokens.next();
    }
    this.#call();
  }

  /** EXEC ('…' + N'…'): what it says is known if there is nothing but texts. */
  #runText(): void {
    const tokens = this.#tokens;
    let text = '';
    let isKnown = true;
    while (tokens.peek() !== undefined && !tokens.isMark(')')) {
      const token = tokens.next();
      if (token !== undefined && isShortened(token)) this.#findings.doubt();
      if (token?.kind === 'string' || token?.kind === 'quoted') text += token.raw;
      else if (!isMark(token, '+')) isKnown = false;
    }
    const effects = isKnown ? this.#look(text) : undefined;
    if (effects !== undefined) this.#findings.add(effects, !this.#isConditional);
    if (!isKnown) mayDoAnything(this.#findings);
  }

  #look(text: string): Effects | undefined {
    if (this.#depth >= MOST_TEXTS) return UNSURE;
    return new Judge(new SqlWords(text), 'within', this.#depth + 1).effects();
  }

  /** A procedure's name comes next, and what it is called with. */
  #call(): void {
    const tokens = this.#tokens;
    const name = tokens.takeName()?.last;
    if (name === undefined) return mayDoAnything(this.#findings);
    // The number of one of several that have this name.
    if (tokens.isMark(';') && tokens.peek(1)?.kind === 'number') {
      tokens.next();
      tokens.next();
    }
    const hasParentheses = tokens.takeMark('(');
    const given = this.#arguments();
    if (hasParentheses) tokens.takeMark(')');
    readCall(name, given, {
      findings: this.#findings,
      isCertain: !this.#isConditional,
      look: (text) => this.#look(text),
    });
  }

  #arguments(): readonly Argument[] {
    const tokens = this.#tokens;
    const given: Argument[] = [];
    while (given.length < MOST_ARGUMENTS) {
      let name = '';
      if (tokens.peek()?.kind === 'variable' && tokens.isMark('=', 1)) {
        name = tokens.next()?.text ?? '';
        tokens.next();
      }
      if (!this.#isArgumentNext(given.length > 0 || name !== '')) break;
      given.push({ name, value: this.#argument() });
      tokens.take('output', 'out');
      if (!tokens.takeMark(',')) break;
    }
    return given;
  }

  /** A bare word may be a text, or the beginning of the next statement. */
  #isArgumentNext(isDue: boolean): boolean {
    const token = this.#tokens.peek();
    if (token === undefined) return false;
    if (token.kind === 'mark')
      return token.text === '-' || token.text === '+' || token.text === '?';
    return token.kind !== 'word' || isDue || !endings.has(token.text);
  }

  #argument(): string | null | undefined {
    const tokens = this.#tokens;
    const isSigned = tokens.takeMark('-') || tokens.takeMark('+');
    const token = tokens.next();
    if (token === undefined || isSigned) return undefined;
    if (isShortened(token)) this.#findings.doubt();
    if (token.kind === 'word') return token.text === 'null' ? null : token.raw;
    return token.kind === 'string' || token.kind === 'quoted' || token.kind === 'name'
      ? token.raw
      : undefined;
  }
}
