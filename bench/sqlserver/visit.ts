import type { Line } from '../support/line.ts';
import type { Listener } from '../support/load/connection.ts';
import { loginOf } from '../support/load/order.ts';
import type { Download } from '../support/result.ts';
import { RESULT_ROW_BYTES, RESULT_ROWS } from '../support/result.ts';
import type { Visitor } from '../support/visitor.ts';
import { Client } from './load/client.ts';
import { LongReply } from './load/long-reply.ts';
import { TABLE } from './load/statements.ts';

const SQL = `SELECT CAST(REPLICATE('x', ${RESULT_ROW_BYTES}) AS varchar(${RESULT_ROW_BYTES})) AS x FROM ${TABLE}`;
/** Each with its token and its length: all but some bytes at the beginning and the end, and the heads of packets. */
const RESULT_BYTES = RESULT_ROWS * (1 + 2 + RESULT_ROW_BYTES);

export function signIn(line: Line): Promise<Client> {
  return Client.signIn(loginOf(line));
}

export async function visit(line: Line): Promise<Visitor> {
  const client = await signIn(line);
  return {
    tlsVersion: client.connection.tlsVersion,
    async ask() {
      await client.ask('SELECT 1 AS n');
    },
    destroy: () => client.destroy(),
  };
}

/** A large result. */
export async function download(line: Line): Promise<Download> {
  const client = await signIn(line);
  const { connection } = client;
  await client.ask('SELECT 1 AS n');
  const arrival = new Arrival();
  return {
    bytes: RESULT_BYTES,
    start() {
      connection.listen(arrival);
      client.send(SQL);
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
  readonly #reply = new LongReply();
  #wanted = 0;
  #problem: Error | undefined;
  #news = Promise.withResolvers<void>();

  async more(count: number): Promise<void> {
    this.#wanted += count;
    await this.#until(() => this.#reply.bytes >= this.#wanted);
  }

  async whole(): Promise<void> {
    await this.#until(() => this.#reply.isOver);
    if (this.#reply.rows !== RESULT_ROWS)
      throw new Error(`the result has ${this.#reply.rows} rows, and not ${RESULT_ROWS}`);
  }

  heard(bytes: Buffer): void {
    try {
      this.#reply.feed(bytes);
    } catch (problem) {
      this.#problem = problem instanceof Error ? problem : new Error(String(problem));
    }
    const { bytes: arrived, isOver } = this.#reply;
    if (arrived >= this.#wanted || isOver || this.#problem !== undefined) this.#wake();
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
