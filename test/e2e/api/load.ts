import { eventually } from '../clients/stage.ts';

/** What `RawClient` and `MysqlClient` have in common. */
interface Client {
  rows(sql: string): Promise<unknown>;
  end(): Promise<void>;
}

/** Signs in and asks, on and on; and asks on one connection that stays. */
export class Load {
  readonly failures: string[] = [];
  answers = 0;
  #isOver = false;
  readonly #open: () => Promise<Client>;
  readonly #work: Promise<unknown>;

  constructor(open: () => Promise<Client>, visitors = 3) {
    this.#open = open;
    this.#work = Promise.all([
      this.#stay(),
      ...Array.from({ length: visitors }, () => this.#visit()),
    ]);
  }

  /** Waits for so many answers more. */
  async goesOn(answers = 10): Promise<void> {
    const wanted = this.answers + answers;
    await eventually(
      async () => this.answers + this.failures.length,
      (count) => count >= wanted,
    );
  }

  async end(): Promise<void> {
    this.#isOver = true;
    await this.#work;
  }

  async #visit(): Promise<void> {
    while (!this.#isOver) {
      await this.#attempt(async () => {
        const client = await this.#open();
        // Several at a time want several database connections.
        await client.rows('BEGIN');
        await client.rows('SELECT 1');
        await client.rows('COMMIT');
        await client.end();
      });
    }
  }

  async #stay(): Promise<void> {
    await this.#attempt(async () => {
      const client = await this.#open();
      while (!this.#isOver) {
        await client.rows('SELECT 1');
        this.answers += 1;
      }
      await client.end();
    });
  }

  async #attempt(work: () => Promise<void>): Promise<void> {
    try {
      await work();
      this.answers += 1;
    } catch (problem) {
      this.failures.push(String(problem));
    }
  }
}
