import { must } from '../../base/assert.ts';
import { latin1 } from '../../base/bytes.ts';
import { limits } from '../../base/limits.ts';
import { closeStatement, describeStatement, flush } from '../../wire/postgres/frontend.ts';
import { frontend } from '../../wire/postgres/message-types.ts';
import { Described } from './described.ts';
import { ChangedResult } from './description.ts';
import type { ParseMessage } from '../../wire/postgres/frontend-read.ts';
import type { Effects } from './effects.ts';
import type { Assumption } from './ledger.ts';
import { owed } from './ledger.ts';
import type { PostgresMemory } from './memory.ts';
import type { Place } from './place.ts';
import { called, exchange, nameIn } from './place.ts';
import { STATEMENT_PREFIX } from './realm.ts';
import { callingOf } from './error-names.ts';
import type { Change } from './doubts.ts';
import type { Exchange, Executed, MadeStatement, NameBook, NameDesk } from './sql-names.ts';
import { edited, exchangeNames, NAME_BYTES, NameChanges, NOTHING } from './sql-names.ts';
import { making } from './state.ts';
import type { Variant } from './statement.ts';
import { emptyStatement, makeVariant, parseMessage, sqlOf, Statement } from './statement.ts';
import type { Tracker } from './tracker.ts';
import type { Traffic } from './traffic.ts';
import type { UnnamedHome, UnnamedSource } from './unnamed.ts';
import { kept, NOBODYS, UnnamedStatement } from './unnamed.ts';

/** A name that no statement ever has. */
const NO_STATEMENT = makeVariant(`${STATEMENT_PREFIX}0`);

/**
 * One session's prepared statements by the names that it gave them. On database connections they have names of ours, which
 * sessions with the same statement share, and are made there when they are first needed (traps PG-80 to PG-95). Messages are
 * passed on with the names exchanged.
 */
export class Statements implements NameDesk, NameBook, UnnamedHome {
  /** What the request at hand is written down in. */
  #desk: Traffic | undefined;
  readonly #tracker: Tracker;
  readonly #most: number;
  #names: Map<string, Statement> | undefined;
  readonly #described = new Described();
  #memory: PostgresMemory;
  /** Where in the chunk something of ours must be put: before the message at hand. */
  #at = 0;
  /** Two names have been given to the same text: only the message at hand tells which of them is meant. */
  #hasSynonyms = false;
  #hadName: WeakSet<Statement> | undefined;
  /** Something of ours has been executed ahead of the batch at hand, or in it. */
  hasExecuted = false;
  /** The client encoding in which the statements were parsed. */
  encoding = '';
  /** The message at hand is a query. */
  #isQuery = false;
  /** The last unknown name that looked like one of ours. */
  #stranger = '';
  ofSession: UnnamedStatement | undefined;

  /** `most`: how many there may be on one database connection. */
  constructor(tracker: Tracker, memory: PostgresMemory, most: number) {
    this.#tracker = tracker;
    this.#memory = memory;
    this.#most = most;
  }

  get ofConnection(): object | undefined {
    return this.#memory.unnamed;
  }

  set ofConnection(unnamed: object | undefined) {
    this.#memory.unnamed = unnamed;
  }

  get ends(): number {
    return this.#open.ledger.hasAnyEnd ? this.#open.ledger.ends : 0;
  }

  attached(memory: PostgresMemory): void {
    this.#memory = memory;
  }

  #goTo({ at, type }: Place): void {
    this.#at = at;
    this.#isQuery = type === frontend.query;
    const { encoding } = this.#tracker;
    if (encoding === this.encoding) return;
    this.encoding = encoding;
    // Their bytes would mean something else where they are made next.
    for (const [name, { isAscii }] of this.#names ?? []) if (!isAscii) this.#names?.delete(name);
  }

