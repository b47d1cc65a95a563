import { PeerGone } from '../../support/byte-queue.ts';
import type { Heard } from '../../support/mysql-client.ts';
import type { MysqlClient } from '../../support/mysql-client.ts';
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
  /** What must never be met. */
  readonly #foreign: RegExp;
  /** The flags that the server has told last. */
  status = AUTOCOMMIT;

  constructor(client: MysqlClient, name: string) {
    this.client = client;
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
    return Buffer.concat(commands.map(({ say }) => packet(0, say(this.client, this.#prepared) ?? new Uint8Array(0))));
  }

  async #read(commands: readonly Command[]): Promise<Answer> {
    const lines: string[] = [];
    const payloads: Uint8Array[] = [];
    for (const { reply, names } of commands) {
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
      const told = tell(heard, reply);
      lines.push(
        ...heard.map(({ payload }, n) => changesIn(payload, capabilities) ?? told[n] ?? ''),
      );
      if (ended) return { lines, payloads, ended };
      this.status = lastStatus(heard, reply, this.client.capabilities) ?? this.status;
    }
    return { lines, payloads, ended: false };
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

const AUTOCOMMIT = 0x0002;
const IN_TRANSACTION = 0x0001;
