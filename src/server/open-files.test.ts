import { expect, test } from 'bun:test';
import { ManualClock } from '../base/clock.ts';
import { Log } from '../base/log.ts';
import { openFileLimit, withinOpenFiles } from './open-files.ts';
import type { ProxySettings } from './settings/settings.ts';

const lines: string[] = [];
const log = new Log({ level: 'info', format: 'json', clock: new ManualClock() }, (line) =>
  lines.push(line),
);

function most(wanted: number, limit: number | undefined, proxies = 1, processes = 1): number {
  const proxy = { name: 'p', maxClientConnections: wanted } as ProxySettings;
  return withinOpenFiles(proxy, { proxies, processes }, log, limit).maxClientConnections;
}

test('the system says how many files may be open', () => {
  expect(openFileLimit() ?? 64).toBeGreaterThan(63);
});

test('PG-118: no more clients than descriptors, and a third of those for the rest', () => {
  expect(most(10_000, 20_000)).toBe(10_000);
  expect(lines).toEqual([]);
  expect(most(10_000, 1_000)).toBe(700);
  expect(lines.at(-1)).toContain('takes 700 clients at most instead of 10000');
  expect(most(10_000, 100)).toBe(52);
});

test('proxies share the descriptors of a process, and processes have their own', () => {
  expect(most(10_000, 1_000, 2)).toBe(350);
  expect(most(10_000, 1_000, 2, 3)).toBe(1_050);
});

test('where nobody knows the limit the settings count', () => {
  const known = openFileLimit();
  if (known === undefined) expect(most(10_000, undefined)).toBe(10_000);
  else expect(most(1, undefined)).toBe(1);
});
