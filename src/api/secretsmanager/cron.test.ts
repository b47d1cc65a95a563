import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { ApiError } from '../api-error.ts';
import { nextTime, parseCron } from './cron.ts';

/** The next times after the beginning of the first of June 2026, a Monday. */
function times(expression: string, count = 3, from = '2026-06-01T00:00:00Z'): readonly string[] {
  const cron = parseCron(expression);
  const found: string[] = [];
  let atMs = Date.parse(from);
  while (found.length < count) {
    const next = nextTime(cron, atMs);
    if (next === undefined) break;
    found.push(new Date(next).toISOString().slice(0, 13));
    atMs = next;
  }
  return found;
}

describe('a cron expression', () => {
  // Those of AWS's own page.
  test.each([
    ['cron(0 /8 * * ? *)', ['2026-06-01T08', '2026-06-01T16', '2026-06-02T00']],
    ['cron(0 8/8 * * ? *)', ['2026-06-01T08', '2026-06-01T16', '2026-06-02T08']],
    ['cron(0 2/10 * * ? *)', ['2026-06-01T02', '2026-06-01T12', '2026-06-01T22']],
    ['cron(0 10 * * ? *)', ['2026-06-01T10', '2026-06-02T10', '2026-06-03T10']],
    ['cron(0 18 ? * SAT *)', ['2026-06-06T18', '2026-06-13T18', '2026-06-20T18']],
    ['cron(0 8 1 * ? *)', ['2026-06-01T08', '2026-07-01T08', '2026-08-01T08']],
    ['cron(0 1 ? JAN/3 SUN#1 *)', ['2026-07-05T01', '2026-10-04T01', '2027-01-03T01']],
    ['cron(0 17 L * ? *)', ['2026-06-30T17', '2026-07-31T17', '2026-08-31T17']],
    ['cron(0 8 ? * MON-FRI *)', ['2026-06-01T08', '2026-06-02T08', '2026-06-03T08']],
    ['cron(0 16 1,15 * ? *)', ['2026-06-01T16', '2026-06-15T16', '2026-07-01T16']],
    ['cron(0 0 ? * SUN#1 *)', ['2026-06-07T00', '2026-07-05T00', '2026-08-02T00']],
    ['cron(0 0 ? * 6L *)', ['2026-06-26T00', '2026-07-31T00', '2026-08-28T00']],
    ['cron(0 0 29 FEB ? *)', ['2028-02-29T00', '2032-02-29T00', '2036-02-29T00']],
    ['cron(0 4 ? * sun,L 2027)', ['2027-01-02T04', '2027-01-03T04', '2027-01-09T04']],
  ])('%s comes when it should', (expression, expected) => {
    expect(times(expression)).toEqual(expected);
  });

  test('does not come at the moment from which it is counted', () => {
    expect(times('cron(0 10 * * ? *)', 1, '2026-06-01T10:00:00Z')).toEqual(['2026-06-02T10']);
    expect(times('cron(0 10 * * ? *)', 1, '2026-06-01T09:59:59.999Z')).toEqual(['2026-06-01T10']);
  });

  test('may be over, or never come', () => {
    expect(times('cron(0 10 * * ? 2020)')).toEqual([]);
    expect(times('cron(0 10 31 FEB ? *)')).toEqual([]);
  });

  test.each([
    ['cron(0 8 * * ?)', 'six fields'],
    ['cron(0 8 * * ? * *)', 'six fields'],
    ['cron 0 8 * * ? *', 'six fields'],
    ['cron(30 8 * * ? *)', 'minutes must be 0'],
    ['cron(* 8 * * ? *)', 'minutes must be 0'],
    ['cron(0 24 * * ? *)', 'hours must be *, or numbers from 0 to 23'],
    ['cron(0 8-7 * * ? *)', 'hours must be'],
    ['cron(0 8/0 * * ? *)', 'hours must be'],
    ['cron(0 8,, * * ? *)', 'hours must be'],
    ['cron(0 * * * ? *)', 'at least 4 hours'],
    ['cron(0 1,22 * * ? *)', 'at least 4 hours'],
    ['cron(0 8 ? * ? *)', 'one of day-of-month and day-of-week must be ?'],
    ['cron(0 8 1 * MON *)', 'one of day-of-month and day-of-week must be ?'],
    ['cron(0 8 0 * ? *)', 'day-of-month must be'],
    ['cron(0 8 15W * ? *)', 'day-of-month must be'],
    ['cron(0 8 ? * MON#6 *)', 'behind #'],
    ['cron(0 8 ? * 8 *)', 'day-of-week must be *, or numbers from 1 to 7 (SUN to SAT)'],
    ['cron(0 8 ? FOO MON *)', 'month must be'],
    ['cron(0 8 ? * MON 1969)', 'year must be'],
  ])('%s is refused', (expression, why) => {
    expect(() => parseCron(expression)).toThrow(ApiError);
    expect(() => parseCron(expression)).toThrow(why);
  });

  test('is read or refused, whatever comes, and then comes at a time that it names or never', () => {
    const part = fc.constantFrom(...'0 1 2 8 15 31 * ? L / - , # MON SUN JAN 2026'.split(' '));
    const field = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join(''));
    const fields = fc.array(field, { minLength: 4, maxLength: 6 });
    const alike = fields.map((some) => `cron(0 ${some.join(' ')})`);
    fc.assert(
      fc.property(fc.oneof(fc.string(), alike), (text) => {
        try {
          const next = nextTime(parseCron(text), Date.UTC(2026, 5, 1));
          if (next !== undefined) expect(next % 3_600_000).toBe(0);
        } catch (error) {
          expect(error).toBeInstanceOf(ApiError);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});
