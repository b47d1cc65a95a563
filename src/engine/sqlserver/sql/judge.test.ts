import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { judge } from './judge.ts';
import { utf16 } from '../../../base/bytes.ts';
import { Classifier, INSERTS } from './classifier.ts';
import type { Glance } from './prefilter.ts';
import { glance } from './prefilter.ts';
import { digestOf } from './sql-digest.ts';

const pieces = [
  'set', 'SET', 'use', 'exec', 'execute', 'call', 'begin', 'tran', 'try', 'catch', 'commit', 'save',
  'insert', 'bulk', 'merge', 'into', 'cursor', 'declare', 'deallocate', 'open', 'close', 'symmetric',
  'key', 'all', 'dbcc', 'traceon', 'revert', 'setuser', 'create', 'alter', 'proc', 'or', 'table',
  'drop', 'if', 'exists', 'select', 'update', 'from', 'nocount', 'on', 'off', 'datefirst', 'language',
  'isolation', 'level', 'read', 'committed', 'transaction', 'statistics', 'io', 'identity_insert',
  'context_info', 'ansi_defaults', 'scope_identity', '@@identity', '@@rowcount', '@x', '#t', '##t',
  'sp_getapplock', 'sp_set_session_context', 'sp_executesql', 'p', 'as', 'user', 'with', 'x1',
  "'", "''", '"', '[', ']', ']]', '(', ')', ',', ';', '.', '=', '-', '+', '{', '}', '?', ':', '#',
  '--', '/*', '*/', '\n', '\r', '\r\n', ' ', ' ', ' ', '\t', '\0', '\u00a0', '\u3000', 'é', 'K', 'ſ',
  '1', '0x', '1e', 'e', '7', "N'", '$',
] as const; // prettier-ignore

const texts = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.string({ unit: 'binary' }),
  fc.array(fc.constantFrom(...pieces), { maxLength: 40 }).map((some) => some.join('')),
  fc.array(fc.constantFrom(...pieces), { maxLength: 40 }).map((some) => some.join(' ')),
);

function glanceAt(text: string): Glance {
  const bytes = utf16(text);
  return glance(bytes, 0, bytes.length);
}

describe('of any text', () => {
  test('the prefilter is never less careful than the judge', () => {
    fc.assert(
      fc.property(texts, fc.constantFrom('batch', 'within'), (text, level) => {
        const seen = glanceAt(text);
        if (seen === 'nothing') expect(judge(text, level)).toBeUndefined();
        if (seen === 'inserts') expect(judge(text, level)).toEqual(INSERTS);
      }),
      { numRuns: 20_000 },
    );
  });

  test('something is said', () => {
    fc.assert(
      fc.property(texts, (text) => {
        const classifier = new Classifier();
        classifier.batch(text);
        classifier.executeSql(text);
        classifier.procedure(text, []);
        digestOf(text);
      }),
      { numRuns: 5_000 },
    );
  });

  test('what takes long is short', () => {
    for (const text of [
      '/*'.repeat(60_000) + '*/'.repeat(60_000),
      '1.'.repeat(60_000),
      'a,'.repeat(60_000),
      `SET ${'a,'.repeat(60_000)}`,
      `DECLARE c ${'scroll '.repeat(30_000)}`,
      "EXEC('".repeat(20_000),
      `EXEC (${"'x'+".repeat(30_000)}'')`,
      '['.repeat(100_000),
      ']]'.repeat(60_000),
      '{'.repeat(100_000),
    ]) {
      const start = Bun.nanoseconds();
      judge(text, 'batch');
      glanceAt(text);
      expect((Bun.nanoseconds() - start) / 1e6).toBeLessThan(5_000);
    }
  });
});
