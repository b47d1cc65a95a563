import { expect, test } from 'bun:test';
import { didYouMean, nearest } from './suggest.ts';

const known = ['listen', 'target', 'maxConnecting', 'maxClientConnections', 'tls'];

test('the nearest word, whatever its case', () => {
  expect(nearest('lisetn', known)).toBe('listen');
  expect(nearest('Listen', known)).toBe('listen');
  expect(nearest('maxConections', known)).toBe('maxConnecting');
  expect(nearest('maxClientConnection', known)).toBe('maxClientConnections');
  expect(nearest('tsl', known)).toBe('tls');
});

test('nothing where nothing is near', () => {
  for (const word of ['', 'x', 'port', 'listenlistenlisten', 'x'.repeat(100_000)])
    expect(nearest(word, known)).toBeUndefined();
  expect(didYouMean('port', known)).toBe('');
  expect(didYouMean('port', [])).toBe('');
});
