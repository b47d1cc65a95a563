import { PeerGone } from '../../support/byte-queue.ts';
import type { Heard, MysqlClient, ReplyShape } from '../../support/mysql-client.ts';
import { remember, tell } from '../../support/mysql-differential.ts';
import { packet } from '../../../src/wire/mysql/framing.ts';
import { foreignTo, Leak } from '../outcome.ts';
import { changesIn, lastStatus } from './answers.ts';
import type { Answer } from './answers.ts';
import type { Command } from './steps.ts';

/** A client of one of the two servers, which knows what its statements are called there. */
export class Side {
  readonly client: MysqlClient;
  readonly #prepared = new Map<string, number>();
  readonly #isMariadb: boolean;
  /** What must never be met. */
  readonly #foreign: RegExp;
  /** The flags that the server has told last. */
  status = AUTOCOMMIT;

  constructor(client: MysqlClient, name: string, isMariadb: boolean) {
    this.client = client;
    this.#isMariadb = isMariadb;
    this.#foreign = foreignTo(name);
  }

  /** Sends in pieces, cut at these thousandths, and reads all answers. */
  async exchange(commands: readonly Command[], cuts: readonly number[] = []): Promise<Answer> {
    const bytes = this.bytesOf(commands);
    const reading = this.#read(commands);
    let at = 0;
    for (const cut of [
      ...cuts.map((part) => Math.ceil((bytes.length * part) / 1_000)),
      bytes.length,
    ]) {
      if (at > 0) await new Promise(setImmediate);
      if (cut > at) this.client.socket.send(bytes.subarray(at, cut));
      at = cut;
    }
    return await reading;
  }

  bytesOf(commands: readonly Command[]): Uint8Array {
    return Buffer.concat(
      commands.flatMap(({ say }) => {
        const payload = say(this.client, this.#prepared);
        return payload === undefined ? [] : [packet(0, payload)];
      }),
    );
  }

  async #read(commands: readonly Command[]): Promise<Answer> {
    const lines: string[] = [];
    const payloads: Uint8Array[] = [];
    for (const { reply, names, about } of commands) {
      // MySQL tells of the schema once more where the statement was prepared in another one (docs/differences.md).
      const isExecution = about.startsWith('execute ');
      const heard: Heard[] = [];
      let ended = false;
      try {
        await this.client.collect(reply, heard);
      } catch (problem) {
        if (!(problem instanceof PeerGone)) throw problem;
        ended = true;
      }
      for (const { payload } of heard) this.watch(payload);
      if (names !== undefined) remember(this.#prepared, names, heard);
      payloads.push(...heard.map(({ payload }) => payload));
      const { capabilities } = this.client;
      const told = tell(
        heard.map((one) => this.#plain(one, reply)),
        reply,
      );
      lines.push(
        ...heard.map(
          (one, n) =>
            changesIn(
              this.#plain(one, reply).payload,
              capabilities,
              this.#isMariadb,
              isExecution,
            ) ??
            told[n] ??
            '',
        ),
      );
      if (ended) return { lines, payloads, ended };
      this.status = lastStatus(heard, reply, this.client.capabilities) ?? this.status;
    }
    return { lines, payloads, ended: false };
  }

  /**
   * Without what is as it happens (docs/differences.md): MySQL answers what is no statement with the warnings of the one before, and
   * MariaDB tells in some EOF packets that the session has changed, and cannot tell what.
   */
  #plain({ sequences, payload }: Heard, reply: ReplyShape): Heard {
    const plain = payload.slice();
    const [first] = payload;
    if (!this.#isMariadb && reply === 'one' && (first === OK || first === EOF))
      plain.fill(0, WARNINGS_AT, WARNINGS_AT + 2);
    if (this.#isMariadb && first === EOF && payload.length === EOF_BYTES)
      plain.set([(payload[EOF_BYTES - 1] ?? 0) & ~STATE_CHANGED], EOF_BYTES - 1);
    return { sequences, payload: plain };
  }

  get isAutocommit(): boolean {
    return (this.status & AUTOCOMMIT) !== 0;
  }

  get inTransaction(): boolean {
    return (this.status & IN_TRANSACTION) !== 0;
  }

  /** All prepared statements are gone. */
  forget(): void {
    this.#prepared.clear();
  }

  /** Throws where the bytes hold what is somebody else's. */
  watch(bytes: Uint8Array): void {
    const [foreign] = this.#foreign.exec(Buffer.from(bytes).toString('latin1')) ?? [];
    if (foreign !== undefined) throw new Leak(`was shown ${foreign}`);
  }
}

const OK = 0x00;
const EOF = 0xfe;
const EOF_BYTES = 5;
/** Behind a header and two counts that are 0. */
const WARNINGS_AT = 5;
/** In the second byte of the flags. */
const STATE_CHANGED = 0x40;
const AUTOCOMMIT = 0x0002;
const IN_TRANSACTION = 0x0001;
