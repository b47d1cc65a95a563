import { expect, test } from 'bun:test';
import { modes, requests } from './requests.ts';
import { Scene } from './scene.ts';

test.each([...modes])('%s requests are answered', async (mode) => {
  const scene = await Scene.open(mode, 2, 2);
  expect(await scene.run(200)).toBeGreaterThan(0);
});

test('more clients than connections share them', async () => {
  const scene = await Scene.open('extended', 9, 2);
  expect(await scene.run(200)).toBeGreaterThan(0);
});

test('each request is about another row', () => {
  const next = requests('simple', 1);
  const texts = Array.from({ length: 50 }, (_, at) => Buffer.from(next(at)).toString('latin1', 5));
  expect(new Set(texts).size).toBe(50);
  for (const text of texts)
    expect(text).toMatch(/^SELECT abalance FROM pgbench_accounts WHERE aid = [1-9]\d{5};\0$/);
});
