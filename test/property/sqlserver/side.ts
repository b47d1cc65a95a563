import { packetStatus } from '../../../src/wire/tds/packets.ts';
import { PeerGone } from '../../support/byte-queue.ts';
import { foreignTo, Leak } from '../outcome.ts';
import type { TdsTalker } from './client.ts';
import type { Reply } from './reply.ts';
import type { Command, Speaker } from './steps.ts';

/** Which of the two a session is: what all sessions of a server share is named by it. */
export type SideName = 'sided' | 'sidep';

export interface Answer {
  /** Of all replies, one behind the other. */
  readonly lines: readonly string[];
  readonly errors: readonly number[];
  /** The other side has closed. */
  readonly ended: boolean;
}

/** A handle that nobody has. */
const NO_HANDLE = 999;

/** What differs between any two sessions, wherever it comes. */
const masks: readonly (readonly [RegExp, string])[] = [
  [/_side[dp]\b/g, '_side'],
  // Handles are the proxy's own; so are the words by which it says that there is none.
  [/^error 8179 .*/, 'error 8179'],
  [/(cursor identifier value provided )\([\da-f]+\)/g, '$1(N)'],
  [/Process ID \d+/g, 'Process ID N'],
  // What nobody has named gets a name that is never the same.
  [/\bPK__\w+/g, 'PK__'],
];

/** A client of one of the two, which knows what its statements are called there. */
export class Side implements Speaker {
  readonly client: TdsTalker;
  readonly #name: SideName;
  readonly #handles = new Map<string, number>();
  /** What must never be met. */
  readonly #foreign: RegExp;

  constructor(client: TdsTalker, side: SideName, life: string) {
    this.client = client;
    this.#name = side;
    this.#foreign = foreignTo(life);
  }

  get transaction(): bigint {
    return this.client.transaction;
  }

  get version(): number {
    return this.client.version;
  }

  readonly handle = (name: string): number => this.#handles.get(name) ?? NO_HANDLE;

  readonly text = (sql: string): string => sql.replaceAll('$side', this.#name);

  /** Says one after the other, in pieces that are cut at these thousandths, and reads each answer. */
  async exchange(commands: readonly Command[], cuts: readonly number[] = []): Promise<Answer> {
    const lines: string[] = [];
    const errors: number[] = [];
    let hasFailed = false;
    try {
      for (const command of commands) {
        if (command.isSequel === true && hasFailed) continue;
        await this.#send(this.bytesOf(command), cuts);
        const reply = await this.hear();
        lines.push(...this.told(reply, command.names));
        errors.push(...reply.errors);
        hasFailed = reply.errors.length > 0;
        if (command.status !== undefined) this.#handles.clear(); // a reset, of whichever kind
        if (command.status === packetStatus.resetConnection) this.#begins(reply);
        this.#remember(reply, command.names);
      }
    } catch (problem) {
      if (!(problem instanceof PeerGone)) throw problem;
      return { lines, errors, ended: true };
    }
    return { lines, errors, ended: false };
  }

  /** With the reset the transaction is over that was before it. */
  #begins({ transaction = 0n, isInTransaction }: Reply): void {
    this.client.transaction = transaction;
    this.client.inTransaction = isInTransaction || transaction !== 0n;
  }

  async #send(bytes: Uint8Array, cuts: readonly number[]): Promise<void> {
    let at = 0;
    const ends = cuts.map((part) => Math.ceil((bytes.length * part) / 1_000));
    for (const end of [...ends, bytes.length]) {
      if (at > 0) await new Promise(setImmediate);
      if (end > at) this.client.socket.send(bytes.subarray(at, end));
      at = end;
    }
  }

  bytesOf({ type, payload, status }: Command): Uint8Array {
    return this.client.packets(type, payload(this), status);
  }

  async hear(): Promise<Reply> {
    const reply = await this.client.hear();
    for (const line of reply.lines) this.watch(line);
    return reply;
  }

  /** The lines, masked. The first that give something back are handles. */
  told({ lines }: Reply, names: readonly string[] = []): readonly string[] {
    let left = names.length;
    return lines.map((line, at) => {
      if (lines[at - 1]?.startsWith('error 8179 ') === true)
        return line.replace(/^(done \w+ \w+) \d+/, '$1');
      const isHandle = line.startsWith('returns ') && left > 0;
      if (isHandle) left -= 1;
      const plain = isHandle ? line.replace(/-?\d+$/, 'handle') : line;
      return masks.reduce((text, [what, by]) => text.replace(what, by), plain);
    });
  }

  #remember({ returned }: Reply, names: readonly string[] = []): void {
    for (const [at, name] of names.entries()) {
      const handle = returned[at];
      if (handle === undefined || handle === 0) this.#handles.delete(name);
      else this.#handles.set(name, handle);
    }
  }

  /** Throws where this has a text in it that is another life's. */
  watch(text: string): void {
    const [found] = this.#foreign.exec(text) ?? [];
    if (found !== undefined) throw new Leak(`it got ${found}, which is somebody else's`);
  }
}
