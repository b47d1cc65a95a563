// Load on a MySQL server or a pooler, by a process of its own.
import { generate } from '../../support/load/generate.ts';
import { Client } from './client.ts';
import { MysqlCustomer } from './customer.ts';
import type { MysqlLoad } from './statements.ts';

await generate<MysqlLoad>({
  signIn: (order, ledger) => MysqlCustomer.signIn(order, ledger),
  async visit({ login }) {
    const client = await Client.signIn(login);
    await client.ask('SELECT 1');
    await client.quit();
  },
});
