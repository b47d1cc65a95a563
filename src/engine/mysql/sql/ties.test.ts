import { describe, expect, test } from 'bun:test';
import type { Tie, TieReason } from './effects.ts';
import type { Outcome } from './ties.ts';
import { Ties } from './ties.ts';

const done: Outcome = { isError: false, isSingle: true, schema: 'd' };
const failed: Outcome = { isError: true, isSingle: true, schema: 'd' };
const cutShort: Outcome = { isError: true, isSingle: false, schema: 'd' };

function table(name: string, schema?: string): { schema: string | undefined; name: string } {
  return { schema, name };
}

function takes(reason: TieReason, name?: string): Tie {
  return { does: 'takes', reason, name: name === undefined ? undefined : table(name) };
}

function drops(reason: TieReason, name: string): Tie {
  return { does: 'drops', reason, name: table(name) };
}

describe('ties', () => {
  test('MY-47: a reason lasts as long as anything by a name is there', () => {
    const ties = new Ties();
    ties.apply([takes('temporaryObject', 'a'), takes('temporaryObject', 'b')], done);
    ties.apply([takes('handler', 'h')], done);
    expect(ties.reasons).toEqual(['temporaryObject', 'handler']);
    ties.apply([drops('temporaryObject', 'a')], done);
    expect(ties.has('temporaryObject')).toBe(true);
    ties.apply([drops('temporaryObject', 'c'), drops('temporaryObject', 'b')], done);
    expect(ties.reasons).toEqual(['handler']);
    ties.clear();
    expect(ties.reasons).toEqual([]);
  });

  test('a name without a schema is in the session’s', () => {
    const ties = new Ties();
    ties.apply([takes('temporaryObject', 'a')], done);
    ties.apply([drops('temporaryObject', 'a')], { ...done, schema: 'e' });
    expect(ties.reasons).toEqual(['temporaryObject']);
    const drop: Tie = { does: 'drops', reason: 'temporaryObject', name: table('a', 'd') };
    ties.apply([drop], { ...done, schema: 'e' });
    expect(ties.reasons).toEqual([]);
  });

  test('a lock is held as often as it has been taken, anything else once', () => {
    const ties = new Ties();
    ties.apply([takes('sessionLock', 'a'), takes('sessionLock', 'a')], done);
    ties.apply([takes('preparedStatement', 's'), takes('preparedStatement', 's')], done);
    ties.apply([drops('sessionLock', 'a'), drops('preparedStatement', 's')], done);
    expect(ties.reasons).toEqual(['sessionLock']);
    ties.apply([drops('sessionLock', 'a')], done);
    expect(ties.reasons).toEqual([]);
  });

  test('what has no name stays, unless all go', () => {
    const ties = new Ties();
    ties.apply([takes('sessionLock'), takes('sessionLock', 'a')], done);
    ties.apply([drops('sessionLock', 'a'), drops('sessionLock', '')], done);
    expect(ties.reasons).toEqual(['sessionLock']);
    ties.apply([{ does: 'dropsAll', reason: 'sessionLock' }], done);
    expect(ties.reasons).toEqual([]);
  });

  test('a table that is renamed is there by its new name, if it is one of them', () => {
    const ties = new Ties();
    const rename: Tie = {
      does: 'renames',
      reason: 'temporaryObject',
      name: table('a'),
      to: table('b'),
    };
    ties.apply([rename], done);
    expect(ties.reasons).toEqual([]);
    ties.apply([takes('temporaryObject', 'a')], done);
    ties.apply([rename], failed);
    ties.apply([rename, drops('temporaryObject', 'a')], done);
    expect(ties.reasons).toEqual(['temporaryObject']);
    ties.apply([drops('temporaryObject', 'b')], done);
    expect(ties.reasons).toEqual([]);
  });

  test('an error leaves what a single statement would have taken, but for a lock', () => {
    const ties = new Ties();
    ties.apply([takes('temporaryObject', 'a'), takes('sessionLock', 'a')], failed);
    expect(ties.reasons).toEqual(['sessionLock']);
  });

  test('after an error among several statements, all may be there and none gone', () => {
    const ties = new Ties();
    ties.apply([takes('temporaryObject', 'a'), takes('handler', 'h')], cutShort);
    ties.apply([drops('temporaryObject', 'a'), { does: 'dropsAll', reason: 'handler' }], cutShort);
    expect(ties.reasons).toEqual(['temporaryObject', 'handler']);
    const rename: Tie = {
      does: 'renames',
      reason: 'handler',
      name: table('h'),
      to: table('i'),
    };
    ties.apply([rename], cutShort);
    ties.apply([drops('handler', 'h')], done);
    expect(ties.has('handler')).toBe(true);
    ties.apply([drops('handler', 'i')], done);
    expect(ties.has('handler')).toBe(false);
  });
});
