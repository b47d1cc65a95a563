import { backend, bytesOf, frontend, i16, message } from '../support/messages.ts';
import { copyIn, copyOut, functionCall, functionResult } from './model.ts';

/** One side speaks, all that it says at a time; then the other answers. */
export interface Turn {
  readonly side: 'client' | 'server';
  readonly bytes: Uint8Array;
}

export function client(...messages: readonly Uint8Array[]): Turn {
  return { side: 'client', bytes: bytesOf(...messages) };
}

export function server(...messages: readonly Uint8Array[]): Turn {
  return { side: 'server', bytes: bytesOf(...messages) };
}

export const { ready, complete, dataRow, rowDescription } = backend;
export const { query, parse, bind, describe, execute, close, flush, sync } = frontend;
export const { copyData, copyDone, copyFail, terminate } = frontend;

export const parsed = message('1');
export const bound = message('2');
export const closed = message('3');
export const noData = message('n');
export const suspended = message('s');
export const emptied = message('I');
export const oneRow = bytesOf(dataRow('1'), complete('SELECT 1'));

export function failure(code = '42601', severity = 'ERROR'): Uint8Array {
  return backend.error({ S: severity, V: severity, C: code, M: 'it did not work' });
}

export const batch = bytesOf(parse('', 'select $1::int'), bind('', '', ['1']), execute(), sync());
export const batchReply = bytesOf(parsed, bound, oneRow, ready());

/** What answers a question of Sluice's own: one row of these values. */
export function answer(...values: readonly (string | null)[]): Uint8Array {
  return bytesOf(rowDescription('a'), dataRow(...values), complete('SELECT 1'), ready());
}

/** What answers Parse, Bind and Execute of Sluice's own statements, by the tags of these. */
export function steps(...tags: readonly string[]): Uint8Array {
  return bytesOf(...tags.map((tag) => bytesOf(parsed, bound, complete(tag))));
}

/** A copy fails behind a Sync that it may or may not have read; an answer to ours tells. */
const doubtfulCopy: readonly Turn[] = [
  client(parse('', 'copy t from stdin'), bind('', ''), execute(), sync()),
  server(parsed, bound, copyIn()),
  client(copyData('1\n'), copyData('x\n')),
  server(failure('22P02')),
  client(copyDone(), sync()),
];

/** Whole conversations, to be cut and put together in every way. */
export const conversations: Readonly<Record<string, readonly Turn[]>> = {
  'simple queries': [
    client(query('select 1')),
    server(rowDescription('a'), oneRow, ready()),
    client(query('select 1; select 2'), query(';')),
    server(rowDescription('a'), oneRow, rowDescription('a'), oneRow, ready(), emptied, ready()),
    client(query('nonsense')),
    server(failure(), ready()),
    client(terminate()),
  ],
  'a transaction with an error, an empty query inside (PG-24)': [
    client(query('begin')),
    server(complete('BEGIN'), ready('T')),
    client(query('nonsense')),
    server(failure(), ready('E')),
    client(query(';')),
    server(emptied, ready('E')),
    client(query('rollback')),
    server(complete('ROLLBACK'), ready()),
  ],
  'three pipelined batches (PG-01)': [
    client(batch, batch, batch),
    server(batchReply, batchReply, batchReply),
    client(sync()),
    server(ready()),
  ],
  'a query inside a batch that failed (PG-02, PG-06)': [
    client(parse('', 'nonsense'), bind('', ''), execute(), query('select 1'), sync()),
    server(failure(), ready()),
    client(query('select 1')),
    server(rowDescription('a'), oneRow, ready()),
  ],
  'Flush instead of Sync, rows by the handful (PG-03, PG-04)': [
    client(parse('', 'select 1'), describe('S'), flush()),
    server(parsed, message('t', i16(0)), rowDescription('a')),
    client(bind('', ''), describe('P'), execute('', 1), flush()),
    server(bound, rowDescription('a'), dataRow('1'), suspended),
    client(execute('', 1), close('P'), flush()),
    server(dataRow('2'), suspended, closed),
    client(sync()),
    server(ready()),
  ],
  'a named statement, which pins': [
    client(parse('name', 'select 1'), describe('S', 'name'), sync()),
    server(parsed, message('t', i16(0)), noData, ready()),
    client(bind('', 'name'), execute(), sync()),
    server(bound, oneRow, ready()),
    client(close('S', 'name'), sync()),
    server(closed, ready()),
  ],
  'SET and LISTEN, which pin': [
    client(query("set timezone to 'Europe/Rome'")),
    server(complete('SET'), backend.parameterStatus('TimeZone', 'Europe/Rome'), ready()),
    client(parse('', 'listen news'), bind('', ''), execute(), sync()),
    server(parsed, bound, complete('LISTEN'), ready()),
    server(message('A', i16(0), i16(1), 'news\0hello\0')),
  ],
  'a parameter that changes by itself': [
    client(query('select change()')),
    server(
      rowDescription('change'),
      backend.notice({ S: 'NOTICE', V: 'NOTICE', C: '00000', M: 'changed' }),
      backend.parameterStatus('TimeZone', 'Europe/Rome'),
      oneRow,
      ready(),
    ),
  ],
  'a copy in, and one that fails while data still flows (PG-07)': [
    client(query('copy t from stdin')),
    server(copyIn()),
    client(copyData('1\n'), copyData('2\n'), copyDone()),
    server(complete('COPY 2'), ready()),
    client(query('copy t from stdin')),
    server(copyIn()),
    client(copyData('x\n')),
    server(failure('22P02'), ready()),
    client(copyData('2\n'), copyDone()),
    client(query('select 1')),
    server(rowDescription('a'), oneRow, ready()),
  ],
  'a copy in the extended protocol, whose first Sync is swallowed (PG-09)': [
    client(parse('', 'copy t from stdin'), bind('', ''), execute(), sync()),
    server(parsed, bound, copyIn()),
    client(copyData('1\n'), copyDone(), sync()),
    server(complete('COPY 1'), ready()),
  ],
  'a failed copy that has swallowed a Sync (PG-09)': [
    ...doubtfulCopy,
    server(ready()),
    server(emptied, ready()),
    client(query('select 1')),
    server(rowDescription('a'), oneRow, ready()),
  ],
  'a failed copy that has swallowed none (PG-09)': [
    ...doubtfulCopy,
    server(ready(), ready()),
    server(emptied, ready()),
    client(query('select 1')),
    server(rowDescription('a'), oneRow, ready()),
  ],
  'a copy out, a function call (PG-11)': [
    client(query('copy t to stdout')),
    server(
      copyOut(),
      message('d', '1\n'),
      message('d', '2\n'),
      message('c'),
      complete('COPY 2'),
      ready(),
    ),
    client(functionCall()),
    server(functionResult(), ready()),
    client(functionCall()),
    server(failure(), ready()),
  ],
  'an error without a code (PG-17), then the end (PG-15)': [
    client(query('select 1')),
    server(backend.error({ S: 'ERROR', V: 'ERROR', M: 'no code' }), ready()),
    client(query('select pg_sleep(9)')),
    server(failure('57P01', 'FATAL')),
  ],
};
