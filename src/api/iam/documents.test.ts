import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { ApiError } from '../api-error.ts';
import {
  checkPolicy,
  checkTrust,
  documentSize,
  encodedDocument,
  PolicyReader,
} from './documents.ts';

describe('a document', () => {
  test('is encoded so that it comes back to the letter', () => {
    expect(encodedDocument(`{"a": "b*('!')~"}`)).toBe(
      '%7B%22a%22%3A%20%22b%2A%28%27%21%27%29~%22%7D',
    );
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        expect(encodedDocument(text)).toMatch(/^[\w.~%-]*$/);
        expect(decodeURIComponent(encodedDocument(text))).toBe(text);
      }),
    );
  });

  test('is counted without white space', () => {
    expect(documentSize(' { "a" :\n\t1 }')).toBe(7);
  });

  test('is read once', () => {
    const reader = new PolicyReader();
    const text = '{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}';
    const first = reader.identity(text);
    expect(reader.identity(text)).toBe(first);
    for (let count = 0; count < 1_000; count += 1) reader.identity(text + ' '.repeat(count + 1));
    expect(reader.identity(text)).not.toBe(first);
    expect(reader.identity(text)).toEqual(first);
  });

  test('that is any text is a policy, or malformed', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        for (const check of [checkPolicy, checkTrust]) {
          try {
            expect(check(text).statements.length).toBeGreaterThan(0);
          } catch (error) {
            expect(error).toBeInstanceOf(ApiError);
            expect(error).toMatchObject({ code: 'MalformedPolicyDocument', status: 400 });
          }
        }
      }),
    );
    expect(() => checkPolicy('['.repeat(100_000))).toThrow(ApiError);
  });
});
