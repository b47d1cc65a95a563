// Load on a TDS server or a pooler, by a process of its own.
import { generate } from '../../support/load/generate.ts';
import { Client } from './client.ts';
import { TdsCustomer } from './customer.ts';
import type { TdsLoad } from './statements.ts';

await generate<TdsLoad>({
  signIn: (order, ledger) => TdsCustomer.signIn(order, ledger),
  async visit({ login }) {
    const client = await Client.signIn(login);
    await client.ask('SELECT 1 AS n');
    await client.quit();
  },
});
