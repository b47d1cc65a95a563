import { concat, EMPTY } from '../../base/bytes.ts';
import { parameterStatus } from '../../wire/postgres/backend.ts';
import { readParameterStatus } from '../../wire/postgres/backend-read.ts';
import type { ParameterSet, PostgresMemory } from './memory.ts';
import { intern } from './memory.ts';
import type { Tracker } from './tracker.ts';

/** Encodings in which a byte of a character can look like a quote or a backslash: what pins cannot be told from the text. */
const AMBIGUOUS_ENCODINGS: readonly string[] = [
  'SJIS',
  'BIG5',
  'GBK',
  'GB18030',
  'UHC',
  'JOHAB',
  'SHIFT_JIS_2004',
];

/** What a client has been told of the database's parameters: it hears of changes, and of nothing that it knows already. */
export class Parameters {
  readonly #tracker: Tracker;
  /** What the client was told when it signed in. */
  readonly #greeting: ParameterSet;
  #told: ParameterSet;

  constructor(tracker: Tracker, greeting: ParameterSet) {
    this.#tracker = tracker;
    this.#greeting = greeting;
    this.#told = greeting;
    this.#checkReadable();
  }

  /** The database reports a parameter. Returns whether the client must hear it. */
  hear(memory: PostgresMemory, body: Uint8Array): boolean {
    const { name, value } = readParameterStatus(body);
    memory.report(name, value);
    if (this.#told.get(name) === value) return false;
    if (this.#tracker.hasLost(name.toLowerCase())) return false; // it is about to be brought back
    this.#tracker.reported(name);
    this.#told = intern(new Map(this.#told).set(name, value));
    this.#checkReadable();
    return true;
  }

  /**
   * What the client must be told at the end of its request. The database reports only what is otherwise than at the end of the
   * one before: where we have set something just ahead, and the request has set it back, it says nothing.
   */
  newsOfRequest(memory: PostgresMemory): Uint8Array {
    if (memory.parameters !== this.#told && !this.#tracker.hasLostDefaults) {
      for (const [name, value] of memory.parameters)
        if (this.#told.get(name) !== value) this.#tracker.reported(name);
    }
    return this.news(memory);
  }

  /** What the client must be told so that it knows the connection's parameters. */
  news(memory: PostgresMemory): Uint8Array {
    const tracker = this.#tracker;
    if (!tracker.hasLostDefaults)
      return memory.parameters === this.#told ? EMPTY : this.#tell(memory.parameters);
    // What RESET has brought the session back to is told as if it were there already, unless it was undone.
    const isUndone = memory.status === 'E' || (memory.status === 'I' && tracker.isDisturbed);
    if (isUndone) return EMPTY;
    const expected = new Map(memory.parameters);
    for (const [name, value] of this.#greeting) {
      if (tracker.hasLost(name.toLowerCase())) expected.set(name, value);
    }
    return this.#tell(intern(expected));
  }

  #tell(parameters: ParameterSet): Uint8Array {
    const news = [...parameters].filter(([name, value]) => this.#told.get(name) !== value);
    this.#told = parameters;
    this.#checkReadable();
    return concat(news.map(([name, value]) => parameterStatus(name, value)));
  }

  /** Nobody can tell what statements do that cannot be read. */
  #checkReadable(): void {
    const encoding = this.#told.get('client_encoding') ?? '';
    this.#tracker.encoding = encoding;
    if (AMBIGUOUS_ENCODINGS.includes(encoding))
      this.#tracker.pin('hiddenState', `client_encoding is ${encoding}`);
    if (this.#told.get('standard_conforming_strings') === 'off')
      this.#tracker.pin('hiddenState', 'standard_conforming_strings is off');
  }
}
