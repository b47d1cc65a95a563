// What a generator of load does, in a process of its own: see `order.ts` for what it is told and what it tells.
import { once } from 'node:events';
import type { Load } from '../cases.ts';
import type { Order } from './order.ts';
import { READY } from './order.ts';
import { Records } from './records.ts';

/** So many sign in at the same time. */
const AT_ONCE = 32;

/** A client that stays connected. */
export interface Customer {
  /** Makes one transaction after the other from now on. */
  begin(): void;
  /** Makes no more of them. */
  leave(): void;
}

/** Whom a customer tells of its transactions. */
export interface Ledger {
  /** Of the customer, among all of the process. */
  readonly number: number;
  readonly records: Records;
  failed(problem: Error): void;
}

/** How clients of one protocol go about it. */
export interface Trade<Work extends Load> {
  signIn(order: Order<Work>, ledger: Ledger): Promise<Customer>;
  /** Signs in, runs one statement and leaves. */
  visit(order: Order<Work>): Promise<void>;
}

/** Does what standard input says, and ends the process. */
export async function generate<Work extends Load>(trade: Trade<Work>): Promise<never> {
  const records = new Records();
  const over = new AbortController();
  const input = readLines();
  const { value: first } = await input.next();
  const order: Order<Work> = JSON.parse(first ?? '');
  const untilTold = async (): Promise<void> => {
    for (let line = await input.next(); line.done !== true;) line = await input.next();
    over.abort();
  };
  void untilTold();
  try {
    const { reconnect } = order.load;
    await (reconnect ? comeAndGo : stay)(trade, order, records, over.signal);
    await Bun.write(Bun.stdout, records.bytes());
    process.exit(0);
  } catch (problem) {
    console.error(problem instanceof Error ? problem.message : String(problem));
    process.exit(1);
  }
}

async function* readLines(): AsyncGenerator<string, undefined> {
  for await (const line of console) yield line;
  return undefined;
}

function ready(): Promise<unknown> {
  return Bun.write(Bun.stdout, Uint8Array.of(READY));
}

/** Clients that stay connected. */
async function stay<Work extends Load>(
  trade: Trade<Work>,
  order: Order<Work>,
  records: Records,
  over: AbortSignal,
): Promise<void> {
  const failed = Promise.withResolvers<never>();
  const customers: Customer[] = [];
  let left = order.load.clients;
  const enter = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      const ledger = { number: left, records, failed: failed.reject };
      customers.push(await trade.signIn(order, ledger));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, enter));
  for (const customer of customers) customer.begin();
  await ready();
  await Promise.race([once(over, 'abort'), failed.promise]);
  for (const customer of customers) customer.leave();
}

/** Clients that sign in, run one statement and leave, again and again. */
async function comeAndGo<Work extends Load>(
  trade: Trade<Work>,
  order: Order<Work>,
  records: Records,
  over: AbortSignal,
): Promise<void> {
  await ready();
  const visit = async (_: unknown, number: number): Promise<void> => {
    while (!over.aborted) {
      const began = performance.now();
      await trade.visit(order);
      const now = performance.now();
      records.add(number, (now - began) * 1000, (performance.timeOrigin + now) * 1000);
    }
  };
  await Promise.all(Array.from({ length: order.load.clients }, visit));
}
