import { describe, expect, test } from 'bun:test';
import { UsageError } from '../stage.ts';
import type { Options } from '../support/options.ts';
import { helpFor, readOptions } from '../support/options.ts';
import { menu } from './options.ts';

const read = (...args: string[]): Options => readOptions(args, menu);
const names = (...args: string[]): readonly string[] => read(...args).cases.map(({ name }) => name);
const WHO = ['--user', 'sa', '--password', 'Secret-1'] as const;

describe('options', () => {
  test('name a server that is there already', () => {
    expect(read('--server', 'db.example:1433', ...WHO).address).toEqual({
      ...{ host: 'db.example', port: 1433, user: 'sa', password: 'Secret-1', database: 'master' },
    });
    const { address } = read('--server', '[::1]:1433', ...WHO, '--database', 'app');
    expect(address).toMatchObject({ host: '::1', database: 'app' });
  });

  test('have the test server where none is named', () => {
    expect(read()).toMatchObject({ server: 'test', address: undefined });
    expect(read('--server', 'test').address).toBeUndefined();
  });

  test('say what is missing or too much', () => {
    expect(() => read('--server', 'db:1433')).toThrow('needs --user and --password');
    expect(() => read('--server', 'db:0', ...WHO)).toThrow('whole number from 1 to 65535');
    expect(() => read('--server', 'db', ...WHO)).toThrow('--user goes with --server HOST:PORT');
    expect(() => read('--server', 'oracle')).toThrow('--server must be test or HOST:PORT');
    expect(() => read('--database', 'app')).toThrow(UsageError);
  });

  test('have each kind of case in a quick run, too', () => {
    expect(names('--quick').length).toBeLessThan(names().length);
    for (const part of [
      'batch 1',
      'rpc',
      'prepared',
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
  });

  test('are explained in lines that fit', () => {
    for (const line of helpFor(menu).split('\n')) expect(line.length).toBeLessThanOrEqual(100);
  });
});