  /** Whether an earlier request that has not been answered decides what this name means, and whether that is there. */
  #isInDoubt(name: string): boolean {
    if (this.#open.doubts.areNone) return false;
    if (this.#open.doubts.has(name)) return true;
    const statement = this.#names?.get(name);
    return statement !== undefined && this.#open.doubts.has(this.#variantOf(statement));
  }

  /** A request begins, or goes on elsewhere. */
  sitAt(desk: Traffic | undefined): void {
    this.hasExecuted = false;
    this.#desk = desk;
  }

  get #open(): Traffic {
    return must(this.#desk, 'statements outside of a request');
  }

  get #ownNames(): Map<string, Statement> {
    return (this.#names ??= new Map());
  }

  get isFull(): boolean {
    return (this.#names?.size ?? 0) >= limits.sessionStatements.value;
  }

  /**
   * A whole Parse. Returns false where it must wait: until the database has told whether an earlier one of this name succeeded.
   */
  parse(place: Place, { nameEnd, sqlStart }: ParseMessage, effects: Effects): boolean {
    this.#goTo(place);
    const { bytes, start, end } = place;
    const name = nameIn(bytes, start, nameEnd);
    const known = name === '' ? undefined : this.#names?.get(name);
    if (name !== '' && this.#isInDoubt(name)) return false;
    const exchanged = exchangeNames(effects, bytes, sqlStart, this);
    const { edits } = exchanged;
    if (name === '') {
      const source = { bytes, start: sqlStart, end, effects, exchange: exchanged };
      this.#open.ledger.push(owed.parse, this.#unnamed(source));
      if (edits.length > 0) exchange(this.#open.outbox, place, edits);
      return true;
    }
    const variant =
      known === undefined
        ? this.#parse(place, nameEnd, { sqlStart, effects, exchanged })
        : this.ensure(known);
    // Of a name that is taken the database says so itself, once the text has turned out to be good (trap PG-88).
    if (known !== undefined)
      this.#open.ledger.push(owed.parse, called(bytes, start, nameEnd, exchanged.moves));
    if (variant === undefined) this.#elide(place, name);
    else
      exchange(this.#open.outbox, place, [
        { start, end: nameEnd, to: variant.nameBytes },
        ...edits,
      ]);
    return true;
  }

  /**
   * A Bind, of which the statement's name has arrived. Undefined where it must wait: until it is known that what the client
   * believes to get is what it would get. `isFirst` of its batch: it may be sent again if it fails. `isDescribed`: the client
   * asks next what it gets.
   */
  bind(
    place: Place,
    nameStart: number,
    nameEnd: number,
    isFirst: boolean,
    isDescribed: boolean,
  ): Executed | undefined {
    this.#goTo(place);
    if (nameStart === nameEnd) return this.#bindUnnamed(place, nameStart);
    const name = nameIn(place.bytes, nameStart, nameEnd);
    if (this.#isInDoubt(name)) return undefined;
    const statement = this.#names?.get(name);
    let variant: Variant | undefined;
    let assumption: Assumption | undefined;
    if (statement === undefined) variant = this.stranger(name);
    else {
      if (this.#hasSynonyms || nameEnd - nameStart > NAME_BYTES)
        assumption = called(place.bytes, nameStart, nameEnd, undefined);
      const { prepared, status } = this.#memory;
      const here = this.#variantOf(statement);
      const holds = this.#described.holds(statement, here, prepared, isDescribed);
      if (holds === 'asking') return undefined;
      if (holds === 'unknown' || (holds === 'no' && this.#isOutdated(statement)))
        return this.#ask(statement);
      // It may fail where no transaction is open, and none can be by the time that it arrives.
      const mayFail = isFirst && status === 'I' && !this.#open.ledger.hasAnyEnd;
      if (holds === 'untold' && !mayFail) variant = this.ensure(statement);
      else if (holds !== 'no') variant = this.#there(statement, here);
      else {
        statement.renew();
        variant = NO_STATEMENT;
        assumption = new ChangedResult();
      }
    }
    if (variant !== undefined)
      exchange(this.#open.outbox, place, [
        { start: nameStart, end: nameEnd, to: variant.nameBytes },
      ]);
    this.#open.ledger.push(owed.bind, assumption);
    return statement ?? NOTHING;
  }

  /** A Describe of a statement, whole. Returns false where it must wait. */
  describe(place: Place, nameStart: number, nameEnd: number): boolean {
    this.#goTo(place);
    if (nameStart === nameEnd) {
      if (this.ofSession?.isInDoubt === true) return false;
      this.#makeUnnamed();
      this.#open.ledger.push(owed.describe, this.ofSession?.tell());
      return true;
    }
    const name = nameIn(place.bytes, nameStart, nameEnd);
    if (this.#isInDoubt(name)) return false;
    const statement = this.#names?.get(name);
    const variant = statement === undefined ? this.stranger(name) : this.ensure(statement);
    if (variant !== undefined)
      exchange(this.#open.outbox, place, [
        { start: nameStart, end: nameEnd, to: variant.nameBytes },
      ]);
    this.#open.ledger.push(owed.describe, this.#telling(statement));
    return true;
  }

  /** A Describe of the portal that was bound to this just now, if it was. Clients may ask that but once: pgjdbc. */
  describePortal(bound: Executed | undefined): void {
    const isFirst = bound instanceof Statement && this.#described.isFirstPortal(bound);
    this.#open.ledger.push(owed.describe, isFirst ? this.#telling(bound) : undefined);
  }

  #telling(statement: Statement | undefined): Assumption | undefined {
    if (statement === undefined) return undefined;
    return this.#described.tell(statement, this.#variantOf(statement), this.#memory.prepared);
  }

  /** Whether the client knows what a statement returns, and would take something else for that. */
  isTrusted(executed: Executed, isDescribed: boolean): boolean {
    return executed instanceof Statement
      ? this.#described.trusted(executed, isDescribed) !== undefined
      : this.ofSession?.isTold === true;
  }

  /** A Close: the statement stays on the connection for those who have the same. Returns false where it must wait. */
  close(place: Place, nameStart: number, nameEnd: number): boolean {
    this.#goTo(place);
    if (nameStart === nameEnd) {
      this.#open.ledger.push(owed.close, this.#unnamed(undefined));
      return true;
    }
    const name = nameIn(place.bytes, nameStart, nameEnd);
    if (this.#isInDoubt(name)) return false;
    if (this.#names?.has(name) !== true && this.stranger(name) === undefined) {
      this.#open.ledger.push(owed.close); // the database does not mind (trap PG-86)
      return true;
    }
    this.#open.ledger.push(owed.close, this.remove(name));
    exchange(this.#open.outbox, place, [
      { start: nameStart, end: nameEnd, to: NO_STATEMENT.nameBytes },
    ]);
    return true;
  }

  /** A simple query: it drops the statement without a name. Returns what is assumed. */
  query(place: Place, effects: Effects): Assumption | undefined {
    this.#goTo(place);
    if (effects.names.length > 0) {
      const exchanged = exchangeNames(effects, place.bytes, place.start, this);
      exchange(this.#open.outbox, place, exchanged.edits);
      this.ofSession = undefined;
      this.#memory.unnamed = undefined;
      return new NameChanges(effects.names, exchanged, this);
    }
    if (this.ofSession !== undefined) return this.#unnamed(undefined);
    this.#memory.unnamed = undefined;
    return undefined;
  }

  /** A Parse without a name that is too long to be kept. */
  dropUnnamed(): Assumption {
    return this.#unnamed(undefined);
  }

  /** What is assumed where a portal is executed. */
  execute({ effects, exchange: exchanged }: Executed): Assumption | undefined {
    return effects.names.length === 0 ? undefined : new NameChanges(effects.names, exchanged, this);
  }

  /** The connection is to have no statements but this session's. */
  keepOnlyOwn(at: number): void {
    this.#at = at;
    const own = new Set(
      [...(this.#names?.values() ?? [])].map((statement) => this.#variantOf(statement)),
    );
    for (const variant of this.#memory.prepared.all()) if (!own.has(variant)) this.#evict(variant);
  }

  /** What the client calls a statement of which the database speaks; undefined where it does not know it. */
  clientsNameOf(name: string): string | undefined {
    if (name === NO_STATEMENT.name) return this.#stranger;
    const { callings, privateNames } = this.#open;
    return (
      callingOf(name, privateNames, this.#names ?? []) ?? callingOf(name, privateNames, callings)
    );
  }

  /** What the database has made of a statement holds no longer: all are made anew. */
  renew(): void {
    for (const statement of this.#names?.values() ?? []) statement.renew();
    this.#open.privates.clear();
    this.#memory.unnamed = NOBODYS;
  }

  // ---- names ------------------------------------------------------------------------------------------------------

  find(name: string): Statement | undefined {
    return this.#names?.get(name);
  }

  set(name: string, { statement, variant }: MadeStatement): Change {
    const { prepared, state } = this.#memory;
    this.#ownNames.set(name, statement);
    if (this.#tracker.isUnsettled) this.#open.keepPrivate(statement, variant);
    else statement.adopt(state.planning, variant);
    prepared.add(variant);
    const undo = (): void => {
      prepared.delete(variant);
      this.#forget(name, statement, name);
    };
    return this.#open.doubts.until({ undo }, name, variant);
  }

  remove(name: string | undefined): Change {
    const gone =
      name === undefined ? [...(this.#names ?? [])] : [[name, this.#names?.get(name)] as const];
    const { prepared } = this.#memory;
    const dropped = name === undefined ? prepared.all() : [];
    for (const [one, statement] of gone) {
      this.#names?.delete(one);
      if (statement !== undefined) this.#open.callings.set(one, statement);
    }
    if (name === undefined) prepared.clear();
    const passing = this.#open.passing.get(name ?? '') ?? NO_STATEMENT;
    const hold = (): void => prepared.delete(passing);
    const undo = (): void => {
      for (const [one, statement] of gone)
        if (statement !== undefined && this.#names?.has(one) !== true)
          this.#ownNames.set(one, statement);
      for (const variant of dropped) prepared.add(variant);
    };
    return this.#open.doubts.until({ hold, undo }, ...gone.map(([one]) => one), ...dropped);
  }

  /** The name was not given after all; errors may still speak of it. */
  #forget(name: string, statement: Statement, calling: string): void {
    if (this.#names?.get(name) !== statement) return;
    this.#names?.delete(name);
    this.#open.callings.set(calling, statement);
  }

  newVariant(): Variant {
    this.#makeRoom();
    return makeVariant(this.#memory.realm.name());
  }

  passing(name: string): Variant {
    const variant = makeVariant(this.#memory.realm.name());
    this.#make(emptyStatement, variant);
    this.#open.passing.set(name, variant);
    return variant;
  }

  stranger(name: string): Variant | undefined {
    if (!name.startsWith(STATEMENT_PREFIX)) return undefined;
    this.#stranger = name;
    return NO_STATEMENT;
  }

  /**
   * Makes sure that the statement is on the connection, and no older there than the client's Parse: a table that changed
   * before that is none of the client's affair (trap PG-83).
   */
  ensure(statement: Statement): Variant {
    if (this.#isOutdated(statement)) this.#evict(this.#variantOf(statement));
    return this.#there(statement, this.#variantOf(statement));
  }

  // ---- on the connection ------------------------------------------------------------------------------------------

  #isOutdated(statement: Statement): boolean {
    return this.#described.isOutdated(statement, this.#variantOf(statement), this.#memory.prepared);
  }

  #there(statement: Statement, variant: Variant): Variant {
    if (this.#memory.prepared.use(variant)) return variant;
    this.#makeRoom();
    this.#make(statement, variant);
    return variant;
  }

  /** How the statement is called here and now. Where settings are in doubt, what is parsed now is for nobody else. */
  #variantOf(statement: Statement): Variant {
    const { prepared, state, realm } = this.#memory;
    const { privates } = this.#open;
    const own = privates.size === 0 ? undefined : privates.get(statement);
    if (own !== undefined && prepared.use(own)) return own;
    const shared = statement.variantFor(state.planning, realm);
    const isDoubtful = this.#tracker.isUnsettled || statement.effects.names.length > 0;
    if (!isDoubtful || (prepared.use(shared) && statement.effects.names.length === 0))
      return shared;
    const variant = makeVariant(realm.name());
    this.#open.keepPrivate(statement, variant);
    return variant;
  }

  #make(statement: Statement, variant: Variant): void {
    const { recipe, effects } = statement;
    const { prepared, realm } = this.#memory;
    prepared.add(variant, realm.moment());
    const undo = (): void => prepared.delete(variant);
    const made = (moves: Exchange['moves']): Assumption =>
      this.#open.doubts.until({ undo, moves }, variant);
    if (recipe.kind === 'parse') {
      const exchanged = exchangeNames(effects, recipe.body, 0, this);
      const { edits, moves } = exchanged;
      statement.exchange = exchanged;
      const body =
        edits.length === 0 ? recipe.body : edited(recipe.body, 0, recipe.body.length, edits);
      this.#send(owed.ownParse, parseMessage(variant, body), made(moves));
      return;
    }
    const isAheadOfQuery = this.#isQuery && this.#memory.status === 'I';
    const { sql, moves } = sqlOf(recipe, variant);
    const way = making(sql, isAheadOfQuery ? 'query' : 'other');
    this.hasExecuted ||= !isAheadOfQuery;
    const [make = owed.ownMake, ...more] = way.owed;
    this.#send(make, way.bytes, made(moves));
    for (const code of more) this.#open.ledger.push(code);
    this.#memory.unnamed = NOBODYS;
  }

  #makeRoom(): void {
    const { prepared } = this.#memory;
    while (prepared.size >= this.#most) {
      const { oldest } = prepared;
      if (oldest === undefined) return;
      this.#evict(oldest);
    }
  }

  #evict(variant: Variant): void {
    const { prepared } = this.#memory;
    prepared.delete(variant);
    const assumption = this.#open.doubts.until({ undo: () => prepared.add(variant) }, variant);
    this.#send(owed.ownClose, closeStatement(variant.name), assumption);
  }

  #send(code: number, message: Uint8Array, assumption?: Assumption): void {
    this.#open.outbox.upTo(this.#at);
    this.#open.outbox.put(message);
    this.#open.ledger.push(code, assumption);
  }

  /** A Parse of a name that is free. Returns under which name it goes on; undefined where it need not. */
  #parse(
    { bytes, start, end }: Place,
    nameEnd: number,
    given: { sqlStart: number; effects: Effects; exchanged: Exchange },
  ): Variant | undefined {
    const { sqlStart, effects, exchanged } = given;
    const name = nameIn(bytes, start, nameEnd);
    const calling = latin1(bytes, start, nameEnd);
    const { realm, prepared, state, status } = this.#memory;
    const hasNames = effects.names.length > 0;
    const statement = hasNames
      ? new Statement({ kind: 'parse', body: bytes.slice(sqlStart, end) }, effects)
      : realm.intern(bytes, sqlStart, end, effects);
    this.#hadName ??= new WeakSet();
    this.#hasSynonyms ||= this.#hadName.has(statement);
    this.#hadName.add(statement);
    statement.exchange = exchanged;
    this.#ownNames.set(name, statement);
    this.#described.parsed(statement, realm.moment());
    const shared = statement.variantFor(state.planning, realm);
    const isDoubtful = hasNames || this.#tracker.isUnsettled;
    // In a failed transaction the database must say so; whether this is one may not be known yet.
    const isClear = !isDoubtful && status !== 'E' && !this.#open.ledger.hasAnyEnd;
    if (isClear && prepared.use(shared)) return undefined;
    const variant = isDoubtful || prepared.use(shared) ? makeVariant(realm.name()) : shared;
    if (variant !== shared) this.#open.keepPrivate(statement, variant);
    this.#makeRoom();
    prepared.add(variant, realm.moment());
    const undo = (): void => {
      prepared.delete(variant);
      this.#forget(name, statement, calling);
    };
    const assumption = { undo, moves: exchanged.moves };
    this.#open.ledger.push(owed.parse, this.#open.doubts.until(assumption, name, variant));
    return variant;
  }

  /** It is there already: its answer comes from us, in its turn (trap PG-06). */
  #elide({ at, end }: Place, name: string): void {
    this.#open.outbox.upTo(at);
    this.#open.outbox.resumeAt(end);
    const undo = (): void => void this.#names?.delete(name);
    this.#open.ledger.push(owed.elidedParse, this.#open.doubts.until({ undo }, name));
  }

  #unnamed(source: UnnamedSource | undefined): UnnamedStatement {
    return new UnnamedStatement(source === undefined ? undefined : kept(source), this);
  }

  /** What runs is what this session has prepared without a name, or the database says that there is nothing (trap PG-90). */
  #bindUnnamed(place: Place, nameAt: number): Executed | undefined {
    const unnamed = this.ofSession;
    if (unnamed?.isInDoubt === true) return undefined;
    const isMade = this.#makeUnnamed();
    if (isMade && unnamed?.isTold === true) {
      this.#send(owed.ownDescribe, describeStatement(''), unnamed.compare());
      this.#open.outbox.put(flush());
    }
    if (unnamed?.isComparing === true) return undefined;
    const isChanged = unnamed?.isChanged === true;
    if (isChanged)
      exchange(this.#open.outbox, place, [
        { start: nameAt, end: nameAt, to: NO_STATEMENT.nameBytes },
      ]);
    this.#open.ledger.push(owed.bind, isChanged ? new ChangedResult() : undefined);
    return unnamed?.source ?? NOTHING;
  }

  /** Makes the session's statement without a name on the connection, if it is not there. */
  #makeUnnamed(): boolean {
    const unnamed = this.ofSession;
    if (this.#memory.unnamed === unnamed) return false;
    if (unnamed?.source === undefined) this.#send(owed.ownClose, closeStatement(''));
    else {
      const { bytes, start, end, effects } = unnamed.source;
      const { edits, moves } = exchangeNames(effects, bytes, start, this);
      const body = edited(bytes, start, end, edits);
      const forget: Assumption = { undo: () => void (this.#memory.unnamed = NOBODYS), moves };
      this.#send(owed.ownParse, parseMessage(NO_NAME, body), forget);
    }
    this.#memory.unnamed = unnamed;
    return true;
  }

  /** Asks what the statement returns here. */
  #ask(statement: Statement): undefined {
    const variant = this.ensure(statement);
    const asking = this.#described.compare(statement, variant, this.#memory.prepared);
    this.#send(owed.ownDescribe, describeStatement(variant.name), asking);
    this.#open.outbox.put(flush());
  }
}

const NO_NAME = makeVariant('');
