import { describe, expect, test } from 'bun:test';
import type { SettingName } from './sql/effects.ts';
import type { Beginning } from './state.ts';
import { bracketed, intern, quoted, RESET, SessionState, UNKNOWN } from './state.ts';

const beginning: Beginning = intern(
  new Map<SettingName, string>([
    ['nocount', 'OFF'],
    ['ansi_nulls', 'ON'],
    ['ansi_null_dflt_on', 'ON'],
    ['ansi_null_dflt_off', 'OFF'],
    ['language', 'us_english'],
    ['datefirst', '7'],
    ['dateformat', 'mdy'],
    ['lock_timeout', '-1'],
    ['textsize', '4096'],
  ]),
);
const fresh = SessionState.fresh('d');

describe('a session’s state', () => {
  test('is one object for all that are equal', () => {
    const one = fresh.with([
      ['nocount', 'ON'],
      ['datefirst', '1'],
    ]);
    const other = fresh.with([['datefirst', '1']]).with([['nocount', 'ON']]);
    expect(one).toBe(other);
    expect(one.with([['nocount', undefined]]).with([['datefirst', undefined]])).toBe(fresh);
    expect(one.in('e').in('d')).toBe(one);
    expect(fresh.isFresh).toBe(true);
    expect(one.isFresh).toBe(false);
    expect(intern(new Map(beginning))).toBe(beginning);
  });

  test('is reached by as little as it takes', () => {
    const state = fresh.with([
      ['nocount', 'ON'],
      ['ansi_nulls', 'OFF'],
      ['lock_timeout', '5'],
    ]);
    expect(state.wayFrom(state, beginning)).toBeUndefined();
    expect(state.wayFrom(fresh, beginning)).toBe(
      'SET ansi_nulls OFF; SET nocount ON; SET LOCK_TIMEOUT 5;',
    );
    expect(state.wayFrom(fresh, beginning)).toBe(state.wayFrom(fresh, beginning) ?? '');
    expect(fresh.wayFrom(state, beginning)).toBe(
      'SET nocount OFF; SET ansi_nulls ON; SET LOCK_TIMEOUT -1;',
    );
    expect(state.wayFrom(state.with([['lock_timeout', undefined]]), beginning)).toBe(
      'SET LOCK_TIMEOUT 5;',
    );
  });

  test('TD-26: is in its database before anything else is set', () => {
    const state = fresh.in('a]b').with([['nocount', 'ON']]);
    expect(state.wayFrom(fresh, beginning)).toBe('USE [a]]b]; SET nocount ON;');
    expect(fresh.in(undefined).wayFrom(fresh, beginning)).toBeUndefined();
  });

  test('has its own first day of the week behind the language, which brings one along', () => {
    const german = fresh.with([
      ['language', 'Deutsch'],
      ['datefirst', '1'],
      ['dateformat', 'dmy'],
    ]);
    expect(german.wayFrom(fresh, beginning)).toBe(
      'SET LANGUAGE Deutsch; SET DATEFIRST 1; SET DATEFORMAT dmy;',
    );
    const mixed = fresh.with([['language', 'Deutsch']]);
    expect(mixed.wayFrom(fresh, beginning)).toBe(
      'SET LANGUAGE Deutsch; SET DATEFIRST 7; SET DATEFORMAT mdy;',
    );
    expect(fresh.with([['language', "Français d'O"]]).wayFrom(fresh, new Map())).toBe(
      "SET LANGUAGE N'Français d''O';",
    );
  });

  test('TD-03: has its isolation level set explicitly, whatever a reset has left', () => {
    const serializable = fresh.with([['isolation level', 'SERIALIZABLE']]);
    const left = serializable.anew('d');
    expect(left.values.get('isolation level')).toBe(UNKNOWN);
    expect(fresh.wayFrom(left, beginning)).toBe('SET TRANSACTION ISOLATION LEVEL READ COMMITTED;');
    expect(serializable.wayFrom(left, beginning)).toBe(
      'SET TRANSACTION ISOLATION LEVEL SERIALIZABLE;',
    );
    expect(fresh.with([['nocount', 'ON']]).anew('e')).toBe(SessionState.fresh('e'));
  });

  test('is one of two that exclude each other', () => {
    const state = fresh.with([
      ['ansi_null_dflt_on', 'OFF'],
      ['ansi_null_dflt_off', 'ON'],
    ]);
    expect(state.wayFrom(fresh, beginning)).toBe(
      'SET ansi_null_dflt_on OFF; SET ansi_null_dflt_off ON;',
    );
    expect(fresh.wayFrom(state, beginning)).toBe(
      'SET ansi_null_dflt_off OFF; SET ansi_null_dflt_on ON;',
    );
  });

  test('is left by a reset where nobody knows how it began', () => {
    for (const [name, value] of [
      ['context_info', '0x01'],
      ['query_governor_cost_limit', '5'],
      ['xact_abort', 'ON'],
    ] as const) {
      const state = fresh.with([[name, value]]);
      expect(fresh.wayFrom(state, beginning)).toBe(RESET);
      expect(fresh.wayFrom(state.anew('d'), beginning)).toBeUndefined();
      expect(state.wayFrom(fresh, beginning)).toBe(
        name === 'xact_abort' ? 'SET xact_abort ON;' : `SET ${name.toUpperCase()} ${value};`,
      );
    }
    const limited = fresh.with([
      ['rowcount', '1'],
      ['deadlock_priority', '-5'],
    ]);
    expect(fresh.wayFrom(limited, beginning)).toBe('SET DEADLOCK_PRIORITY 0; SET ROWCOUNT 0;');
  });
});

test('names and texts are written so that they mean the same in any session', () => {
  expect(bracketed('a]b')).toBe('[a]]b]');
  expect(quoted("it's")).toBe("N'it''s'");
});
