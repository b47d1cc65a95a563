import { describe, expect, test } from 'bun:test';
import { backend } from '../support/messages.ts';
import type { Message } from '../support/messages.ts';
import { parseMessages } from '../support/messages.ts';
import { Dues } from './dues.ts';

const error = (severity = 'ERROR'): Uint8Array =>
  backend.error({ S: severity, V: severity, C: '22012', M: 'no' });

/** Says these, by their types, and hears those; how many of them it takes until nothing is owed. */
function untilSettled(said: string, ...heard: readonly Uint8Array[]): number | undefined {
  const dues = new Dues();
  for (const type of said) dues.say(type);
  const messages = heard.flatMap((bytes): readonly Message[] => parseMessages(bytes));
  if (dues.settled) return 0;
  const at = messages.findIndex((message) => {
    dues.hear(message);
    return dues.settled;
  });
  return at < 0 ? undefined : at + 1;
}

const short = (type: string): Uint8Array => Buffer.from([type.charCodeAt(0), 0, 0, 0, 4]);
const [parsed, bound, closed, noData, suspended] = ['1', '2', '3', 'n', 's'].map(short) as [
  Uint8Array,
  Uint8Array,
  Uint8Array,
  Uint8Array,
  Uint8Array,
];
const [done, ready, row] = [backend.complete('X'), backend.ready(), backend.dataRow('1')];
const columns = backend.rowDescription('a');

describe('what is owed', () => {
  test.each([
    ['a query with two results', 'Q', [columns, row, done, columns, row, done, ready], 7],
    ['a query that fails', 'Q', [error(), ready], 2],
    ['a pipeline', 'PBDECS', [parsed, bound, columns, row, done, closed, ready], 7],
    ['rows bit by bit', 'PBEESPB', [parsed, bound, suspended, done, ready, parsed, bound], 7],
    ['an error and what is skipped', 'PBESQPBES', [error(), ready, done, ready, parsed], undefined],
    ['a query that is skipped (PG-02)', 'PBQS', [error(), ready], 2],
    ['a Flush', 'PDH', [parsed, noData], 2],
    ['a Flush after an error', 'PBEH', [error()], 1],
    ['an error at the Sync', 'PBES', [parsed, bound, done, error(), ready], 5],
    ['nothing', 'H', [], 0],
    ['the end, after a farewell', 'Q', [error('FATAL')], undefined],
  ] as const)('%s', (_, said, heard, count) => {
    expect(untilSettled(said, ...heard)).toBe(count);
  });

  test('a request is open until its Sync, also where it has failed', () => {
    const dues = new Dues();
    dues.say('P');
    expect(dues.unsynced).toBe(true);
    for (const message of parseMessages(error())) dues.hear(message);
    dues.say('B');
    expect([dues.unsynced, dues.settled]).toEqual([true, true]);
    dues.say('S');
    expect([dues.unsynced, dues.settled]).toEqual([false, false]);
  });
});
