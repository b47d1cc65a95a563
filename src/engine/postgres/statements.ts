import { latin1 } from '../../base/bytes.ts';
import { limits } from '../../base/limits.ts';
import { closeStatement, describeStatement, flush } from '../../wire/postgres/frontend.ts';
import { Described } from './described.ts';
import { ChangedResult } from './description.ts';
import type { ParseMessage } from '../../wire/postgres/frontend-read.ts';
import type { Effects } from './effects.ts';
import { NO_EFFECTS } from './effects.ts';
import type { Assumption, Ledger } from './ledger.ts';
import { owed } from './ledger.ts';
import type { PostgresMemory } from './memory.ts';
import type { Outbox } from './outbox.ts';
import type { Place } from './place.ts';
import { exchange } from './place.ts';
import { STATEMENT_PREFIX } from './realm.ts';
import type { Edit, MadeStatement, MadeStatements, NameBook, NameDesk } from './sql-names.ts';
import { edited, exchangeNames, NameChanges } from './sql-names.ts';
import { run } from './state.ts';
import type { Variant } from './statement.ts';
import { makeVariant, parseMessage, sqlOf, Statement } from './statement.ts';
import type { Tracker } from './tracker.ts';
import type { UnnamedHome, UnnamedSource } from './unnamed.ts';
import { UnnamedStatement } from './unnamed.ts';

/** A name that no statement ever has, and one that is given only to be taken away again. */
const NO_STATEMENT = makeVariant(`${STATEMENT_PREFIX}0`);
const PASSING = makeVariant(`${STATEMENT_PREFIX}00`);
/** An empty text without parameters: it can be parsed even in a failed transaction. */
const EMPTY_BODY = Uint8Array.of(0, 0, 0);

/** What a portal executes. */
export interface Executed {
  readonly effects: Effects;
  readonly made: MadeStatements | undefined;
}

/**
 * One session's prepared statements by the names that it gave them. On database connections they have names of ours, which
 * sessions with the same statement share, and are made there when they are first needed (traps PG-80 to PG-95). Messages are
 * passed on with the names exchanged.
 */
export class Statements implements NameDesk, NameBook, UnnamedHome {
  readonly #ledger: Ledger;
  readonly #outbox: Outbox;
  readonly #tracker: Tracker;
  readonly #most: number;
  readonly #names = new Map<string, Statement>();
  /** Statements that were made while settings were in doubt, under names of their own, up to the request's end. */
  readonly #private = new Map<Statement, Variant>();
  readonly #described = new Described();
  #memory: PostgresMemory;
  /** Where in the chunk something of ours must be put: before the message at hand. */
  #at = 0;
  /** The last unknown name that looked like one of ours. */
  #stranger = '';
  ofSession: UnnamedStatement | undefined;

  constructor(parts: {
    ledger: Ledger;
    outbox: Outbox;
    tracker: Tracker;
    memory: PostgresMemory;
    /** How many there may be on one database connection. */
    most: number;
  }) {
    this.#ledger = parts.ledger;
    this.#outbox = parts.outbox;
    this.#tracker = parts.tracker;
    this.#memory = parts.memory;
    this.#most = parts.most;
  }

  get ofConnection(): object | undefined {
    return this.#memory.unnamed;
  }

  set ofConnection(unnamed: object | undefined) {
    this.#memory.unnamed = unnamed;
  }

  attached(memory: PostgresMemory): void {
    this.#memory = memory;
  }

