import { describe, expect, test } from 'bun:test';
import { PreparedOnServer, readingOf, Templates } from './prepared.ts';
import { SessionState } from './state.ts';

const app = SessionState.fresh('app');
const templates = new Templates();
const template = (n: number): ReturnType<Templates['of']> => templates.of(app, '', `select ${n}`);

describe('what is prepared on a connection', () => {
  test('is one thing for all who have prepared the same in the same circumstances', () => {
    expect(templates.of(app, '', 'select 1')).toBe(template(1));
    expect(templates.of(app.in('other'), '', 'select 1')).not.toBe(template(1));
    expect(templates.of(app, '@a int', 'select 1')).not.toBe(template(1));
  });

  test('circumstances are the database and what decides how texts are read', () => {
    const state = SessionState.fresh('app');
    expect(readingOf(state.with([['lock_timeout', '5']]))).toBe(readingOf(state));
    expect(readingOf(state.with([['quoted_identifier', 'OFF']]))).not.toBe(readingOf(state));
    expect(readingOf(state.in('other'))).not.toBe(readingOf(state));
  });

  test('a handle that is replaced is closed some day, and so is the one that was used longest ago', () => {
    const prepared = new PreparedOnServer();
    for (let n = 0; n < 20; n += 1) prepared.add(template(n), 100 + n);
    prepared.use(template(0));
    prepared.add(template(1), 200);
    expect(prepared.takeSurplus(50)).toEqual([]);
    expect(prepared.takeSurplus(18)).toEqual([
      101, 102, 103, 104, 105, 106, 107, 108, 109, 110, 111, 112,
    ]);
    expect([prepared.has(template(0)), prepared.has(template(2))]).toEqual([true, false]);
  });

  test('TD-04: is gone after a reset', () => {
    const prepared = new PreparedOnServer();
    prepared.add(template(1), 1);
    prepared.clear();
    expect(prepared.use(template(1))).toBeUndefined();
  });
});
