import { describe, expect, test } from 'bun:test';
import { backend, bytesOf, i16, i32, message } from '../../../test/support/messages.ts';
import * as say from '../../../test/transcripts/conversations.ts';
import { copyIn, copyOut, functionResult } from '../../../test/transcripts/model.ts';
import { after, Rig } from '../../../test/transcripts/rig.ts';
import { Violation } from '../../base/assert.ts';
import { limits } from '../../base/limits.ts';

const { bind, bound, complete, copyData, emptied } = say;
const { failure, oneRow, parse, parsed, query, ready, sync } = say;

const lost = { name: 'databaseLost' } as const;
const LOST =
  'E FATAL 08006 The database connection was lost. Whether the request took effect is not known.';

/** What the client hears of a lost connection; empty where it must not hear more. */
function farewell(rig: Rig): readonly string[] {
  const words = rig.relay.lost(lost);
  if (words.length > 0) rig.toClient(words);
  return rig.heard().slice(-1);
}

describe('a peer that breaks the protocol', () => {
  const broken = [-1, 0, 3, -0x80000000, 0x7fffffff, limits.messageBytes.value + 5];

  test('PG-16: lengths that cannot be, from both sides', () => {
    for (const length of broken) {
      for (const type of ['Q', 'P', 'B', 'd', 'X', 'S']) {
        expect(() => new Rig().client(bytesOf(type, i32(length)))).toThrow(Violation);
      }
      for (const type of ['D', 'Z', 'E', 'S', 'N', 'd']) {
        const rig = new Rig().client(query('select 1'));
        expect(() => rig.server(bytesOf(type, i32(length)))).toThrow(Violation);
      }
    }
  });

  test('replies that nobody asked for', () => {
    const unasked = [
      ...[oneRow, ready(), parsed, bound, say.closed, say.noData, say.suspended, emptied],
      ...[failure(), copyIn(), copyOut(), copyData('1'), functionResult(), message('t', i16(0))],
      ...[say.rowDescription('a'), message('c'), message('W'), message('K'), message('R', i32(0))],
    ];
    for (const reply of unasked) {
      const rig = after(query('begin'), complete('BEGIN'), ready('T'));
      rig.heard();
      expect(() => rig.server(reply)).toThrow(Violation);
      expect(rig.heard()).toEqual([]);
    }
  });

  test('replies to something else than was asked', () => {
    const ask = bytesOf(parse('', 'select 1'), bind('', ''), sync());
    for (const reply of [bound, say.closed, say.noData, oneRow.subarray(7), emptied, ready()]) {
      const rig = new Rig().client(ask);
      expect(() => rig.server(reply)).toThrow(Violation);
    }
  });

  test('a reply that is read and larger than any', () => {
    for (const type of ['Z', 'S']) {
      const rig = new Rig().client(query('select 1'));
      const header = bytesOf(type, i32(limits.inspectedMessageBytes.value + 5));
      expect(() => rig.server(header)).toThrow(Violation);
    }
  });

  test('a transaction status that does not exist', () => {
    const rig = new Rig().client(query('select 1')).server(oneRow);
    expect(() => rig.server(message('Z', 'X'))).toThrow(Violation);
  });

  test('a connection that nobody has borrowed', () => {
    expect(() => new Rig().relay.fromServer(ready())).toThrow('without a request');
  });
});

describe('a lost connection', () => {
  test('is told between requests, in one, in a transaction, and while data flows in', () => {
    expect(farewell(new Rig())).toEqual([LOST]);
    expect(farewell(new Rig().client(query('select 1')))).toEqual([LOST]);
    expect(farewell(after(query('begin'), complete('BEGIN'), ready('T')))).toEqual([LOST]);
    expect(farewell(after(query('copy t from stdin'), copyIn()))).toEqual([LOST]);
    expect(farewell(after(query('select 1'), say.rowDescription('a'), oneRow))).toEqual([LOST]);
  });

  test('is not told inside a message, whatever its part', () => {
    const [description, row] = [say.rowDescription('a'), say.dataRow('a long value')];
    for (const [before, whole] of [
      [say.emptied, description],
      [description, row],
    ] as const) {
      for (let cut = 0; cut <= whole.length; cut += 1) {
        const rig = after(query('select 1'), before).server(whole.subarray(0, cut));
        // A header in pieces has not been passed on.
        const isInside = cut >= 5 && cut < whole.length;
        expect([cut, rig.relay.lost(lost).length === 0]).toEqual([cut, isInside]);
      }
    }
  });

  test('PG-15: is not told again by us where the database has said so itself', () => {
    const rig = after(query('select pg_sleep(9)'), failure('57P01', 'FATAL'));
    expect(farewell(rig)).toEqual(['E FATAL 57P01 it did not work']);
    const panic = after(query('select 1'), failure('XX000', 'PANIC'));
    expect(panic.relay.lost(lost)).toEqual(new Uint8Array(0));
    // An error that ends only its request is no farewell.
    expect(farewell(after(query('nonsense'), failure()))).toEqual([LOST]);
  });

  test('PG-15: nothing that follows a farewell is heard', () => {
    const bye = failure('57P01', 'FATAL');
    const once = ['E FATAL 57P01 it did not work'];
    expect(after(query('select 1'), bytesOf(bye, bye, ready())).heard()).toEqual(once);
    expect(after(query('select 1'), bye, bye, ready()).heard()).toEqual(once);
  });

  test('PG-15: half a farewell is none', () => {
    const words = failure('57P01', 'FATAL');
    for (let cut = 1; cut < words.length; cut += 1) {
      expect(farewell(after(query('select 1'), words.subarray(0, cut)))).toEqual([LOST]);
    }
  });

  test('PG-17: an error without code or severity ends its request', () => {
    for (const fields of [{ S: 'ERROR', M: 'x' }, { M: 'x' }, {}]) {
      const rig = after(query('nonsense'), backend.error(fields), ready());
      expect(rig.boundaries).toBe(1);
    }
  });
});