  /** The request is over. */
  endRequest(): void {
    if (this.#private.size > 0) this.#private.clear();
  }

  get isFull(): boolean {
    return this.#names.size >= limits.sessionStatements.value;
  }

  /**
   * A whole Parse. Returns false where it must wait: until the database has told whether an earlier one of this name succeeded.
   */
  parse(place: Place, { nameEnd, sqlStart }: ParseMessage, effects: Effects): boolean {
    this.#at = place.at;
    const { bytes, start, end } = place;
    const name = latin1(bytes, start, nameEnd);
    const known = name === '' ? undefined : this.#names.get(name);
    if (known !== undefined && this.#ledger.hasAnyEnd) return false;
    const { edits, made } = this.#exchangeNames(effects, bytes, sqlStart);
    if (name === '') {
      this.#ledger.push(owed.parse, this.#unnamed({ bytes, start: sqlStart, end, effects, made }));
      if (edits.length > 0) exchange(this.#outbox, place, edits);
      return true;
    }
    const variant =
      known === undefined ? this.#parse(place, name, sqlStart, effects) : this.ensure(known);
    // Of a name that is taken the database says so itself, once the text has turned out to be good (trap PG-88).
    if (known !== undefined) this.#ledger.push(owed.parse);
    if (variant === undefined) this.#elide(place, name);
    else exchange(this.#outbox, place, [{ start, end: nameEnd, to: variant.nameBytes }, ...edits]);
    return true;
  }

  /**
   * A Bind, of which the statement's name has arrived. Undefined where it must wait: until it is known that what the client
   * believes to get is what it would get.
   */
  bind(place: Place, nameStart: number, nameEnd: number): Executed | undefined {
    this.#at = place.at;
    if (nameStart === nameEnd) return this.#bindUnnamed(place, nameStart);
    const name = latin1(place.bytes, nameStart, nameEnd);
    const statement = this.#names.get(name);
    let variant: Variant | undefined;
    let assumption: Assumption | undefined;
    if (statement === undefined) variant = this.stranger(name);
    else {
      const holds = this.#described.holds(
        statement,
        this.#variantOf(statement),
        this.#memory.prepared,
      );
      if (holds === 'asking') return undefined;
      if (holds === 'unknown') return this.#ask(statement);
      if (holds === 'yes') variant = this.ensure(statement);
      else {
        statement.renew();
        variant = NO_STATEMENT;
        assumption = new ChangedResult();
      }
    }
    if (variant !== undefined)
      exchange(this.#outbox, place, [{ start: nameStart, end: nameEnd, to: variant.nameBytes }]);
    this.#ledger.push(owed.bind, assumption);
    return statement ?? NOTHING;
  }

  /** A Describe of a statement, whole. */
  describe(place: Place, nameStart: number, nameEnd: number): void {
    this.#at = place.at;
    if (nameStart === nameEnd) {
      this.#makeUnnamed();
      this.#ledger.push(owed.describe, this.ofSession?.tell());
      return;
    }
    const name = latin1(place.bytes, nameStart, nameEnd);
    const statement = this.#names.get(name);
    const variant = statement === undefined ? this.stranger(name) : this.ensure(statement);
    if (variant !== undefined)
      exchange(this.#outbox, place, [{ start: nameStart, end: nameEnd, to: variant.nameBytes }]);
    const asks = statement !== undefined && variant !== undefined;
    const { prepared } = this.#memory;
    this.#ledger.push(
      owed.describe,
      asks ? this.#described.tell(statement, variant, prepared) : undefined,
    );
  }

  /** Whether the client knows what a statement returns, and would take something else for that. */
  isTrusted(executed: Executed): boolean {
    return executed instanceof Statement
      ? this.#described.has(executed)
      : this.ofSession?.isTold === true;
  }

  /** A Close: the statement stays on the connection for those who have the same. */
  close(place: Place, nameStart: number, nameEnd: number): void {
    this.#at = place.at;
    if (nameStart === nameEnd) {
      this.#ledger.push(owed.close, this.#unnamed(undefined));
      return;
    }
    const name = latin1(place.bytes, nameStart, nameEnd);
    if (!this.#names.has(name) && this.stranger(name) === undefined) {
      this.#ledger.push(owed.close); // the database does not mind (trap PG-86)
      return;
    }
    this.#ledger.push(owed.close, { undo: this.remove(name) });
    exchange(this.#outbox, place, [{ start: nameStart, end: nameEnd, to: NO_STATEMENT.nameBytes }]);
  }

  /** A simple query: it drops the statement without a name. Returns what is assumed. */
  query(place: Place, effects: Effects): Assumption | undefined {
    this.#at = place.at;
    if (effects.names.length > 0) {
      const { edits, made } = this.#exchangeNames(effects, place.bytes, place.start);
      exchange(this.#outbox, place, edits);
      this.ofSession = undefined;
      this.#memory.unnamed = undefined;
      return new NameChanges(effects.names, made, this);
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
  execute({ effects, made }: Executed): Assumption | undefined {
    return effects.names.length === 0 ? undefined : new NameChanges(effects.names, made, this);
  }

  /** The connection is to have no statements but this session's. */
  keepOnlyOwn(at: number): void {
    this.#at = at;
    const own = new Set([...this.#names.values()].map((statement) => this.#variantOf(statement)));
    for (const variant of this.#memory.prepared.all()) if (!own.has(variant)) this.#evict(variant);
  }

  /** What the client calls a statement of which the database speaks; undefined where it does not know it. */
  clientsNameOf(name: string): string | undefined {
    if (name === NO_STATEMENT.name) return this.#stranger;
    for (const [own, statement] of this.#names) {
      if (statement.isCalled(name) || this.#private.get(statement)?.name === name) return own;
    }
    return undefined;
  }

  /** What the database has made of a statement holds no longer: all are made anew. */
  renew(): void {
    for (const statement of this.#names.values()) statement.renew();
    this.#private.clear();
    this.#memory.unnamed = FOREIGN;
  }

  // ---- names ------------------------------------------------------------------------------------------------------

  find(name: string): Statement | undefined {
    return this.#names.get(name);
  }

  set(name: string, { statement, variant }: MadeStatement): void {
    this.#names.set(name, statement);
    if (this.#tracker.isUnsettled) this.#private.set(statement, variant);
    else statement.adopt(this.#memory.state.planning, variant);
    this.#memory.prepared.add(variant);
  }

  unset(name: string, { statement, variant }: MadeStatement): void {
    if (this.#names.get(name) === statement) this.#names.delete(name);
    this.#memory.prepared.delete(variant);
  }

  remove(name: string | undefined): () => void {
    const gone = name === undefined ? [...this.#names] : [[name, this.#names.get(name)] as const];
    const { prepared } = this.#memory;
    const dropped = name === undefined ? prepared.all() : [];
    for (const [one] of gone) this.#names.delete(one);
    if (name === undefined) prepared.clear();
    return () => {
      for (const [one, statement] of gone)
        if (statement !== undefined && !this.#names.has(one)) this.#names.set(one, statement);
      for (const variant of dropped) prepared.add(variant);
    };
  }

  newVariant(): Variant {
    this.#makeRoom();
    return makeVariant(this.#memory.realm.name());
  }

  passing(): Variant {
    this.#send(owed.ownParse, parseMessage(PASSING, EMPTY_BODY));
    return PASSING;
  }

  stranger(name: string): Variant | undefined {
    if (!name.startsWith(STATEMENT_PREFIX)) return undefined;
    this.#stranger = name;
    return NO_STATEMENT;
  }

  /** Makes sure that the statement is on the connection. */
  ensure(statement: Statement): Variant {
    const variant = this.#variantOf(statement);
    if (this.#memory.prepared.use(variant)) return variant;
    this.#makeRoom();
    this.#make(statement, variant);
    return variant;
  }

  // ---- on the connection ------------------------------------------------------------------------------------------

  /** How the statement is called here and now. Where settings are in doubt, what is parsed now is for nobody else. */
  #variantOf(statement: Statement): Variant {
    const { prepared, state, realm } = this.#memory;
    const own = this.#private.get(statement);
    if (own !== undefined && prepared.use(own)) return own;
    const shared = statement.variantFor(state.planning, () => realm.name());
    const isDoubtful = this.#tracker.isUnsettled || statement.effects.names.length > 0;
    if (!isDoubtful || (prepared.use(shared) && statement.effects.names.length === 0))
      return shared;
    const variant = makeVariant(realm.name());
    this.#private.set(statement, variant);
    return variant;
  }

  #make(statement: Statement, variant: Variant): void {
    const { recipe, effects } = statement;
    const { prepared } = this.#memory;
    prepared.add(variant);
    const undo: Assumption = { undo: () => prepared.delete(variant) };
    if (recipe.kind === 'parse') {
      const { edits } = this.#exchangeNames(effects, recipe.body, 0);
      const body =
        edits.length === 0 ? recipe.body : edited(recipe.body, 0, recipe.body.length, edits);
      this.#send(owed.ownParse, parseMessage(variant, body), undo);
      return;
    }
    this.#send(owed.ownMake, run([latin1(sqlOf(recipe, variant))]), undo);
    this.#memory.unnamed = undefined;
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
    this.#send(owed.ownClose, closeStatement(variant.name), { undo: () => prepared.add(variant) });
  }

  #send(code: number, message: Uint8Array, assumption?: Assumption): void {
    this.#outbox.upTo(this.#at);
    this.#outbox.put(message);
    this.#ledger.push(code, assumption);
  }

  /** A Parse of a name that is free. Returns under which name it goes on; undefined where it need not. */
  #parse(place: Place, name: string, sqlStart: number, effects: Effects): Variant | undefined {
    const { bytes, end } = place;
    const { realm, prepared, state, status } = this.#memory;
    const hasNames = effects.names.length > 0;
    const statement = hasNames
      ? new Statement({ kind: 'parse', body: bytes.slice(sqlStart, end) }, effects)
      : realm.intern(bytes, sqlStart, end, effects);
    this.#names.set(name, statement);
    const shared = statement.variantFor(state.planning, () => realm.name());
    const isDoubtful = hasNames || this.#tracker.isUnsettled;
    // In a failed transaction the database must say so; whether this is one may not be known yet.
    const isClear = !isDoubtful && status !== 'E' && !this.#ledger.hasAnyEnd;
    if (isClear && prepared.use(shared)) return undefined;
    const variant = isDoubtful || prepared.use(shared) ? makeVariant(realm.name()) : shared;
    if (variant !== shared) this.#private.set(statement, variant);
    this.#makeRoom();
    prepared.add(variant);
    this.#ledger.push(owed.parse, {
      undo: () => {
        prepared.delete(variant);
        if (this.#names.get(name) === statement) this.#names.delete(name);
      },
    });
    return variant;
  }

  /** It is there already: its answer comes from us, in its turn (trap PG-06). */
  #elide({ at, end }: Place, name: string): void {
    this.#outbox.upTo(at);
    this.#outbox.resumeAt(end);
    this.#ledger.push(owed.elidedParse, { undo: () => void this.#names.delete(name) });
  }

  #unnamed(source: UnnamedSource | undefined): UnnamedStatement {
    return new UnnamedStatement(source === undefined ? undefined : kept(source), this);
  }

  /** What runs is what this session has prepared without a name, or the database says that there is nothing (trap PG-90). */
  #bindUnnamed(place: Place, nameAt: number): Executed | undefined {
    const unnamed = this.ofSession;
    const isMade = this.#makeUnnamed();
    if (isMade && unnamed?.isTold === true) {
      this.#send(owed.ownDescribe, describeStatement(''), unnamed.compare());
      this.#outbox.put(flush());
    }
    if (unnamed?.isComparing === true) return undefined;
    const isChanged = unnamed?.isChanged === true;
    if (isChanged)
      exchange(this.#outbox, place, [{ start: nameAt, end: nameAt, to: NO_STATEMENT.nameBytes }]);
    this.#ledger.push(owed.bind, isChanged ? new ChangedResult() : undefined);
    return unnamed?.source ?? NOTHING;
  }

  /** Makes the session's statement without a name on the connection, if it is not there. */
  #makeUnnamed(): boolean {
    const unnamed = this.ofSession;
    if (this.#memory.unnamed === unnamed) return false;
    if (unnamed?.source === undefined) this.#send(owed.ownClose, closeStatement(''));
    else {
      const { bytes, start, end, effects } = unnamed.source;
      const { edits } = this.#exchangeNames(effects, bytes, start);
      const body = edited(bytes, start, end, edits);
      const forget: Assumption = { undo: () => void (this.#memory.unnamed = FOREIGN) };
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
    this.#outbox.put(flush());
  }

  #exchangeNames(
    effects: Effects,
    bytes: Uint8Array,
    textStart: number,
  ): ReturnType<typeof exchangeNames> {
    return effects.names.length === 0
      ? NO_EXCHANGE
      : exchangeNames(effects, bytes, textStart, this);
  }
}

const NO_NAME = makeVariant('');
const NOTHING: Executed = { effects: NO_EFFECTS, made: undefined };
const NO_EXCHANGE: { readonly edits: readonly Edit[]; readonly made: undefined } = {
  edits: [],
  made: undefined,
};
/** A statement without a name that is nobody's. */
const FOREIGN = {};
/** What a session may hold on to of a chunk, rather than copy what it needs. */
const KEPT_CHUNK_BYTES = 1_024;

/** The source as it may be kept: chunks belong to whoever has received them. */
function kept(source: UnnamedSource): UnnamedSource {
  const { bytes, start, end } = source;
  if (bytes.length <= KEPT_CHUNK_BYTES) return source;
  return { ...source, bytes: bytes.slice(start, end), start: 0, end: end - start };
}
