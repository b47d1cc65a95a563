import { EMPTY } from '../../base/bytes.ts';
import { Known } from '../../base/known.ts';
import { limits } from '../../base/limits.ts';
import { Violation } from '../../base/assert.ts';
import type { TransactionStatus } from '../../wire/postgres/backend.ts';
import { Realm } from './realm.ts';
import { FRESH } from './state.ts';
import type { SettingsState } from './state.ts';
import { PreparedOnServer } from './statement.ts';

/** The parameters that a database has reported, immutable: equal sets are one object, so that comparing is a glance. */
export type ParameterSet = ReadonlyMap<string, string>;

/** There are few different sets; should somebody make many, equal ones may become two: where two differ, look inside. */
const known = new Known<string, ParameterSet>(1_024);

/** The one object for this set. */
export function intern(parameters: ReadonlyMap<string, string>): ParameterSet {
  const key = JSON.stringify([...parameters].sort(([a], [b]) => (a < b ? -1 : 1)));
  return known.of(key, () => parameters);
}

export function checkCount(parameters: ParameterSet): void {
  if (parameters.size > limits.serverParameters.value) {
    throw new Violation(
      `the database reported more than ${limits.serverParameters.value} parameters`,
    );
  }
}

/** What the engine remembers of one connection to a database. */
export class PostgresMemory {
  readonly realm: Realm;
  readonly pid: number;
  /** Empty where the database gave no cancel key (trap PG-28). */
  readonly secret: Uint8Array;
  /** What the reported parameters are where no session has set them. */
  initial: ParameterSet;
  /** What they are now. */
  parameters: ParameterSet;
  /** What the last session has set on it, as far as it has been sent. */
  state: SettingsState = FRESH;
  /** What the init query has set: sessions begin with it. */
  beginning: SettingsState = FRESH;
  /** What a client is told of the parameters when it signs in. */
  greeting: ParameterSet;
  readonly prepared = new PreparedOnServer();
  /** Whose statement without a name is on it, or `NOBODYS`; undefined where there is none. */
  unnamed: object | undefined;
  /** Whose sequences it knows the last values of: nobody's where undefined. */
  sequencesOf: object | undefined;
  status: TransactionStatus = 'I';
  /** Nobody knows yet what the last session has left on it. */
  unsettled = false;
  /** How many ReadyForQuery will answer requests of our own. */
  ownReadies = 0;
  /** A message that has not fully arrived and must be looked at as a whole; or a part of a header. */
  held: Uint8Array = EMPTY;
  /** Bytes still to come of a message that is passed on as it arrives. */
  remaining = 0;

  constructor(parts: {
    parameters: ReadonlyMap<string, string>;
    pid: number;
    secret: Uint8Array;
    realm?: Realm;
  }) {
    this.initial = intern(parts.parameters);
    this.parameters = this.initial;
    this.greeting = this.initial;
    this.pid = parts.pid;
    this.secret = parts.secret;
    this.realm = parts.realm ?? new Realm();
    this.realm.meet(parts.parameters.get('server_version'));
  }

  /** The database has begun a message and not ended it: what comes next belongs to nobody else. */
  get inMessage(): boolean {
    return this.remaining > 0 || this.held.length > 0;
  }

  /** The database reported a parameter. */
  report(name: string, value: string): void {
    this.parameters = changed(this.parameters, name, value);
  }

  /** The database has changed its configuration: no session's doing. */
  rebase(name: string, value: string): void {
    this.initial = changed(this.initial, name, value);
    if (!this.beginning.values.has(name.toLowerCase()))
      this.greeting = changed(this.greeting, name, value);
  }

  /** All that sessions have done to it is gone. */
  wipe(): void {
    this.initial = this.parameters;
    this.state = FRESH;
    this.prepared.clear();
    this.unnamed = undefined;
    this.sequencesOf = undefined;
    this.unsettled = false;
  }
}

function changed(parameters: ParameterSet, name: string, value: string): ParameterSet {
  if (parameters.get(name) === value) return parameters;
  const next = new Map(parameters).set(name, value);
  checkCount(next);
  return intern(next);
}
