import type { Line } from '../support/line.ts';
import type { Download } from '../support/result.ts';
import { RESULT_ROW_BYTES, RESULT_ROWS } from '../support/result.ts';
import type { Visitor } from '../support/visitor.ts';
import type { Listener } from '../support/load/connection.ts';
import { loginOf } from '../support/load/order.ts';
import { Answers } from './load/answers.ts';
import { Client } from './load/client.ts';
import { command, QUERY } from './load/packets.ts';
import { TABLE } from './load/statements.ts';

const SQL = `SELECT REPEAT('x', ${RESULT_ROW_BYTES}) FROM ${TABLE} LIMIT ${RESULT_ROWS}`;
/** Each with its packet's head and its length: all but some bytes at the beginning and the end. */
const RESULT_BYTES = RESULT_ROWS * (4 + 3 + RESULT_ROW_BYTES);

export function signIn(line: Line): Promise<Client> {
  return Client.signIn(loginOf(line));
}

export async function visit(line: Line): Promise<Visitor> {
  const client = await signIn(line);
  return {
    tlsVersion: client.connection.tlsVersion,
    ask: () => client.ask('SELECT 1'),
    destroy: () => client.destroy(),
  };
}

/** A large result. */
export async function download(line: Line): Promise<Download> {
  const client = await signIn(line);
  const { connection } = client;
  await client.ask('SELECT 1');
  const arrival = new Arrival();
  return {
    bytes: RESULT_BYTES,
    start() {
      connection.listen(arrival);
      connection.send(command(QUERY, Buffer.from(SQL)));
    },
    read: (count) => arrival.more(count),
    pause: () => connection.pause(),
    resume: () => connection.resume(),
    finish: () => arrival.whole(),
    destroy: () => client.destroy(),
  };
}

/** Counts what arrives of an answer, and lets one wait for it. */
class Arrival implements Listener {
  readonly #answers = new Answers();
  #bytes = 0;
  #wanted = 0;
  #isOver = false;
  #problem: Error | undefined;
  #news = Promise.withResolvers<void>();

  async more(count: number): Promise<void> {
    this.#wanted += count;
    await this.#until(() => this.#bytes >= this.#wanted);
  }

  async whole(): Promise<void> {
    await this.#until(() => this.#isOver);
  }

  heard(bytes: Uint8Array): void {
    this.#bytes += bytes.length;
    try {
      this.#isOver ||= this.#answers.feed(bytes) > 0;
    } catch (problem) {
      this.#problem = problem instanceof Error ? problem : new Error(String(problem));
    }
    if (this.#bytes >= this.#wanted || this.#isOver || this.#problem !== undefined) this.#wake();
  }

  ended(problem: Error): void {
    this.#problem ??= problem;
    this.#wake();
  }

  async #until(isEnough: () => boolean): Promise<void> {
    while (!isEnough()) {
      if (this.#problem !== undefined) throw this.#problem;
      await this.#news.promise;
    }
  }

  #wake(): void {
    this.#news.resolve();
    this.#news = Promise.withResolvers<void>();
  }
}
