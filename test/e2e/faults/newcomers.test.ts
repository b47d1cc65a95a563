import { afterAll, beforeAll, expect, test } from 'bun:test';
import { RawClient } from '../../support/raw-client.ts';
import { passwordOf, settingsFor, startSluice } from '../../support/sluice.ts';
import type { Sluice } from '../../support/sluice.ts';
import { hang, readStartup, startScriptedServer } from '../../support/scripted-server.ts';
import { outcomeOf } from '../../support/outcome.ts';

// A database that takes connections and says nothing: every login waits for a first connection.
const silent = startScriptedServer(async (peer) => {
  await readStartup(peer);
  await hang(peer);
});
let sluice: Sluice;
beforeAll(async () => {
  sluice = await startSluice(
    settingsFor(silent, {
      admin: { listen: '127.0.0.1:0' },
      database: { tls: 'disable' },
      proxy: {
        clientLoginTimeout: 1,
        pool: { connectionBorrowTimeout: 2 },
        serverConnectTimeout: 1,
      },
    }),
  );
});
afterAll(async () => {
  await sluice.stop();
  await silent.stop();
});

function signIn(deadlineMs = 15_000): Promise<RawClient> {
  const login = { user: 'app', password: passwordOf('app'), database: 'app', deadlineMs };
  return RawClient.signIn({ host: '127.0.0.1', port: sluice.port, tls: 'none', ...login });
}

async function waiting(): Promise<number> {
  const metrics = await sluice.metrics();
  return [...metrics].find(([name]) => name.startsWith('sluice_clients_waiting{'))?.[1] ?? -1;
}

async function until(count: number): Promise<void> {
  const deadline = Date.now() + 1_500;
  while ((await waiting()) !== count) {
    if (Date.now() > deadline) throw new Error(`never ${count} clients waiting`);
  }
}

test('a client that has signed in waits for the database as long as it may, not only as long as a login may take', async () => {
  const started = performance.now();
  expect(await outcomeOf(signIn())).toThrow('08000');
  expect(performance.now() - started).toBeGreaterThan(1_500);
});

test('GX-04: a client that leaves while its login waits for a connection is forgotten at once', async () => {
  const client = await RawClient.connect({ host: '127.0.0.1', port: sluice.port, tls: 'none' });
  void client
    .signIn({ user: 'app', password: passwordOf('app'), database: 'app' })
    .catch(() => undefined);
  await until(1);
  client.destroy();
  await until(0);
});
