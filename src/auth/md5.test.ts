import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { SecretText } from '../base/secret-text.ts';
import { md5Matches, md5Response } from './md5.ts';

const salt = Uint8Array.of(1, 2, 3, 4);
const secret = new SecretText('pencil');

test('answers as libpq does', () => {
  // md5sum of «pencilapp», then of those digits and the salt.
  expect(md5Response('app', secret, salt)).toBe('md54bfca4ca571b8df74c2fc2247888d96f');
});

test('knows any of the passwords, and nothing else', () => {
  const response = md5Response('app', secret, salt);
  expect(md5Matches('app', [secret], salt, response)).toBe(true);
  expect(md5Matches('app', [new SecretText('old'), secret], salt, response)).toBe(true);
  expect(md5Matches('app', [], salt, response)).toBe(false);
  expect(md5Matches('App', [secret], salt, response)).toBe(false);
  expect(md5Matches('app', [new SecretText('Pencil')], salt, response)).toBe(false);
  expect(md5Matches('app', [secret], Uint8Array.of(1, 2, 3, 5), response)).toBe(false);
  expect(md5Matches('app', [secret], salt, response.toUpperCase())).toBe(false);
  for (let length = 0; length < response.length; length += 1) {
    expect(md5Matches('app', [secret], salt, response.slice(0, length))).toBe(false);
  }
});

test('takes any response', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (response) => {
      expect(md5Matches('app', [secret], salt, response)).toBe(false);
    }),
  );
});
