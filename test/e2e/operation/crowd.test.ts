import { afterAll, beforeAll, expect, test } from 'bun:test';
import { readdirSync, readFileSync } from 'node:fs';
import { RawClient } from '../../support/raw-client.ts';
import { passwordOf, settingsFor, startSluice, withPostgres } from '../../support/sluice.ts';
import type { Sluice } from '../../support/sluice.ts';

const OPEN_FILES = 200;
let sluice: Sluice;
const crowd: RawClient[] = [];

beforeAll(async () => {
  sluice = await startSluice(settingsFor(await withPostgres(18)), {
    within: ['prlimit', `--nofile=${OPEN_FILES}:${OPEN_FILES}`],
  });
});
afterAll(async () => {
  for (const client of crowd) client.destroy();
  await sluice.stop();
});

function signIn(): Promise<RawClient> {
  const login = { user: 'app', password: passwordOf('app'), database: 'app' };
  return RawClient.signIn({ host: '127.0.0.1', port: sluice.port, tls: 'none', ...login });
}

/** Seconds of CPU that the proxy has used. */
function cpuSeconds(): number {
  const [, user = '0', system = '0'] =
    /\) (?:\S+ ){11}(\S+) (\S+)/.exec(readFileSync(`/proc/${sluice.pid}/stat`, 'latin1')) ?? [];
  return (Number(user) + Number(system)) / 100;
}

test('PG-118: more clients than open files: those who have no room are sent away, nothing spins, and all is well afterwards', async () => {
  expect(sluice.logs('settings').map(({ message }) => message)).toEqual([
    expect.stringContaining(`the system allows a process ${OPEN_FILES} open files`),
  ]);
  const address = { host: '127.0.0.1', port: sluice.port, tls: 'none' } as const;
  const before = cpuSeconds();
  const started = performance.now();
  for (let count = 0; count < 2 * OPEN_FILES; count += 1) {
    crowd.push(await RawClient.connect(address));
  }
  expect(readdirSync(`/proc/${sluice.pid}/fd`).length).toBeLessThan(OPEN_FILES);
  // What is left of the crowd says nothing; a listener that spins would take all of a core.
  const until = performance.now() + 1_000;
  while (performance.now() < until) await Bun.sleep(50);
  const seconds = (performance.now() - started) / 1000;
  expect(cpuSeconds() - before).toBeLessThan(0.5 * seconds);

  for (const client of crowd.splice(0)) client.destroy();
  const deadline = Date.now() + 10_000;
  let answer: string | null | undefined;
  while (answer !== '1' && Date.now() < deadline) {
    answer = await signIn()
      .then(async (client) => {
        const value = await client.value('select 1');
        client.destroy();
        return value;
      })
      .catch(() => undefined);
  }
  expect(answer).toBe('1');
});
