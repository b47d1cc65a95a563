import type { Dialect } from './dialect.ts';
import type { Effects } from './effects.ts';
import { Findings } from './findings.ts';
import { Mentions } from './mentions.ts';
import { plainName } from './names.ts';
import { RoutineWatch } from './routine.ts';
import type { SetItem } from './set-statement.ts';
import { readSet } from './set-statement.ts';
import { SEMICOLON } from './sql-bytes.ts';
import { readers } from './statements.ts';
import type { Token } from './tokens.ts';
import { Tokens } from './tokens.ts';
import { changesDialect, isLastInsertId, isMovable, isTrackedByAws } from './variables.ts';
import { words } from './word-list.ts';
import type { WordVisitor } from './word-visitor.ts';

/** So many tokens of a statement are kept; one whose meaning may depend on more cannot be read. */
const KEPT_TOKENS = 1_024;
/** Statements whose first words tell what they do, however long they are. */
const longStatements = words('create load show commit rollback lock kill');
/** MariaDB runs these without a routine around them. */
const compounds: ReadonlySet<string> = words('if case while loop repeat for declare');

/** Long statements are made of these: nobody asks what they say. */
const SOME_STRING: Token = { kind: 'string', text: '', raw: '', said: undefined };
const SOME_NUMBER: Token = { kind: 'number', text: '', raw: '', said: undefined };
const marks: readonly Token[] = Array.from({ length: 256 }, (_, byte) => {
  const text = String.fromCharCode(byte);
  return { kind: 'mark', text, raw: text, said: undefined };
});

/** Judges the text of a statement that another one holds. */
export type NestedJudge = (text: Uint8Array) => Effects | undefined;

/** Hears a text's words and gathers its effects. */
export class Judge implements WordVisitor {
  readonly #dialect: Dialect;
  readonly #nested: NestedJudge | undefined;
  readonly #distrust: () => void;
  readonly #findings = new Findings();
  #mentions: Mentions;
  #routine = new RoutineWatch();
  #tokens: Token[] = [];
  #isCut = false;
  #statements = 0;
  /** Of a USE. */
  #schema: string | undefined;
  #isDoubtful = false;
  #hasExecutable = false;

  /** Without `nested`, a text within the text is not looked into. `distrust` is called when the dialect may have changed. */
  constructor(dialect: Dialect, nested: NestedJudge | undefined, distrust: () => void) {
    this.#dialect = dialect;
    this.#nested = nested;
    this.#distrust = distrust;
    this.#mentions = new Mentions(this.#findings, dialect);
  }

