// Load on a MySQL server or a pooler, by a process of its own: see `order.ts` for what it is told and what it tells.
import { once } from 'node:events';
import { Client } from './client.ts';
import type { Order } from './order.ts';
import { READY } from './order.ts';
import { Records } from './records.ts';
import { Customer } from './customer.ts';

/** So many sign in at the same time. */
const AT_ONCE = 32;

const records = new Records();
const over = new AbortController();
const input = readLines();
const { value: first } = await input.next();
const order: Order = JSON.parse(first ?? '');
const ready = (): Promise<unknown> => Bun.write(Bun.stdout, Uint8Array.of(READY));
void untilTold();
try {
  await (order.reconnect ? comeAndGo() : stay());
  await Bun.write(Bun.stdout, records.bytes());
  process.exit(0);
} catch (problem) {
  console.error(problem instanceof Error ? problem.message : String(problem));
  process.exit(1);
}

async function* readLines(): AsyncGenerator<string, undefined> {
  for await (const line of console) yield line;
  return undefined;
}

async function untilTold(): Promise<void> {
  for (let line = await input.next(); line.done !== true;) line = await input.next();
  over.abort();
}

/** Clients that stay connected. */
async function stay(): Promise<void> {
  const failed = Promise.withResolvers<never>();
  const customers: Customer[] = [];
  let left = order.clients;
  const enter = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      const number = left;
      customers.push(await Customer.signIn(order, number, records, failed.reject));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, enter));
  for (const customer of customers) customer.begin();
  await ready();
  await Promise.race([once(over.signal, 'abort'), failed.promise]);
  for (const customer of customers) customer.leave();
}

/** Clients that sign in, run one statement and leave, again and again. */
async function comeAndGo(): Promise<void> {
  await ready();
  const visit = async (_: unknown, number: number): Promise<void> => {
    while (!over.signal.aborted) {
      const began = performance.now();
      const client = await Client.signIn(order);
      await client.ask('SELECT 1');
      await client.quit();
      const now = performance.now();
      records.add(number, (now - began) * 1000, (performance.timeOrigin + now) * 1000);
    }
  };
  await Promise.all(Array.from({ length: order.clients }, visit));
}
