import type { Listener } from '../../support/load/connection.ts';
import type { Customer, Ledger } from '../../support/load/generate.ts';
import type { Order } from '../../support/load/order.ts';
import { NO_TRANSACTION, readAnswer } from './answer.ts';
import { Answers } from './answers.ts';
import { Client } from './client.ts';
import type { Statement, TdsLoad } from './statements.ts';
import { statementsOf } from './statements.ts';

/** A client that makes one transaction after the other, the next as soon as it has its answer, which it reads. */
export class TdsCustomer implements Customer, Listener {
  readonly #client: Client;
  readonly #statements: readonly Statement[];
  readonly #ledger: Ledger;
  readonly #answers = new Answers();
  /** Of the transaction's statements. */
  #at = 0;
  #transaction = NO_TRANSACTION;
  #began = 0;
  #hasLeft = false;

  private constructor(client: Client, statements: readonly Statement[], ledger: Ledger) {
    this.#client = client;
    this.#statements = statements;
    this.#ledger = ledger;
  }

  static async signIn({ login, load }: Order<TdsLoad>, ledger: Ledger): Promise<TdsCustomer> {
    const client = await Client.signIn(login);
    return new TdsCustomer(client, await statementsOf(load, client), ledger);
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

  heard(bytes: Buffer): void {
    if (this.#hasLeft) return;
    try {
      for (const reply of this.#answers.feed(bytes)) this.#answered(reply);
    } catch (problem) {
      this.ended(problem instanceof Error ? problem : new Error(String(problem)));
    }
  }

  ended(problem: Error): void {
    if (!this.#hasLeft) this.#ledger.failed(problem);
  }

  #answered(reply: Buffer): void {
    const answer = readAnswer(reply);
    this.#statements[this.#at]?.check(answer);
    this.#transaction = answer.transaction ?? this.#transaction;
    this.#at += 1;
    if (this.#at === this.#statements.length) {
      const now = performance.now();
      const { number, records } = this.#ledger;
      const latencyMicros = (now - this.#began) * 1000;
      records.add(number, latencyMicros, (performance.timeOrigin + now) * 1000);
      this.#at = 0;
      this.#began = now;
    }
    this.#send();
  }

  #send(): void {
    const statement = this.#statements[this.#at];
    if (statement !== undefined) this.#client.connection.send(statement.draw(this.#transaction));
  }
}
