import type { Link, LinkHandler } from '../../src/core/link.ts';
import { backend, bytesOf, i16, message } from '../../test/support/messages.ts';

const HEADER_BYTES = 5;
const [DESCRIBE = 0, QUERY = 0, STATEMENT = 0, SYNC = 0] = Buffer.from('DQSS');
const deaf: LinkHandler = { data() {}, drained() {}, closed() {} };

/** Those who have something to say, in the order in which it came about, as a poll of sockets reports them. */
export class Poll {
  /** That all clients together have had. */
  answers = 0;
  #ready: Peer[] = [];

  add(peer: Peer): void {
    this.#ready.push(peer);
  }

  /** Lets all speak who were ready; false where there were none. */
  turn(): boolean {
    const ready = this.#ready;
    this.#ready = [];
    for (const peer of ready) peer.speak();
    return ready.length > 0;
  }
}

export interface Peer {
  readonly link: Link;
  hear(bytes: Uint8Array): void;
  speak(): void;
}

/** The proxy's end of a connection in memory. It is never full, and ends with the benchmark. */
export class MemoryLink implements Link {
  handler: LinkHandler = deaf;
  readonly queuedBytes = 0;
  readonly peer = 'memory';
  readonly tlsVersion = undefined;
  readonly isOpen = true;
  readonly #far: Pick<Peer, 'hear'>;

  constructor(far: Pick<Peer, 'hear'>) {
    this.#far = far;
  }

  write(bytes: Uint8Array): void {
    this.#far.hear(bytes);
  }

  keepAlive(): void {}
  pause(): void {}
  resume(): void {}
  end(): void {}
  destroy(): void {}
}

/** A client that asks again as soon as it has been answered. */
export class ClientPeer implements Peer {
  readonly link = new MemoryLink(this);
  #answers = 0;
  readonly #poll: Poll;
  readonly #next: (answers: number) => Uint8Array;
  readonly #isEnd: (bytes: Uint8Array) => boolean;

  /**
   * @param next what it says after so many answers
   * @param isEnd whether what has come is the end of an answer, or all of it
   */
  constructor(
    poll: Poll,
    next: (answers: number) => Uint8Array,
    isEnd: (bytes: Uint8Array) => boolean,
  ) {
    this.#poll = poll;
    this.#next = next;
    this.#isEnd = isEnd;
    poll.add(this);
  }

  hear(bytes: Uint8Array): void {
    if (!this.#isEnd(bytes)) return;
    this.#answers += 1;
    this.#poll.answers += 1;
    this.#poll.add(this);
  }

  speak(): void {
    this.link.handler.data(arrived(this.#next(this.#answers)));
  }
}

/** A database that answers at once, with one small row. It reads messages no further than it must to know what it owes. */
export class ServerPeer implements Peer {
  readonly link = new MemoryLink(this);
  readonly #poll: Poll;
  #answers: Uint8Array[] = [];
  /** The messages since the last Sync by type, and a number that stands for them. */
  #types: number[] = [];
  #key = 0;
  /** Still to come of a message. */
  #remaining = 0;

  constructor(poll: Poll) {
    this.#poll = poll;
  }

  hear(bytes: Uint8Array): void {
    let at = this.#remaining;
    while (at < bytes.length) {
      if (at + HEADER_BYTES > bytes.length) throw new Error('a write ended inside a header');
      const type = bytes[at] ?? 0;
      this.#note(type === DESCRIBE && bytes[at + HEADER_BYTES] === STATEMENT ? -type : type);
      at += 1 + lengthAt(bytes, at + 1);
      if (type === SYNC || type === QUERY) this.#answer();
    }
    this.#remaining = at - bytes.length;
  }

  speak(): void {
    const answers = this.#answers;
    this.#answers = [];
    const [only] = answers;
    if (answers.length === 1 && only !== undefined) this.link.handler.data(arrived(only));
    else this.link.handler.data(Buffer.concat(answers));
  }

  #note(type: number): void {
    this.#types.push(type);
    this.#key = (Math.imul(this.#key, 131) + type) | 0;
  }

  #answer(): void {
    let answer = known.get(this.#key);
    if (answer === undefined) {
      answer = Buffer.concat(this.#types.map(answerTo));
      known.set(this.#key, answer);
    }
    this.#types = [];
    this.#key = 0;
    if (this.#answers.length === 0) this.#poll.add(this);
    this.#answers.push(answer);
  }
}

/** Answers to runs of messages: there are only a few kinds. */
const known = new Map<number, Uint8Array>();

const description = backend.rowDescription('abalance');
const row = bytesOf(backend.dataRow('0'), backend.complete('SELECT 1'));

function answerTo(type: number): Uint8Array {
  if (type === -DESCRIBE) return bytesOf(message('t', i16(0)), description);
  switch (String.fromCharCode(type)) {
    case 'P':
      return message('1');
    case 'B':
      return message('2');
    case 'C':
      return message('3');
    case 'D':
      return description;
    case 'E':
      return row;
    case 'Q':
      return bytesOf(description, row, backend.ready());
    case 'S':
      return backend.ready();
    default:
      return new Uint8Array(0);
  }
}

/** As from a socket: bytes of which nobody has made a view or a string before. */
export function arrived(bytes: Uint8Array): Uint8Array {
  // No view, as a `Buffer`'s slice is: what is exchanged in it must not stay there.
  return new Uint8Array(bytes);
}

function lengthAt(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at] ?? 0) << 24) |
    ((bytes[at + 1] ?? 0) << 16) |
    ((bytes[at + 2] ?? 0) << 8) |
    (bytes[at + 3] ?? 0)
  );
}
