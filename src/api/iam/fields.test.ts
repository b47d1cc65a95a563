import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { ApiError } from '../api-error.ts';
import { page } from './fields.ts';

test('pages make up the whole', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.string({ minLength: 1 })),
      fc.integer({ min: 1, max: 5 }),
      (names, MaxItems) => {
        const items = names.toSorted((a, b) => (a < b ? -1 : 1));
        const from = (Marker?: string): readonly string[] => {
          const { items: shown, rest } = page(items, { MaxItems, Marker }, (item) => item);
          expect(rest['IsTruncated']).toBe(rest['Marker'] !== undefined);
          return rest['IsTruncated'] === true ? [...shown, ...from(String(rest['Marker']))] : shown;
        };
        expect(from()).toEqual(items);
      },
    ),
  );
});

test('a page begins behind its marker where that is gone', () => {
  const { rest } = page(['a', 'b', 'c'], { MaxItems: 2 }, (item) => item);
  const next = page(['a', 'c'], { Marker: String(rest['Marker']) }, (item) => item);
  expect(next.items).toEqual(['c']);
});

test('any text is a marker, or an error', () => {
  fc.assert(
    fc.property(fc.string(), (Marker) => {
      try {
        expect(page(['a', 'b'], { Marker }, (item) => item).items.length).toBeLessThan(3);
      } catch (error) {
        expect(error).toBeInstanceOf(ApiError);
      }
    }),
  );
});
