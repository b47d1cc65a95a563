import { expect, test } from 'bun:test';
import { Known } from './known.ts';

test('a value is made once for its key', () => {
  const known = new Known<string, object>(2);
  const one = known.of('a', () => ({}));
  expect(known.of('a', () => ({}))).toBe(one);
  expect(known.of('b', () => ({}))).not.toBe(one);
});

test('of too many none is kept but the last', () => {
  const known = new Known<number, object>(2);
  const first = known.of(1, () => ({}));
  const second = known.of(2, () => ({}));
  expect(known.of(1, () => ({}))).toBe(first);
  expect(known.of(2, () => ({}))).toBe(second);
  const third = known.of(3, () => ({}));
  expect(known.of(3, () => ({}))).toBe(third);
  expect(known.of(1, () => ({}))).not.toBe(first);
});
