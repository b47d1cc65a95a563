import { EMPTY } from '../../base/bytes.ts';
import { limits } from '../../base/limits.ts';
import { Violation } from '../../base/assert.ts';
import type { TransactionStatus } from '../../wire/postgres/backend.ts';

/** The parameters that a database has reported, immutable: equal sets are one object, so that comparing is a glance. */
export type ParameterSet = ReadonlyMap<string, string>;

const known = new Map<string, ParameterSet>();
/** There are few different sets; should somebody make many, equal ones may become two: where two differ, look inside. */
const KNOWN_SETS = 1_024;

/** The one object for this set. */
export function intern(parameters: ReadonlyMap<string, string>): ParameterSet {
  const key = JSON.stringify([...parameters].sort(([a], [b]) => (a < b ? -1 : 1)));
  const found = known.get(key);
  if (found !== undefined) return found;
  if (known.size >= KNOWN_SETS) known.clear();
  known.set(key, parameters);
  return parameters;
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
  /** What the parameters were when the connection was fresh, and are again after a reset. */
  initial: ParameterSet;
  /** What they are now. */
  parameters: ParameterSet;
  readonly pid: number;
  /** Empty where the database gave no cancel key (trap PG-28). */
  readonly secret: Uint8Array;
  status: TransactionStatus = 'I';
  /** A message that has not fully arrived and must be looked at as a whole; or a part of a header. */
  held: Uint8Array = EMPTY;
  /** Bytes still to come of a message that is passed on as it arrives. */
  remaining = 0;

  constructor(parts: { parameters: ReadonlyMap<string, string>; pid: number; secret: Uint8Array }) {
    this.initial = intern(parts.parameters);
    this.parameters = this.initial;
    this.pid = parts.pid;
    this.secret = parts.secret;
  }

  /** The database has begun a message and not ended it: what comes next belongs to nobody else. */
  get inMessage(): boolean {
    return this.remaining > 0 || this.held.length > 0;
  }

  /** The database reported a parameter. */
  report(name: string, value: string): void {
    if (this.parameters.get(name) === value) return;
    const parameters = new Map(this.parameters).set(name, value);
    checkCount(parameters);
    this.parameters = intern(parameters);
  }

  /** From here on this is what a fresh connection looks like: after a reset, or when the database changed its configuration. */
  settle(): void {
    this.initial = this.parameters;
  }
}
