import { describe, expect, test } from 'bun:test';
import { UsageError } from '../stage.ts';
import type { Options } from '../support/options.ts';
import { helpFor, readOptions } from '../support/options.ts';
import { menu } from './options.ts';

const read = (args: readonly string[]): Options => readOptions(args, menu);
const names = (...args: string[]): readonly string[] => read(args).cases.map(({ name }) => name);

describe('options', () => {
  test('by default measure everything against PgBouncer', () => {
    const { rounds, rivals, json, pooler } = read([]);
    expect({ rivals, json, pooler }).toEqual({
      rivals: undefined,
      json: false,
      pooler: undefined,
    });
    expect(rounds).toBeGreaterThanOrEqual(3);
    expect(names()).toContain('idle TLS');
  });

  test('can be for those in a hurry', () => {
    expect(names('--quick').length).toBeLessThan(names().length);
    expect(read(['--quick']).seconds).toBeLessThan(read([]).seconds);
    expect(read(['--quick', '--rounds', '9']).rounds).toBe(9);
  });

  test('choose cases by parts of their names, quick or not', () => {
    expect(names('--case', 'simple 1')).toEqual(['simple 1']);
    expect(names('--case', 'tls', '--case', 'slow', '--quick')).toEqual([
      ...['simple 32 TLS', 'extended 32 TLS', 'prepared 32 TLS'],
      ...['connect TLS', 'sign-in TLS', 'idle TLS', 'result slow'],
    ]);
  });

  test('choose rivals', () => {
    expect(read(['--rival', 'none']).rivals).toEqual([]);
    expect(read(['--rival', 'pgbouncer', '--rival', '../a b']).rivals).toEqual([
      'pgbouncer',
      '../a b',
    ]);
  });

  test.each([
    [['--rounds', '0'], '--rounds must be a whole number'],
    [['--seconds', '1.5'], '--seconds must be a whole number'],
    [['--case', 'mysql'], 'no case has such a name: simple 1, '],
    [['--rival', 'none', '--rival', 'pgbouncer'], '--rival none goes with no other'],
    [['--fast'], "Unknown option '--fast'"],
    [['--server', 'mysql'], "Unknown option '--server'"],
    [['quick'], "Unexpected argument 'quick'"],
  ])('%p are refused', (args, why) => {
    expect(() => read(args)).toThrow(UsageError);
    expect(() => read(args)).toThrow(why);
  });

  test('are explained in lines that fit, with every case', () => {
    for (const line of helpFor(menu).split('\n')) expect(line.length).toBeLessThanOrEqual(100);
    for (const name of names()) expect(helpFor(menu).replaceAll(/\s+/g, ' ')).toContain(name);
  });
});
