import { describe, expect, test } from 'bun:test';
import { UsageError } from '../stage.ts';
import { help, readOptions } from './options.ts';

const names = (...args: string[]): readonly string[] =>
  readOptions(args).cases.map(({ name }) => name);

describe('options', () => {
  test('by default measure everything against PgBouncer', () => {
    const { rounds, rivals, json, pooler } = readOptions([]);
    expect({ rivals, json, pooler }).toEqual({
      rivals: ['pgbouncer'],
      json: false,
      pooler: undefined,
    });
    expect(rounds).toBeGreaterThanOrEqual(3);
    expect(names()).toContain('idle TLS');
  });

  test('can be for those in a hurry', () => {
    expect(names('--quick').length).toBeLessThan(names().length);
    expect(readOptions(['--quick']).seconds).toBeLessThan(readOptions([]).seconds);
    expect(readOptions(['--quick', '--rounds', '9']).rounds).toBe(9);
  });

  test('choose cases by parts of their names, quick or not', () => {
    expect(names('--case', 'simple 1')).toEqual(['simple 1']);
    expect(names('--case', 'tls', '--case', 'slow', '--quick')).toEqual([
      ...['simple 32 TLS', 'extended 32 TLS', 'prepared 32 TLS'],
      ...['connect TLS', 'sign-in TLS', 'idle TLS', 'result slow'],
    ]);
  });

  test('choose rivals', () => {
    expect(readOptions(['--rival', 'none']).rivals).toEqual([]);
    expect(readOptions(['--rival', 'pgbouncer', '--rival', '../a b']).rivals).toEqual([
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
    [['quick'], "Unexpected argument 'quick'"],
  ])('%p are refused', (args, why) => {
    expect(() => readOptions(args)).toThrow(UsageError);
    expect(() => readOptions(args)).toThrow(why);
  });

  test('are explained in lines that fit, with every case', () => {
    for (const line of help.split('\n')) expect(line.length).toBeLessThanOrEqual(100);
    for (const name of names()) expect(help.replaceAll(/\s+/g, ' ')).toContain(name);
  });
});
