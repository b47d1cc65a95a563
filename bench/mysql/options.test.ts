import { describe, expect, test } from 'bun:test';
import { UsageError } from '../stage.ts';
import type { Options } from '../support/options.ts';
import { helpFor, readOptions } from '../support/options.ts';
import { menu } from './options.ts';

const read = (args: readonly string[]): Options => readOptions(args, menu);
const names = (...args: string[]): readonly string[] => read(args).cases.map(({ name }) => name);

describe('options', () => {
  test('choose the server', () => {
    expect(read([]).server).toBe('mysql');
    expect(read(['--server', 'mariadb']).server).toBe('mariadb');
    expect(() => read(['--server', 'postgres'])).toThrow(UsageError);
    expect(() => read(['--server', 'postgres'])).toThrow('--server must be mysql or mariadb');
  });

  test('have each kind of case in a quick run, too', () => {
    expect(names('--quick').length).toBeLessThan(names().length);
    for (const part of [
      'select text 1',
      'binary',
      'mix',
      '200',
      'TLS',
      'connect',
      'idle',
      'result',
    ])
      expect(names('--quick').some((name) => name.includes(part))).toBe(true);
  });

  test('name no case twice', () => {
    expect(new Set(names()).size).toBe(names().length);
    expect(names('--case', 'mix text 32')).toEqual(['mix text 32', 'mix text 32 TLS']);
  });

  test('are explained in lines that fit', () => {
    for (const line of helpFor(menu).split('\n')) expect(line.length).toBeLessThanOrEqual(100);
  });
});
