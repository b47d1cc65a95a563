import { describe, expect, test } from 'bun:test';
import { backend, message, parseMessages } from '../support/messages.ts';
import type { Answer } from './side.ts';
import type { Exception } from './steps.ts';
import { compare } from './verdict.ts';

function answer(...bytes: readonly Uint8Array[]): Answer {
  return { messages: bytes.flatMap((one) => parseMessages(one)), ended: false };
}

function error(C: string, M: string, V = 'ERROR', more = {}): Uint8Array {
  return backend.error({ S: V, V, C, M, ...more });
}

const [ready, inTransaction] = [backend.ready(), backend.ready('T')];
const row = (value: string | null): Uint8Array => backend.dataRow(value);
const show = (value: string): Answer =>
  answer(backend.rowDescription('my.x'), row(value), backend.complete('SHOW'), ready);
const unknown = answer(error('42704', 'unrecognized configuration parameter "my.x"'), ready);
const missing = answer(error('26000', 'prepared statement "a" does not exist'), ready);

describe('two answers', () => {
  const notified = (pid: number): Uint8Array => message('A', Buffer.from([0, 0, 0, pid]), 'a\0b\0');

  test.each([
    ['equal bytes', answer(row('a'), ready), answer(row('a'), ready)],
    ['other process ids', answer(notified(1)), answer(notified(2))],
    [
      'another line of the source',
      answer(error('1', 'x', 'ERROR', { L: '1' })),
      answer(error('1', 'x', 'ERROR', { L: '2' })),
    ],
    ['the name of the twin', answer(error('1', '"east_twin"')), answer(error('1', '"east"'))],
  ])('are the same: %s', (_, direct, proxied) => {
    expect(compare(direct, proxied).kind).toBe('same');
  });

  test.each([
    ['a value', answer(row('a'), ready), answer(row('b'), ready)],
    ['NULL and its name', answer(row('null'), ready), answer(row(null), ready)],
    ['the state of the transaction', answer(ready), answer(inTransaction)],
    ['the order', answer(row('a'), row('b')), answer(row('b'), row('a'))],
    ['one message more', answer(ready), answer(ready, ready)],
    ['one message less', answer(ready, ready), answer(ready)],
    ['a hint', answer(error('1', 'x')), answer(error('1', 'x', 'ERROR', { H: 'try' }))],
    ['an end', answer(ready), { ...answer(error('08P01', 'x', 'FATAL')), ended: true }],
  ])('differ: %s', (_, direct, proxied) => {
    expect(compare(direct, proxied).kind).toBe('different');
  });

  test('are no difference where a connection was ended, unless what came before is one', () => {
    const farewell = error('57P01', 'terminating', 'FATAL');
    const direct = answer(row('a'), row('b'), ready);
    expect(compare(direct, { ...answer(row('a'), farewell), ended: true }).kind).toBe('cut off');
    expect(compare(direct, { ...answer(row('a')), ended: true }).kind).toBe('cut off');
    expect(compare(direct, { ...answer(row('c'), farewell), ended: true }).kind).toBe('different');
  });
});

describe('an exception', () => {
  test.each<[Exception, Answer, Answer]>([
    ['made-up setting', unknown, show('')],
    ['made-up setting', show(''), unknown],
  ])('%s covers its difference, where it is told that it may', (exception, direct, proxied) => {
    expect(compare(direct, proxied, { exception }).kind).toBe('excepted');
    expect(compare(direct, proxied).kind).toBe('different');
  });

  test('is that in a failed transaction no more is said than that it has failed', () => {
    const failed = error('25P02', 'current transaction is aborted');
    const direct = answer(error('08P01', 'bind message supplies'), backend.ready('E'));
    const proxied = answer(failed, backend.ready('E'));
    expect(compare(direct, proxied, { before: 'E' }).kind).toBe('excepted');
    expect(compare(direct, proxied, { before: 'T' }).kind).toBe('different');
    expect(compare(direct, answer(failed, ready), { before: 'E' }).kind).toBe('different');
  });

  test.each<[Exception, Answer, Answer]>([
    ['made-up setting', unknown, show('of another')],
    ['made-up setting', show('mine'), unknown],
    ['made-up setting', show('mine'), show('')],
    ['temporary schema', unknown, missing],
  ])('%s covers nothing else', (exception, direct, proxied) => {
    expect(compare(direct, proxied, { exception }).kind).toBe('different');
  });
});
