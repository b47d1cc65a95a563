import type { Listener } from '../../support/load/connection.ts';
import type { Customer, Ledger } from '../../support/load/generate.ts';
import type { Order } from '../../support/load/order.ts';
import { Answers } from './answers.ts';
import { Client } from './client.ts';
import type { Draw, MysqlLoad } from './statements.ts';
import { statementsOf } from './statements.ts';

/** A client that makes one transaction after the other, the next as soon as it has its answer. */
export class MysqlCustomer implements Customer, Listener {
  readonly #client: Client;
  readonly #statements: readonly Draw[];
  readonly #ledger: Ledger;
  readonly #answers = new Answers();
  /** Of the transaction's statements. */
  #at = 0;
  #began = 0;
  #hasLeft = false;

  private constructor(client: Client, statements: readonly Draw[], ledger: Ledger) {
    this.#client = client;
    this.#statements = statements;
    this.#ledger = ledger;
  }

  static async signIn({ login, load }: Order<MysqlLoad>, ledger: Ledger): Promise<MysqlCustomer> {
    const client = await Client.signIn(login);
    const statements = await statementsOf(load.work, load.mode, client);
    return new MysqlCustomer(client, statements, ledger);
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
      const { number, records } = this.#ledger;
      records.add(number, latencyMicros, (performance.timeOrigin + now) * 1000);
      this.#at = 0;
      this.#began = now;
    }
    this.#send();
  }

  ended(problem: Error): void {
    if (!this.#hasLeft) this.#ledger.failed(problem);
  }

  #send(): void {
    const draw = this.#statements[this.#at];
    if (draw !== undefined) this.#client.connection.send(draw());
  }
}
