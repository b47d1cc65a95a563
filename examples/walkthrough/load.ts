import { pause } from '../../src/cli/demo/pause.ts';
import type { Clock } from '../../src/base/clock.ts';
import type { Gateway } from './gateway.ts';

const CREATED = 201;
const LOOK_EVERY_MS = 20;
const PRODUCTS = [1, 2, 3, 7] as const;

/** Customers who order one thing after the other, until they are told to stop. To be disposed of. */
export class Load implements AsyncDisposable {
  readonly #gateway: Gateway;
  readonly #clock: Clock;
  readonly #customers: Promise<void>[] = [];
  readonly #failures: string[] = [];
  #succeeded = 0;
  #stopped = false;

  constructor(gateway: Gateway, clock: Clock) {
    this.#gateway = gateway;
    this.#clock = clock;
  }

  get succeeded(): number {
    return this.#succeeded;
  }

  /** What those said that failed. */
  get failures(): readonly string[] {
    return this.#failures;
  }

  /** That many more. */
  join(customers: number): void {
    for (let one = 0; one < customers; one += 1) this.#customers.push(this.#order());
  }

  /** Until that many more have succeeded or failed. */
  async ended(invocations: number): Promise<void> {
    const wanted = this.#ended() + invocations;
    while (this.#ended() < wanted) await pause(this.#clock, LOOK_EVERY_MS);
  }

  /** What has begun goes on to its end. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#customers);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  #ended(): number {
    return this.#succeeded + this.#failures.length;
  }

  async #order(): Promise<void> {
    while (!this.#stopped) {
      const product = PRODUCTS[this.#succeeded % PRODUCTS.length] ?? 1;
      const failure = await orderOnce(this.#gateway, product);
      if (failure === undefined) this.#succeeded += 1;
      else this.#failures.push(failure);
    }
  }
}

/** Undefined where the order was taken; else what the gateway said. */
export async function orderOnce({ url }: Gateway, productId: number): Promise<string | undefined> {
  try {
    const body = JSON.stringify({ productId });
    const response = await fetch(`${url}/orders`, { method: 'POST', body });
    const text = await response.text();
    return response.status === CREATED ? undefined : `${response.status} ${text}`;
  } catch (problem) {
    return problem instanceof Error ? problem.message : String(problem);
  }
}
