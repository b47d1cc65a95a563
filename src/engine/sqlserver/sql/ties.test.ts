import { describe, expect, test } from 'bun:test';
import type { Tie, TieReason } from './effects.ts';
import type { Outcome } from './ties.ts';
import { IMPERSONATION, Ties, XML_DOCUMENT } from './ties.ts';

const done: Outcome = { isError: false, mayBeUndone: false };
const failed: Outcome = { isError: true, mayBeUndone: false };
const undoable: Outcome = { isError: false, mayBeUndone: true };

function takes(reason: TieReason, name?: string, isCertain = true): Tie {
  return { does: 'takes', reason, name, isCertain };
}

function drops(reason: TieReason, name?: string, isCertain = true): Tie {
  return { does: 'drops', reason, name, isCertain };
}

function names(ties: Ties): readonly string[] {
  return ties.suspects.map(({ name }) => name);
}

describe('ties', () => {
  test('a temporary table is there when its statement says so, and is gone when another one does', () => {
    const ties = new Ties();
    ties.apply(takes('temporaryObject', '#a'), done);
    expect(ties.reasons).toEqual(['temporaryObject']);
    expect(ties.hasSuspects).toBe(false);
    ties.apply(drops('temporaryObject', '#b'), done);
    expect(ties.has('temporaryObject', '#a')).toBe(true);
    ties.apply(drops('temporaryObject', '#a'), done);
    expect(ties.reasons).toEqual([]);
  });

  test.each([
    ['in doubt', takes('temporaryObject', '#a', false), done],
    ['after an error', takes('temporaryObject', '#a'), failed],
    ['in a transaction', takes('temporaryObject', '#a'), undoable],
    ['of a lock, which may not have been granted', takes('sessionLock', 'a'), done],
    ['of a cursor, which may be local', takes('cursor', 'a'), done],
    ['of the context, where it may be NULL', takes('sessionContext', 'a'), done],
  ])('the server is asked %s', (_, tie, outcome) => {
    for (const isThere of [true, false]) {
      const ties = new Ties();
      ties.apply(tie, outcome);
      expect(ties.reasons).toEqual([]);
      const [suspect] = ties.suspects;
      if (suspect !== undefined) ties.found(suspect, isThere);
      expect(ties.reasons).toEqual(isThere ? [tie.reason] : []);
      expect(ties.hasSuspects).toBe(false);
    }
  });

  test('the server is asked about what may have been dropped, however it is written', () => {
    const ties = new Ties();
    ties.apply(takes('temporaryObject', '#A'), done);
    ties.apply(drops('temporaryObject', '#a'), done);
    expect(names(ties)).toEqual(['#A']);
    expect(ties.has('temporaryObject', '#A')).toBe(true);
    ties.apply(drops('temporaryObject', '#A'), undoable);
    expect(ties.has('temporaryObject', '#A')).toBe(true);
  });

  test('what may have come is gone when it was dropped', () => {
    const ties = new Ties();
    ties.apply(takes('temporaryObject', '#a', false), done);
    ties.apply(drops('temporaryObject', '#a'), done);
    expect(ties.hasSuspects).toBe(false);
  });

  test('nobody is asked again about what is there', () => {
    const ties = new Ties();
    ties.apply(takes('temporaryObject', '#a'), done);
    ties.apply(takes('temporaryObject', '#a', false), done);
    expect(ties.hasSuspects).toBe(false);
    // Its value may be NULL this time.
    ties.found({ reason: 'sessionContext', name: 'k' }, true);
    ties.apply(takes('sessionContext', 'k'), done);
    expect(names(ties)).toEqual(['k']);
  });

  test('what cannot be asked about is there in doubt', () => {
    const ties = new Ties();
    ties.apply(takes('setting', 'noexec', false), failed);
    ties.apply(takes('sessionLock'), failed);
    expect(ties.reasons).toEqual(['setting', 'sessionLock']);
    ties.apply(drops('setting', 'noexec', false), done);
    ties.apply(drops('setting', 'noexec'), failed);
    ties.apply(drops('sessionLock'), done);
    expect(ties.reasons).toEqual(['setting', 'sessionLock']);
    ties.apply(drops('setting', 'noexec'), done);
    expect(ties.reasons).toEqual(['sessionLock']);
    ties.clear();
    expect(ties.reasons).toEqual([]);
  });

  test('some are counted', () => {
    for (const [reason, name] of [
      ['hiddenState', IMPERSONATION],
      ['temporaryObject', XML_DOCUMENT],
    ] as const) {
      const ties = new Ties();
      ties.apply(takes(reason, name), done);
      ties.apply(takes(reason, name), done);
      ties.apply(drops(reason, name), done);
      expect(ties.has(reason)).toBe(true);
      ties.apply(drops(reason, name), done);
      ties.apply(drops(reason, name), done);
      expect(ties.has(reason)).toBe(false);
    }
  });

  test('all of a kind are dropped by the beginning of their names', () => {
    const ties = new Ties();
    ties.apply(takes('hiddenState', 'key a'), done);
    ties.apply(takes('hiddenState', IMPERSONATION), done);
    ties.apply({ does: 'dropsAll', reason: 'hiddenState', name: 'key ', isCertain: true }, done);
    expect(ties.has('hiddenState', 'key a')).toBe(false);
    expect(ties.has('hiddenState', IMPERSONATION)).toBe(true);
  });

  test('locks of another database cannot be asked about', () => {
    const ties = new Ties();
    ties.lose('sessionLock');
    expect(ties.reasons).toEqual([]);
    ties.apply(takes('sessionLock', 'a'), done);
    ties.lose('sessionLock');
    expect(ties.hasSuspects).toBe(false);
    expect(ties.reasons).toEqual(['sessionLock']);
    ties.apply(drops('sessionLock', 'a'), done);
    expect(ties.reasons).toEqual(['sessionLock']);
  });
});
