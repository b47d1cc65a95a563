import { Bug, Violation } from '../../src/base/assert.ts';
import { latin1, u16be, utf8 } from '../../src/base/bytes.ts';
import type { Conversation } from '../../src/core/conversation.ts';
import { read, readEnd, send, wait } from '../../src/core/conversation.ts';
import type {
  Capacity,
  Door,
  Engine,
  Entry,
  Fit,
  Gate,
  Principal,
  Relay,
  RelaySink,
} from '../../src/core/engine.ts';
import type { Fault } from '../../src/core/fault.ts';
import { FaultError } from '../../src/core/fault.ts';
import type { PinReason } from '../../src/core/pin.ts';

/** What the toy remembers of a connection: which one it is, in the database's own numbers. */
export interface ToyMemory {
  readonly backend: number;
  /** What was said to get in, for tests of credentials. */
  readonly password: string;
}

/**
 * A protocol of one letter a message. Client: `q` query, `b` begin, `c` commit, `p` does what pins, `u` undoes it, `r` query
 * behind which the session rests, `w` data that belongs to a request, `x` goodbye; anything else is a violation. The relay adds
 * the session's tag, the database answers the pair in capitals, and the client reads the capital alone. `K` answers a cancelled
 * request, `?` one that was refused, `d` is data ahead of an answer, `#` is the last word.
 */
const REQUESTS = 'qbcpur';
const PIN_REASON: PinReason = 'temporaryObject';

/** Logging in: the database answers `+` and its number, or a letter from here. `o` teaches the old dialect. */
export const refusals = {
  c: { name: 'databaseRefused', refusal: 'credentials', detail: 'wrong password' },
  f: { name: 'databaseRefused', refusal: 'final', detail: 'no such database' },
  l: { name: 'databaseRefused', refusal: 'later', detail: 'too many connections' },
  o: { name: 'databaseRefused', refusal: 'again', detail: 'not in this dialect' },
} as const satisfies Record<string, Fault>;

export class ToyEngine implements Engine<ToyMemory, Principal> {
  readonly family = 'POSTGRESQL';
  readonly defaultPort = 1;
  /** Replies that reached a session that had not asked for them. */
  readonly strays: string[] = [];
  readonly relays: ToyRelay[] = [];
  /** Whether a connection can be brought back to its first state. */
  canReset = true;

  /** A letter for the principal, or `k`, a session's number and its secret. */
  *greet(door: Door<ToyMemory, Principal>): Conversation<Entry<ToyMemory, Principal>> {
    const letter = latin1(yield* read(1));
    if (letter === 'k') {
      const key = yield* read(6);
      return { kind: 'cancel', number: u16be(key, 0), secret: key.slice(2) };
    }
    const full = door.admit();
    if (full !== undefined) throw new FaultError(full);
    const who = principal(letter);
    const welcome = yield* wait(() => door.open(who));
    const number = door.cancelNumber;
    const secret = door.random(4);
    yield* send(Uint8Array.of(number >> 8, number & 255, ...secret));
    return { kind: 'session', who, welcome, method: 'toy', secret };
  }

  *enter(gate: Gate<Principal>): Conversation<ToyMemory> {
    const password = gate.password.reveal();
    yield* send(utf8(`enter ${gate.who.poolKey} ${password} ${[...gate.lessons].join('')}`));
    const verdict = latin1(yield* read(1));
    if (verdict === '+') return { backend: (yield* read(1))[0] ?? 0, password };
    if (verdict === 'o') gate.lessons.add('old');
    if (verdict === 'c' || verdict === 'f' || verdict === 'l' || verdict === 'o')
      throw new FaultError(refusals[verdict]);
    throw new Violation('nonsense at login');
  }

  *ping(): Conversation<void> {
    yield* this.#ask('ping');
  }

  *initialise(_memory: ToyMemory, statements: string): Conversation<void> {
    yield* this.#ask(`init ${statements}`);
  }

  *measure(): Conversation<Capacity> {
    yield* this.#ask('measure');
    return { connections: (yield* read(1))[0] ?? 0, product: 'toy' };
  }

  reset(): Conversation<void> | undefined {
    return this.canReset ? this.#ask('reset') : undefined;
  }

  *cancel(memory: ToyMemory): Conversation<void> {
    yield* send(utf8(`cancel ${memory.backend}`));
    yield* readEnd();
  }

  isAcquainted(): boolean {
    return true;
  }

  *acquaint(): Conversation<undefined> {}

  relay(sink: RelaySink): ToyRelay {
    const relay = new ToyRelay(sink, this.relays.length, this.strays);
    this.relays.push(relay);
    return relay;
  }

