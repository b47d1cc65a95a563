import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { matchesWildcard } from './wildcard.ts';

/** The definition, as slow as it is plain. */
function fits(pattern: string, text: string): boolean {
  if (pattern === '') return text === '';
  const rest = pattern.slice(1);
  if (pattern.startsWith('*')) {
    return fits(rest, text) || (text !== '' && fits(pattern, text.slice(1)));
  }
  return text !== '' && (pattern[0] === '?' || pattern[0] === text[0]) && fits(rest, text.slice(1));
}

test('agrees with the definition', () => {
  const letters = fc.string({ unit: fc.constantFrom('a', 'b', '*', '?'), maxLength: 8 });
  fc.assert(
    fc.property(letters, letters, (pattern, text) => {
      expect(matchesWildcard(pattern, text)).toBe(fits(pattern, text));
    }),
    { numRuns: 5_000 },
  );
});

test('takes regular expressions for plain text', () => {
  expect(matchesWildcard('a.c', 'abc')).toBe(false);
  expect(matchesWildcard('[ab]+', '[ab]+')).toBe(true);
  expect(matchesWildcard('a\\*', 'a\\x')).toBe(true);
});

test('a pattern made to be slow is not', () => {
  const text = 'a'.repeat(10_000);
  expect(matchesWildcard('*a'.repeat(1_000) + 'b', text)).toBe(false);
  expect(matchesWildcard('*'.repeat(2_000), text)).toBe(true);
  expect(matchesWildcard(`*${'a'.repeat(1_000)}b`, text)).toBe(false);
});
