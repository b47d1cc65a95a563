import { Answers } from './answers.ts';
import { Client } from './client.ts';
import type { Listener } from './connection.ts';
import type { Order } from './order.ts';
import type { Records } from './records.ts';
import type { Draw } from './statements.ts';
import { statementsOf } from './statements.ts';

/** A client that makes one transaction after the other, the next as soon as it has its answer. */
export class Customer implements Listener {
  readonly #client: Client;
  readonly #number: number;
  readonly #statements: readonly Draw[];
  readonly #records: Records;
  readonly #failed: (problem: Error) => void;
  readonly #answers = new Answers();
  /** Of the transaction's statements. */
  #at = 0;
  #began = 0;
  #hasLeft = false;

  private constructor(
    client: Client,
    number: number,
    statements: readonly Draw[],
    records: Records,
    failed: (problem: Error) => void,
  ) {
    this.#client = client;
    this.#number = number;
    this.#statements = statements;
    this.#records = records;
    this.#failed = failed;
  }

  static async signIn(
    order: Order,
    number: number,
    records: Records,
    failed: (problem: Error) => void,
  ): Promise<Customer> {
    const client = await Client.signIn(order);
    const statements = await statementsOf(order.work, order.mode, client);
    return new Customer(client, number, statements, records, failed);
  }

  begin(): void {
    this.#client.connection.listen(this);
    this.#began = performance.now();
    this.#send();
  }

  leave(): void {
    this.#hasLeft = true;
    this.#client.destroy();
  }

  heard(bytes: Uint8Array): void {
    if (this.#hasLeft) return;
    try {
      if (this.#answers.feed(bytes) === 0) return;
    } catch (problem) {
      this.ended(problem instanceof Error ? problem : new Error(String(problem)));
      return;
    }
    this.#at += 1;
    if (this.#at === this.#statements.length) {
      const now = performance.now();
      const latencyMicros = (now - this.#began) * 1000;
      this.#records.add(this.#number, latencyMicros, (performance.timeOrigin + now) * 1000);
      this.#at = 0;
      this.#began = now;
    }
    this.#send();
  }

  ended(problem: Error): void {
    if (!this.#hasLeft) this.#failed(problem);
  }

  #send(): void {
    const draw = this.#statements[this.#at];
    if (draw !== undefined) this.#client.connection.send(draw());
  }
}