  /** `n` is a notice and harmless. */
  overhear(_memory: ToyMemory, bytes: Uint8Array): string | undefined {
    const said = latin1(bytes);
    if (said === '!') throw new Violation('nonsense while idle');
    return said === 'n' ? undefined : `an idle database said ${said}`;
  }

  watcher(user: string, database: string | undefined): Principal {
    return { user, poolKey: `${user}@${database ?? ''}` };
  }

  sayFatal(fault: Fault): Uint8Array {
    return utf8(`#${fault.name}`);
  }

  goodbye(): Uint8Array {
    return utf8('goodbye');
  }

  *#ask(question: string): Conversation<void> {
    yield* send(utf8(question));
    const verdict = latin1(yield* read(1));
    if (verdict !== '+') throw new FaultError({ name: 'databaseRefused', detail: 'no' });
  }
}

export function principal(letter: string): Principal {
  return { user: letter, poolKey: letter };
}

export function tagOf(number: number): string {
  return String.fromCharCode(48 + number);
}

class ToyRelay implements Relay<ToyMemory> {
  readonly tag: string;
  readonly #sink: RelaySink;
  readonly #strays: string[];
  #memory: ToyMemory | undefined;
  #owed = '';
  #refused = false;
  #pinned = false;
  #isResting = false;
  inTransaction = false;

  constructor(sink: RelaySink, number: number, strays: string[]) {
    this.tag = tagOf(number);
    this.#sink = sink;
    this.#strays = strays;
  }

  /** All that its future depends on. */
  get state(): string {
    const isAttached = this.#memory !== undefined;
    const flags = [isAttached, this.#refused, this.#pinned, this.#isResting, this.inTransaction];
    return this.#owed + flags.map(Number).join('');
  }

  get quiet(): boolean {
    return this.#owed === '';
  }

  get tidy(): boolean {
    return true;
  }

  fit(): Fit {
    return 'as wanted';
  }

  relax(): void {
    if (this.#isResting) this.#boundary();
  }

  cancel(): boolean {
    return !this.quiet;
  }

  attached(memory: ToyMemory): void {
    if (this.#memory !== undefined) throw new Bug('attached twice');
    this.#memory = memory;
  }

  fromClient(bytes: Uint8Array): number {
    const letters = latin1(bytes);
    for (let at = 0; at < letters.length; at += 1) {
      const letter = letters.charAt(at);
      if (letter === 'w') {
        const end = at + (/^w+/.exec(letters.slice(at))?.[0].length ?? 0);
        if (this.#owed !== '') this.#sink.toServer(bytes.subarray(at, end));
        at = end - 1;
        continue;
      }
      if (letter === 'x') {
        this.#sink.finish();
        return bytes.length;
      }
      if (!REQUESTS.includes(letter)) throw new Violation(`no such request: ${letter}`);
      if (this.#refused) {
        this.#refused = false;
        continue;
      }
      if (!this.#sink.wantServer()) return at;
      this.#sink.request();
      this.#isResting = false;
      this.#owed += letter;
      this.#sink.toServer(utf8(letter + this.tag));
    }
    return bytes.length;
  }

  fromServer(bytes: Uint8Array): void {
    const said = latin1(bytes);
    let letters = '';
    for (let at = 0; at < said.length; at += 2) {
      this.#reply(said.charAt(at), said.charAt(at + 1));
      letters += said.charAt(at);
    }
    this.#sink.toClient(utf8(letters));
    if (this.#owed !== '' || this.inTransaction || this.#memory === undefined) return;
    if (this.#isResting) this.#sink.rest();
    else this.#boundary();
  }

  refuse(): void {
    this.#refused = true;
    this.#sink.toClient(utf8('?'));
  }

  lost(): Uint8Array {
    return utf8('#');
  }

  #boundary(): void {
    this.#isResting = false;
    if (!this.#pinned) this.#memory = undefined;
    this.#sink.boundary();
  }

  #reply(letter: string, tag: string): void {
    if (tag !== this.tag) this.#strays.push(`session ${this.tag} heard ${letter}${tag}`);
    if (letter === 'd') return;
    const asked = this.#owed.charAt(0);
    if (letter !== 'K' && letter !== asked.toUpperCase()) throw new Violation(`${letter} unasked`);
    this.#owed = this.#owed.slice(1);
    if (letter === 'B') this.inTransaction = true;
    if (letter === 'C') this.inTransaction = false;
    if (letter === 'P') this.#pin();
    if (letter === 'U') this.#unpin();
    if (letter === 'R') this.#isResting = true;
  }

  #pin(): void {
    this.#pinned = true;
    this.#sink.pin(PIN_REASON, 'p');
  }

  #unpin(): void {
    this.#pinned = false;
    this.#sink.unpin(PIN_REASON);
  }
}
