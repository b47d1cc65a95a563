import { expect, test } from 'bun:test';
import { plays } from './plays.ts';
import { requests } from './requests.ts';

test.each(plays.map((mode) => [mode.engine, mode.name, mode] as const))(
  '%s: %s requests are answered, where clients share connections',
  async (_engine, _name, mode) => {
    const scene = await mode.open(9, 2);
    expect(await scene.run(200)).toBeGreaterThan(0);
  },
);

test('each request is about another row', () => {
  const next = requests('simple', 1);
  const texts = Array.from({ length: 50 }, (_, at) => Buffer.from(next(at)).toString('latin1', 5));
  expect(new Set(texts).size).toBe(50);
  for (const text of texts)
    expect(text).toMatch(/^SELECT abalance FROM pgbench_accounts WHERE aid = [1-9]\d{5};\0$/);
});