  /** To be asked once, at the end. */
  effects(digest: () => string): Effects | undefined {
    if (this.#routine.isDoubtful) this.#isDoubtful = true;
    this.#endStatement();
    if (this.#isDoubtful) this.#findings.doubt();
    if (this.#hasExecutable) this.#findings.awsPin('hiddenState');
    this.#findings.hasSeveralStatements = this.#statements > 1;
    return this.#findings.effects(digest);
  }

  space(): void {}

  word(word: string, isBare: boolean): void {
    const text = isBare ? word.toLowerCase() : word;
    this.#hear({ kind: isBare ? 'word' : 'name', text, raw: word, said: undefined });
  }

  string(said: Uint8Array | undefined): void {
    const isKept = said !== undefined && this.#tokens.length < KEPT_TOKENS;
    this.#hear(isKept ? { kind: 'string', text: '', raw: '', said } : SOME_STRING);
  }

  number(digits: string): void {
    const isKept = digits !== '' && this.#tokens.length < KEPT_TOKENS;
    this.#hear(
      isKept ? { kind: 'number', text: digits, raw: digits, said: undefined } : SOME_NUMBER,
    );
  }

  variable(name: string): void {
    this.#hear({ kind: 'variable', text: name, raw: name, said: undefined });
  }

  system(name: string): void {
    this.#hear({ kind: 'system', text: name, raw: name, said: undefined });
  }

  mark(byte: number): void {
    const token = marks[byte];
    if (byte === SEMICOLON && (!this.#routine.isDefinition || this.#routine.isAtEnd))
      this.#endStatement();
    else if (token !== undefined) this.#hear(token);
  }

  executable(): void {
    this.#hasExecutable = true;
  }

  riddle(): void {
    this.#isDoubtful = true;
  }

  #hear(token: Token): void {
    this.#routine.hear(token);
    if (this.#routine.isDefinition) return;
    if (this.#tokens.length < KEPT_TOKENS) this.#tokens.push(token);
    else this.#isCut = true;
    this.#mentions.hear(token);
    const [first, second] = this.#tokens;
    const isScoped = first?.text === 'set' && second?.text === 'statement';
    // SET STATEMENT … FOR: its variables are set back when the rest is done.
    if (isScoped && token.kind === 'word' && token.text === 'for') this.#begin();
  }

  #begin(): void {
    this.#tokens = [];
    this.#isCut = false;
    this.#mentions.end();
    this.#mentions = new Mentions(this.#findings, this.#dialect);
  }

  #endStatement(): void {
    const isEmpty = this.#tokens.length === 0 && !this.#routine.isDefinition;
    if (!isEmpty) this.#statements += 1;
    if (!isEmpty && !this.#routine.isDefinition) this.#read();
    this.#begin();
    this.#routine = new RoutineWatch();
  }

  #read(): void {
    const tokens = new Tokens(this.#tokens);
    const first = tokens.peek();
    if (first?.kind !== 'word') return;
    tokens.next();
    const opening = first.text;
    const isRead = opening === 'set' || opening === 'execute' || readers.has(opening);
    if (this.#isCut && isRead && !longStatements.has(opening)) this.#isDoubtful = true;
    if (compounds.has(opening) || tokens.isMark(':')) this.#isDoubtful = true;
    switch (opening) {
      case 'set':
        return this.#set(tokens);
      case 'prepare':
        return this.#prepare(tokens);
      case 'execute':
        return this.#execute(tokens);
      case 'use':
        this.#schema = tokens.takeName();
        return;
      case 'begin':
        if (!tokens.isOver && !tokens.isWord('work')) this.#isDoubtful = true;
        return;
      case 'call':
        this.#distrust();
        break;
      default:
    }
    readers.get(opening)?.({
      tokens,
      findings: this.#findings,
      dialect: this.#dialect,
      schema: this.#schema,
    });
  }

  #set(tokens: Tokens): void {
    for (const item of readSet(tokens)) this.#setOne(item);
  }

  #setOne(item: SetItem): void {
    switch (item.kind) {
      case 'user':
        this.#findings.assign(item.name);
        this.#findings.awsPin('userVariable');
        return;
      case 'session':
        return this.#setVariable(item.name, item.isUnset);
      case 'nextTransaction':
        this.#findings.shapesNextTransaction = true;
        this.#findings.awsPin('nextTransaction');
        return;
      case 'elsewhere':
        return;
      default:
        // A reset of the connection leaves the role as it is.
        this.#findings.pin('hiddenState');
    }
  }

  #setVariable(name: string, isUnset: boolean): void {
    this.#findings.set(name);
    if (isLastInsertId(name)) this.#findings.setsLastInsertId = true;
    else if (!isMovable(name, isUnset)) this.#findings.pin('setting');
    if (!isTrackedByAws(name)) this.#findings.awsPin('setting');
    if (changesDialect(name)) this.#distrust();
  }

  /** What the statement does it does when it is executed: nobody will look into it then. */
  #prepare(tokens: Tokens): void {
    const name = plainName(tokens.takeName());
    this.#findings.tie({ does: 'takes', reason: 'preparedStatement', name });
    const said = tokens.take('from') ? loneString(tokens) : undefined;
    const effects = said && this.#judgeNested(said);
    if (said === undefined) this.#findings.pin('hiddenState');
    else if (effects !== undefined) this.#findings.addPrepared(effects);
  }

  #execute(tokens: Tokens): void {
    this.#distrust();
    this.#findings.awsPin('preparedStatement');
    this.#findings.assignAny();
    this.#findings.askForAll();
    this.#findings.mayRunRoutines = true;
    if (!tokens.take('immediate')) return;
    const said = loneString(tokens);
    const effects = said && this.#judgeNested(said);
    if (said === undefined) this.#findings.doubt();
    else if (effects !== undefined) this.#findings.addExecuted(effects);
  }

  #judgeNested(text: Uint8Array): Effects | undefined {
    if (this.#nested !== undefined) return this.#nested(text);
    this.#findings.doubt();
    return undefined;
  }
}

/** A string that is all there is, but for USING. */
function loneString(tokens: Tokens): Uint8Array | undefined {
  const token = tokens.next();
  return token?.kind === 'string' && (tokens.isOver || tokens.isWord('using'))
    ? token.said
    : undefined;
}
