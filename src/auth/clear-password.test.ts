import { expect, test } from 'bun:test';
import { SecretText } from '../base/secret-text.ts';
import { clearPasswordMatches } from './clear-password.ts';

test('knows any of the passwords, and nothing else', () => {
  const [first, second, none] = ['pencil', 'größer', ''].map((it) => new SecretText(it));
  const known = [first!, second!];
  expect(clearPasswordMatches(known, new SecretText('pencil'))).toBe(true);
  expect(clearPasswordMatches(known, new SecretText('größer'))).toBe(true);
  for (const wrong of ['', 'pencil\0', 'Pencil', 'penci', 'pencils']) {
    expect(clearPasswordMatches(known, new SecretText(wrong))).toBe(false);
  }
  expect(clearPasswordMatches([], none!)).toBe(false);
  expect(clearPasswordMatches([none!], none!)).toBe(true);
});
