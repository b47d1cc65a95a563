import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { utf16 } from '../../src/base/bytes.ts';
import { INSERTS } from '../../src/engine/sqlserver/sql/classifier.ts';
import { judge } from '../../src/engine/sqlserver/sql/judge.ts';
import { glance } from '../../src/engine/sqlserver/sql/prefilter.ts';

// What the filter lets through the reader of whole texts must find nothing in.

/** `SLUICE_FUZZ_RUNS=1000000 bun test test/fuzz/sqlserver-prefilter.test.ts` looks longer. */
const RUNS = Number(process.env['SLUICE_FUZZ_RUNS'] ?? 10_000);

/** What texts that are let through begin with. */
const beginnings = [
  'insert into ', 'INSERT\n INTO t ', 'insert into[t](a)values(', 'Insert Into "t" select ',
  'update ', 'update t set ', 'UPDATE t SET a = 1, ', 'update t set [a] = ', 'update statistics t ',
  'select ', 'SELECT a FROM t WHERE ', 'delete from t ', 'with c as (', 'declare @x int ', 'if ',
  'while 1 = 1 ', '(select ', ';; ', '', '\t\n',
] as const; // prettier-ignore

const words = [
  'set', 'SET', 'SeT', 'insert', 'INSERT', 'into', 'INTO', 'bulk', 'update', 'UPDATE', 'statistics',
  'select', 'values', 'default', 'output', 'inserted', 'deleted', 'from', 'where', 'merge', 'delete',
  'a', 't', 'nocount', 'rowcount', 'on', 'off', 'datefirst', 'exec', 'execute', 'p', 'use', 'db',
  'declare', 'cursor', '@x', '@@identity', '@@rowcount', '@@version', 'scope_identity', 'begin', 'tran',
  'commit', 'rollback', 'save', 'open', 'close', 'key', 'revert', 'create', 'alter', 'table', 'drop',
  'proc', 'or', 'if', 'exists', 'else', 'end', 'case', 'when', 'then', 'call', 'set_config', 'go', 'x',
  '#t', '##t', '[#t]', '"#t"', '[t]', '[set]', '"set"', "'set'", "'it''s'", "N'x'", '1', '1.5', '0x1f',
  '1e5', '1e', '1set', '1.eset', '1.set', '.5set', '12abc', 'éset', 'seté', 'ſet', 'intoé', 'K',
] as const; // prettier-ignore

const marks = [
  ' ', ' ', ' ', ' ', ' ', '\n', '\r\n', '\r', '\t', '\0', '\u00a0', '\u3000', '\ud800', ';', ',', '.',
  '=', ' = ', '(', ')', "'", '"', '[', ']', '--', '/*', '*/', '+', '-', '{', '}', '?', ':', '\\\n',
] as const; // prettier-ignore

const texts = fc
  .tuple(
    fc.constantFrom(...beginnings),
    fc.array(fc.tuple(fc.constantFrom(...words), fc.constantFrom(...marks)), { maxLength: 14 }),
  )
  .map(([beginning, rest]) => beginning + rest.flat().join(''));

describe('at a glance', () => {
  test.each(['batch', 'within'] as const)('nothing is overlooked: %s', (level) => {
    const seen = { nothing: 0, inserts: 0, anything: 0 };
    fc.assert(
      fc.property(texts, fc.nat(3), (text, offset) => {
        const bytes = utf16(`${'#'.repeat(offset)}${text} set`);
        const what = glance(bytes, 2 * offset, 2 * (offset + text.length));
        seen[what] += 1;
        if (what === 'nothing') expect(judge(text, level)).toBeUndefined();
        if (what === 'inserts') expect(judge(text, level)).toEqual(INSERTS);
      }),
      { numRuns: RUNS },
    );
    // There has been something to overlook.
    expect(Math.min(...Object.values(seen))).toBeGreaterThan(RUNS / 200);
  });
});
